// Two window-hash modules that share the partitions of one log: each answers
// for all, and a partition can move between them at any time.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/proto/convert.h"
#include "common/record_log/embedded_log.h"
#include "common/server/rpc_server.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/window_hash/testing/fake_group.h"
#include "services/window_hash/testing/faulty_log.h"
#include "services/window_hash/testing/worker_run.h"
#include "services/window_hash/window_hash_module.h"

namespace windproof {
namespace {

constexpr int64_t kStartMs = 1'767'225'600'000;  // of WeatherLog

// Receipts for all, as the ledger that never fails.
class AnchorAll final : public v1::AnchorService::Service {
 public:
  grpc::Status SubmitCheckpoints(
      grpc::ServerContext*, const v1::SubmitCheckpointsRequest* request,
      v1::SubmitCheckpointsResponse* response) override {
    for (const v1::SignedCheckpoint& checkpoint : request->checkpoints()) {
      v1::Receipt* receipt = response->add_receipts();
      receipt->set_checkpoint_sha256(
          std::string(BytesOf(Sha256Of(checkpoint.checkpoint()))));
      receipt->set_state(v1::Receipt::ANCHORED);
    }
    return grpc::Status::OK;
  }
};

// Forwards to a service that comes later, so that its port is known before.
class Replica {
 public:
  Replica(FakeGroup& group, RecordLog& log, grpc::Channel& anchor,
          const std::string& address)
      : address_(address) {
    WindowHashModule::Options options;
    options.store_path = NewTestDir("replica");
    options.pipelines = {*BuiltInSpec("weather")};
    options.log = &log;
    options.anchor = std::shared_ptr<grpc::ChannelInterface>(
        &anchor, [](grpc::ChannelInterface*) {});
    options.signer_name = TestSigner().name;
    options.signer_key = TestSigner().key;
    options.batch_records = 10;
    options.group = group.Join(address);
    options.advertise = address;
    options.replica_patience = std::chrono::milliseconds(500);
    auto module = WindowHashModule::Open(std::move(options));
    EXPECT_TRUE(module.ok()) << module.status();
    module_ = *std::move(module);
    EXPECT_TRUE(module_->Start().ok());
    auto server =
        RpcServer::Start({.listen = address, .modules = {module_.get()}});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = v1::WindowHashService::NewStub(server_->Channel());
  }

  ~Replica() {
    module_->StopIntake();
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::seconds(30);
    server_->Shutdown(deadline);
    module_->Shutdown(deadline);
  }

  v1::WindowHashService::Stub& stub() { return *stub_; }
  WindowHashModule& module() { return *module_; }
  const std::string& address() const { return address_; }

  grpc::Status Progress(v1::PipelineProgress* progress) {
    grpc::ClientContext context;
    v1::GetProgressResponse response;
    const grpc::Status status =
        stub_->GetProgress(&context, v1::GetProgressRequest(), &response);
    if (status.ok()) *progress = response.pipelines(0);
    return status;
  }

  grpc::Status Get(const std::string& key, v1::Window* window) {
    grpc::ClientContext context;
    v1::GetWindowRequest request;
    *request.mutable_window() = MakeWindowId("weather", key, kStartMs);
    return stub_->GetWindow(&context, request, window);
  }

