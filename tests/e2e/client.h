// Calls that tests make of a running server, with a deadline that only a hung
// server reaches.
//
// Not thread-safe.
#ifndef WINDPROOF_TESTS_E2E_CLIENT_H_
#define WINDPROOF_TESTS_E2E_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"
#include "proto/windproof/v1/verifier.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

// A reading of station 00433 on 2026-01-25 at `time` ("12:10") as a record of
// topic weather.00433.
v1::Record Reading(absl::string_view time, double temperature);

class Client {
 public:
  explicit Client(const std::string& address);

  grpc::Status Publish(const std::vector<v1::Record>& records);

  // Waits until the ledger has `count` items of the pipeline and returns them
  // in ledger order.
  std::vector<v1::LedgerItem> WaitAnchored(
      int count, const std::string& pipeline = "weather");

  // Of weather/00433 at 2026-01-25T`hour`:00:00Z. The message is the status's
  // when the call failed.
  v1::VerifyWindowResponse Verify(int hour, grpc::Status* status = nullptr);

  std::vector<v1::Window> Windows();

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::IngestService::Stub> ingest_;
  std::unique_ptr<v1::WindowHashService::Stub> window_hash_;
  std::unique_ptr<v1::AnchorService::Stub> anchor_;
  std::unique_ptr<v1::VerifierService::Stub> verifier_;
};

// The example of docs/formats/ in short: 12:00 gets three records and is closed
// by that of 13:20.
std::vector<v1::Record> OneClosedWindow();

}  // namespace windproof

#endif  // WINDPROOF_TESTS_E2E_CLIENT_H_
