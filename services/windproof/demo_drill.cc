#include "services/windproof/demo_drill.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <memory>

#include "absl/status/status.h"
#include "common/server/grpc_status.h"
#include "proto/windproof/v1/verifier.grpc.pb.h"
#include "services/windproof/demo_store.h"
#include "services/windproof/stack.h"
#include "services/windproof/tamper.h"

namespace windproof {
namespace {

// How much a finding tells: of a record; of a member; that a proof fails.
int Detail(const v1::Finding& finding) {
  if (finding.has_record()) return 2;
  return finding.code() == "PROOF_INVALID" ? 0 : 1;
}

std::optional<v1::Finding> BestFinding(
    const v1::VerifyWindowResponse& response) {
  std::optional<v1::Finding> best;
  for (const v1::Check& check : response.checks()) {
    for (const v1::Finding& finding : check.findings()) {
      if (!best.has_value() || Detail(finding) > Detail(*best)) best = finding;
    }
  }
  return best;
}

absl::StatusOr<v1::VerifyWindowResponse> VerifyStopped(
    const std::string& store, const std::string& trust,
    const WindowName& window) {
  absl::StatusOr<std::unique_ptr<Stack>> stack =
      Stack::Open({.data_dir = store, .trust_path = trust, .read_only = true});
  if (!stack.ok()) return stack.status();
  if (const absl::Status status = (*stack)->Start(); !status.ok()) {
    return status;
  }
  v1::VerifyWindowRequest request;
  *request.mutable_window() = ToProto(window);
  v1::VerifyWindowResponse response;
  grpc::ClientContext context;
  const grpc::Status status = v1::VerifierService::NewStub((*stack)->Channel())
                                  ->VerifyWindow(&context, request, &response);
  (*stack)->Shutdown(std::chrono::steady_clock::now() +
                     std::chrono::seconds(10));
  if (!status.ok()) return FromGrpcStatus(status);
  return response;
}

}  // namespace

absl::StatusOr<DrillResult> Drill(const std::string& store,
                                  const std::string& copy,
                                  const std::string& trust,
                                  const WindowName& window,
                                  const std::string& what) {
  if (const absl::Status status = CopyStore(store, copy); !status.ok()) {
    return status;
  }
  const absl::StatusOr<std::string> altered = Tamper(copy, window, what);
  if (!altered.ok()) return altered.status();
  const absl::StatusOr<v1::VerifyWindowResponse> response =
      VerifyStopped(copy, trust, window);
  if (!response.ok()) return response.status();
  return DrillResult{
      .what = what,
      .altered = *altered,
      .caught = response->verdict() == v1::VerifyWindowResponse::FAILED,
      .finding = BestFinding(*response)};
}

}  // namespace windproof