  // All windows, page by page.
  std::vector<std::string> List(int page_size) {
    std::vector<std::string> windows;
    v1::ListWindowsRequest request;
    request.set_pipeline("weather");
    request.set_page_size(page_size);
    do {
      grpc::ClientContext context;
      v1::ListWindowsResponse response;
      const grpc::Status status =
          stub_->ListWindows(&context, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      if (!status.ok()) return {};
      EXPECT_LE(response.windows_size(), page_size);
      for (const v1::Window& window : response.windows()) {
        windows.push_back(window.checkpoint().checkpoint());
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return windows;
  }

 private:
  const std::string address_;
  std::unique_ptr<WindowHashModule> module_;
  std::unique_ptr<RpcServer> server_;
  std::unique_ptr<v1::WindowHashService::Stub> stub_;
};

// A port that was free a moment ago.
std::string FreeAddress() {
  auto server = RpcServer::Start({.listen = "127.0.0.1:0"});
  EXPECT_TRUE(server.ok()) << server.status();
  return (*server)->address();
}

class ReplicaTest : public ::testing::Test {
 protected:
  ReplicaTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&anchor_);
    anchor_server_ = builder.BuildAndStart();
    anchor_channel_ = anchor_server_->InProcessChannel({});
  }

  static std::unique_ptr<EmbeddedLog> NewLog() {
    auto log = EmbeddedLog::Open({.path = NewTestDir("log")});
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  std::unique_ptr<Replica> NewReplica() {
    return std::make_unique<Replica>(group_, faulty_, *anchor_channel_,
                                     FreeAddress());
  }

  void Append(const std::string& key, const std::vector<OwnedRecord>& records) {
    std::vector<NewRecord> batch;
    for (const OwnedRecord& record : records) {
      NewRecord& entry = batch.emplace_back();
      entry.topic = "weather." + key;
      entry.key = record.key;
      entry.value = record.value;
      entry.log_time_ms = record.log_time_ms;
      for (const auto& [name, value] : record.headers) {
        entry.headers.emplace_back(name, value.value_or(""));
      }
    }
    const auto appended = log_->Append(batch);
    ASSERT_TRUE(appended.ok()) << appended.status();
  }

  static TopicPartition SourceOf(const std::string& key) {
    return {.topic = "weather." + key, .partition = 0};
  }

  // Asks until everything is read and anchored.
  v1::PipelineProgress WaitUntilDone(Replica& replica) {
    v1::PipelineProgress progress;
    while (true) {
      progress.Clear();
      const grpc::Status status = replica.Progress(&progress);
      if (status.ok() && progress.outbox() == 0) {
        std::set<std::string> done;
        for (const v1::PartitionProgress& entry : progress.partitions()) {
          EXPECT_EQ(entry.error(), "");
          if (entry.position() == entry.log_end()) done.insert(entry.topic());
        }
        if (done.size() == 3) return progress;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  FakeGroup group_;
  const std::unique_ptr<EmbeddedLog> log_ = NewLog();
  FaultyLog faulty_{*log_};
  AnchorAll anchor_;
  std::unique_ptr<grpc::Server> anchor_server_;
  std::shared_ptr<grpc::Channel> anchor_channel_;
};

TEST_F(ReplicaTest, EachAnswersForAllWhereverThePartitionsAre) {
  const std::vector<std::string> keys = {"00427", "00433", "10000"};
  for (const std::string& key : keys) Append(key, WeatherLog({key}, 7));
  const auto a = NewReplica();
  const auto b = NewReplica();

  // Nobody owns anything yet.
  v1::Window window;
  EXPECT_EQ(a->Get("00433", &window).error_code(),
            grpc::StatusCode::UNAVAILABLE);

  group_.Move(SourceOf("00427"), a->address());
  group_.Move(SourceOf("00433"), b->address());
  group_.Move(SourceOf("10000"), a->address());
  WaitUntilDone(*b);

  const std::vector<std::string> all = a->List(100);
  EXPECT_EQ(all.size(), 21u);
  for (const int page_size : {1, 2, 5, 100}) {
    EXPECT_EQ(a->List(page_size), all) << page_size;
    EXPECT_EQ(b->List(page_size), all) << page_size;
  }
  for (const std::string& key : keys) {
    v1::Window from_a;
    v1::Window from_b;
    ASSERT_TRUE(a->Get(key, &from_a).ok());
    ASSERT_TRUE(b->Get(key, &from_b).ok());
    EXPECT_EQ(from_a.checkpoint().checkpoint(),
              from_b.checkpoint().checkpoint());
  }
  EXPECT_EQ(a->Get("99999", &window).error_code(), grpc::StatusCode::NOT_FOUND);

  // Everything moves to the other one, and back while more comes.
  for (const std::string& key : keys) {
    group_.Move(SourceOf(key), b->address());
  }
  WaitUntilDone(*a);
  EXPECT_EQ(a->List(3), all);
  EXPECT_EQ(b->List(3), all);
  group_.Move(SourceOf("00433"), "");
  EXPECT_EQ(a->Get("99999", &window).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(a->Get("00433", &window).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  const grpc::Status other_key = a->Get("00427", &window);
  EXPECT_TRUE(other_key.ok()) << other_key.error_message();
  group_.Move(SourceOf("00433"), a->address());
  WaitUntilDone(*a);
  EXPECT_EQ(b->List(4), all);
}

// One changelog that takes long does not keep the others, or the group,
// waiting.
TEST_F(ReplicaTest, PartitionsAreRebuiltSideBySide) {
  const std::vector<std::string> keys = {"00427", "00433", "10000"};
  for (const std::string& key : keys) Append(key, WeatherLog({key}, 3));
  const auto a = NewReplica();
  for (const std::string& key : keys) {
    group_.Move(SourceOf(key), a->address());
  }
  WaitUntilDone(*a);

  faulty_.Hold("windproof.weather.weather.00427.changelog");
  const auto b = NewReplica();
  for (const std::string& key : keys) {
    group_.Move(SourceOf(key), b->address());
  }
  v1::Window window;
  for (const std::string& key : {keys[1], keys[2]}) {
    while (!b->Get(key, &window).ok()) std::this_thread::yield();
  }
  group_.Move(SourceOf("10000"), a->address());
  EXPECT_EQ(b->Get("00427", &window).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  faulty_.LetGo();
  WaitUntilDone(*b);
  EXPECT_EQ(b->List(100).size(), 9u);
}

TEST_F(ReplicaTest, WhoIsShutOutOfTheGroupCannotGoOn) {
  Append("00433", WeatherLog({"00433"}, 3));
  const auto a = NewReplica();
  group_.Move(SourceOf("00433"), a->address());
  v1::Window window;
  while (!a->Get("00433", &window).ok()) std::this_thread::yield();
  EXPECT_TRUE(a->module().Fatal().ok());
  group_.ShutOut(a->address());
  while (a->module().Fatal().ok()) std::this_thread::yield();
  EXPECT_FALSE(a->module().Ready().ok());
  EXPECT_FALSE(a->Get("00433", &window).ok());
}

TEST_F(ReplicaTest, AnOwnerThatIsBelievedDeadDoesNoHarm) {
  const std::vector<std::string> keys = {"00427", "00433", "10000"};
  for (const std::string& key : keys) Append(key, WeatherLog({key}, 3));
  auto a = NewReplica();
  auto b = NewReplica();
  for (const std::string& key : keys) {
    group_.Move(SourceOf(key), a->address());
  }
  // b takes one over while a still feeds it.
  group_.Steal(SourceOf("00433"), b->address());
  WaitUntilDone(*a);
  for (int i = 0; i < 5; ++i) {
    const std::string time = absl::StrCat("2026-12-0", i + 2, "T00:00:00Z");
    OwnedRecord record;
    record.key = "00433";
    record.value = absl::StrCat(R"({"station_id":"00433","timestamp":")", time,
                                R"(","temperature":1.5})");
    record.log_time_ms = 1'797'000'000'000;
    Append("00433", {record});
  }
  WaitUntilDone(*b);
  const v1::PipelineProgress progress = WaitUntilDone(*b);
  EXPECT_EQ(progress.outbox_error(), "");

  // A third one takes everything from what both wrote.
  auto c = NewReplica();
  for (const std::string& key : keys) {
    group_.Move(SourceOf(key), c->address());
  }
  WaitUntilDone(*c);
  const std::vector<std::string> windows = c->List(100);
  EXPECT_EQ(windows.size(), 9u + 4u);
}

}  // namespace
}  // namespace windproof
