// Runs the module over an embedded log and an anchor in memory, asked through
// gRPC, and restarts it where a test says so.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_TESTING_MODULE_RUN_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_TESTING_MODULE_RUN_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/testing/engine_run.h"
#include "common/record_log/embedded_log.h"
#include "common/record_log/record_log.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/window_hash/window_hash_module.h"

namespace windproof {

// Anchors everything at once, unless it is away.
class AnchorAll final : public v1::AnchorService::Service {
 public:
  grpc::Status SubmitCheckpoints(
      grpc::ServerContext*, const v1::SubmitCheckpointsRequest* request,
      v1::SubmitCheckpointsResponse* response) override {
    if (away) return {grpc::StatusCode::UNAVAILABLE, "away"};
    for (const v1::SignedCheckpoint& checkpoint : request->checkpoints()) {
      v1::Receipt* receipt = response->add_receipts();
      receipt->set_checkpoint_sha256(
          std::string(BytesOf(Sha256Of(checkpoint.checkpoint()))));
      receipt->set_state(v1::Receipt::ANCHORED);
      receipt->set_txid("txid");
    }
    return grpc::Status::OK;
  }

  std::atomic<bool> away = false;
};

// One run of the module between Open() and Shutdown(). Single-owner.
class ModuleRun {
 public:
  static absl::StatusOr<std::unique_ptr<ModuleRun>> Open(
      WindowHashModule::Options options, bool anchor_away = false);
  ~ModuleRun();

  v1::WindowHashService::Stub& stub() { return *stub_; }
  WindowHashModule& module() { return *module_; }

  v1::GetProgressResponse Progress();
  // Waits until everything is read, or stopped, and anchored.
  v1::GetProgressResponse WaitUntilDone(int partitions);

  grpc::Status Get(const std::string& key, int64_t start_ms,
                   v1::Window* window);
  grpc::Status List(const v1::ListWindowsRequest& request,
                    v1::ListWindowsResponse* response);
  // All pages, one after the other.
  std::vector<v1::Window> ListAll(v1::ListWindowsRequest request);

 private:
  ModuleRun() = default;

  AnchorAll anchor_;
  std::unique_ptr<grpc::Server> anchor_server_;
  std::unique_ptr<WindowHashModule> module_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::WindowHashService::Stub> stub_;
};

// A log, and options over it for the built-in pipeline `weather`.
class ModuleTest : public ::testing::Test {
 protected:
  static constexpr int64_t kStartMs = 1'767'225'600'000;  // of WeatherLog
  static constexpr int64_t kHourMs = 3'600'000;

  ModuleTest();

  std::unique_ptr<EmbeddedLog> OpenLog(const std::string& name);
  static void Append(RecordLog& log, const std::string& topic,
                     const std::vector<OwnedRecord>& records);
  // Two stations of `windows` closed hours each.
  void AppendStations(int windows);
  std::unique_ptr<ModuleRun> Open();

  const std::string dir_;
  std::unique_ptr<EmbeddedLog> log_;
  WindowHashModule::Options options_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_TESTING_MODULE_RUN_H_
