#include "services/anchor/anchor_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/server/grpc_status.h"
#include "services/anchor/anchor_codec.h"
#include "services/anchor/ledger_keys.h"
#include "services/anchor/ledger_reader.h"

namespace windproof {
namespace {

constexpr int32_t kDefaultPageSize = 100;
constexpr int32_t kMaxPageSize = 1000;

template <typename Response>
void AddHeads(const LedgerPage& page, Response* response) {
  if (page.head.has_value()) *response->mutable_head() = ToProto(*page.head);
  for (const LedgerHead& head : page.conflicts) {
    *response->add_conflicts() = ToProto(head);
  }
}

}  // namespace

AnchorServiceImpl::AnchorServiceImpl(Anchorer& anchorer, Ledger& ledger,
                                     CheckpointWatch& watch,
                                     int64_t confirmations_required)
    : anchorer_(anchorer),
      ledger_(ledger),
      watch_(watch),
      confirmations_required_(confirmations_required) {}

grpc::Status AnchorServiceImpl::SubmitCheckpoints(
    grpc::ServerContext*, const v1::SubmitCheckpointsRequest* request,
    v1::SubmitCheckpointsResponse* response) {
  if (!refused_.empty()) {
    return ToGrpcStatus(absl::PermissionDeniedError(refused_));
  }
  const auto submissions = SubmissionsFrom(*request);
  if (!submissions.ok()) return ToGrpcStatus(submissions.status());

  const auto receipts = anchorer_.Submit(*submissions);
  if (!receipts.ok()) return ToGrpcStatus(receipts.status());

  for (const AnchorReceipt& receipt : *receipts) {
    *response->add_receipts() = ToProto(receipt);
  }
  return grpc::Status::OK;
}

grpc::Status AnchorServiceImpl::GetCheckpoint(
    grpc::ServerContext*, const v1::GetCheckpointRequest* request,
    v1::GetCheckpointResponse* response) {
  const v1::WindowId& window = request->window();
  const auto start_ms = WindowStartFrom(window);
  if (!start_ms.ok()) return ToGrpcStatus(start_ms.status());

  const auto page = ReadWindow(ledger_, window.pipeline(), window.key(),
                               *start_ms, request->confirmations());
  if (!page.ok()) return ToGrpcStatus(page.status());
  if (page->items.empty()) {
    return ToGrpcStatus(absl::NotFoundError(absl::StrCat(
        "the ledger has no checkpoint of ",
        LedgerWindowKey(window.pipeline(), window.key(), *start_ms))));
  }

  for (const LedgerItem& item : page->items) {
    *response->add_items() = ToProto(item, confirmations_required_);
  }
  AddHeads(*page, response);
  return grpc::Status::OK;
}

grpc::Status AnchorServiceImpl::ListCheckpoints(
    grpc::ServerContext*, const v1::ListCheckpointsRequest* request,
    v1::ListCheckpointsResponse* response) {
  if (request->page_size() < 0 || request->page_size() > kMaxPageSize) {
    return ToGrpcStatus(absl::InvalidArgumentError(
        absl::StrCat("page_size is ", request->page_size(), "; 0 to ",
                     kMaxPageSize, " is accepted")));
  }
  const LedgerFilter filter{request->pipeline(), request->key()};
  const auto position = PositionFromPageToken(filter, request->page_token());
  if (!position.ok()) return ToGrpcStatus(position.status());

  LedgerQuery query;
  query.first = *position;
  query.max_items =
      request->page_size() == 0 ? kDefaultPageSize : request->page_size();
  query.with_inclusion = true;
  query.min_confirmations = request->confirmations();
  const auto page = ReadMatching(ledger_, filter, query);
  if (!page.ok()) return ToGrpcStatus(page.status());

  for (const LedgerItem& item : page->items) {
    *response->add_items() = ToProto(item, confirmations_required_);
  }
  if (!page->at_end) {
    response->set_next_page_token(PageTokenFor(filter, page->next));
  }
  AddHeads(*page, response);
  return grpc::Status::OK;
}

grpc::ServerWriteReactor<v1::LedgerItem>* AnchorServiceImpl::WatchCheckpoints(
    grpc::CallbackServerContext*, const v1::WatchCheckpointsRequest* request) {
  int64_t position = request->position();
  if (position == -1) {
    const LedgerState state = ledger_.LastState();
    if (!state.problem.empty()) {
      return watch_.Refuse(ToGrpcStatus(absl::UnavailableError(state.problem)));
    }
    position = state.size;
  }
  if (position < 0) {
    return watch_.Refuse(ToGrpcStatus(absl::InvalidArgumentError(absl::StrCat(
        "position is ", position, "; -1 (from now on) or more is accepted"))));
  }
  return watch_.NewStream({request->pipeline(), request->key()}, position);
}

grpc::Status AnchorServiceImpl::GetConsistencyProof(
    grpc::ServerContext*, const v1::GetConsistencyProofRequest* request,
    v1::GetConsistencyProofResponse* response) {
  const auto proof =
      ledger_.ProveConsistency(request->first_size(), request->second_size());
  if (!proof.ok()) return ToGrpcStatus(proof.status());
  for (const Digest& node : proof->nodes) {
    response->add_nodes(node.data(), node.size());
  }
  return grpc::Status::OK;
}

grpc::Status AnchorServiceImpl::GetLedgerStatus(
    grpc::ServerContext*, const v1::GetLedgerStatusRequest*,
    v1::LedgerStatus* response) {
  *response = ToProto(ledger_.LastState());
  const Anchorer::Counters counters = anchorer_.counters();
  // Calls that run have intents on the ledger's list, too.
  response->set_pending(std::max(response->pending(), counters.pending));
  response->set_confirmations_required(confirmations_required_);
  response->set_equivocations(counters.equivocations);
  response->set_foreign_items(counters.foreign_items);
  return grpc::Status::OK;
}

}  // namespace windproof
