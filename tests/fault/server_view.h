// What a running server says of its windows and its ledger.
//
// Single-owner.
#ifndef WINDPROOF_TESTS_FAULT_SERVER_VIEW_H_
#define WINDPROOF_TESTS_FAULT_SERVER_VIEW_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/verifier.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "tests/fault/log_truth.h"

namespace windproof {

class ServerView {
 public:
  // Of all services at `address` but the anchor, which is at `anchor`.
  ServerView(const std::string& address, const std::string& anchor);

  // Waits until each of `pipelines` has read `log_ends` (end offset by topic;
  // no topic beyond those) and everything that it wrote has its receipt.
  // DeadlineExceeded says how far each was; FailedPrecondition: a partition
  // stopped.
  absl::Status WaitSettled(const std::vector<std::string>& pipelines,
                           const std::map<std::string, int64_t>& log_ends);

  // All closed windows, in the order of the answer: key, start, revision. One
  // that is not ANCHORED is an Internal error.
  absl::StatusOr<std::vector<CheckpointRow>> Windows(
      const std::string& pipeline);

  // All items of a pipeline on the ledger, each key's in ledger order.
  absl::StatusOr<CheckpointsByKey> Ledger(const std::string& pipeline);

  // Verifies every window. Internal, with the first verdict that is not
  // VERIFIED.
  absl::StatusOr<v1::VerifyTotals> VerifyAll(const std::string& pipeline);

 private:
  absl::StatusOr<std::string> Unsettled(
      const std::vector<std::string>& pipelines,
      const std::map<std::string, int64_t>& log_ends);

  const std::unique_ptr<v1::WindowHashService::Stub> window_hash_;
  const std::unique_ptr<v1::AnchorService::Stub> anchor_;
  const std::unique_ptr<v1::VerifierService::Stub> verifier_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_FAULT_SERVER_VIEW_H_
