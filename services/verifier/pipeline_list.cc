#include "services/verifier/pipeline_list.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/checkpoint.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"

namespace windproof {
namespace {

constexpr int32_t kPageSize = 1000;

// What an item is about, it says itself; one that cannot be read is about what
// its keys name.
void TakeNames(const v1::LedgerItem& item, std::set<std::string>* names) {
  const absl::StatusOr<Checkpoint> checkpoint =
      ParseCheckpoint(item.checkpoint());
  if (checkpoint.ok()) {
    names->insert(checkpoint->pipeline);
    return;
  }
  for (const std::string& key : item.keys()) {
    const absl::StatusOr<WindowName> window = ParseWindowText(key);
    if (window.ok()) names->insert(window->pipeline);
  }
}

absl::Status TakeLedger(const Peers& peers, std::set<std::string>* names) {
  v1::ListCheckpointsRequest request;
  request.set_page_size(kPageSize);
  do {
    v1::ListCheckpointsResponse page;
    const std::unique_ptr<grpc::ClientContext> context = peers.new_context();
    const grpc::Status status =
        peers.anchor.ListCheckpoints(context.get(), request, &page);
    if (!status.ok()) return FromGrpcStatus(status);
    for (const v1::LedgerItem& item : page.items()) TakeNames(item, names);
    if (!page.next_page_token().empty() &&
        page.next_page_token() == request.page_token()) {
      return absl::DataLossError("its list of checkpoints has no end");
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::Status TakeWindowHash(const Peers& peers, std::set<std::string>* names) {
  v1::GetProgressResponse response;
  const std::unique_ptr<grpc::ClientContext> context = peers.new_context();
  const grpc::Status status = peers.window_hash.GetProgress(
      context.get(), v1::GetProgressRequest(), &response);
  for (const v1::PipelineProgress& pipeline : response.pipelines()) {
    names->insert(pipeline.name());
  }
  return FromGrpcStatus(status);
}

}  // namespace

absl::StatusOr<std::set<std::string>> ListPipelines(const Peers& peers) {
  std::set<std::string> names;
  const absl::Status ledger = TakeLedger(peers, &names);
  const absl::Status window_hash = TakeWindowHash(peers, &names);
  if (!ledger.ok() && !window_hash.ok()) {
    return absl::UnavailableError(absl::StrCat(
        "neither ledger nor window-hash can be read: anchor: ",
        ledger.message(), "; window-hash: ", window_hash.message()));
  }
  return names;
}

}  // namespace windproof
