#include "tests/fault/server_view.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/pipeline/checkpoint.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"

namespace windproof {
namespace {

// Only a server that hangs reaches these.
constexpr std::chrono::minutes kHung{4};
constexpr std::chrono::milliseconds kPollInterval{20};
constexpr int kPageSize = 1'000;

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kHung);
}

absl::StatusOr<CheckpointRow> RowOf(const std::string& bytes) {
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(bytes);
  if (!checkpoint.ok()) return checkpoint.status();
  return CheckpointRow{checkpoint->key, checkpoint->window_start_ms,
                       checkpoint->revision, bytes};
}

}  // namespace

ServerView::ServerView(const std::string& address, const std::string& anchor)
    : window_hash_(v1::WindowHashService::NewStub(
          grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))),
      anchor_(v1::AnchorService::NewStub(
          grpc::CreateChannel(anchor, grpc::InsecureChannelCredentials()))),
      verifier_(v1::VerifierService::NewStub(
          grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {}

absl::Status ServerView::WaitSettled(
    const std::vector<std::string>& pipelines,
    const std::map<std::string, int64_t>& log_ends) {
  const auto deadline = std::chrono::steady_clock::now() + kHung;
  while (true) {
    const absl::StatusOr<std::string> unsettled =
        Unsettled(pipelines, log_ends);
    if (!unsettled.ok()) return unsettled.status();
    if (unsettled->empty()) return absl::OkStatus();
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(*unsettled);
    }
    // Leaves the processors to the server; nothing depends on how long.
    std::this_thread::sleep_for(kPollInterval);
  }
}

absl::StatusOr<std::string> ServerView::Unsettled(
    const std::vector<std::string>& pipelines,
    const std::map<std::string, int64_t>& log_ends) {
  for (const std::string& name : pipelines) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::GetProgressRequest request;
    request.set_pipeline(name);
    v1::GetProgressResponse response;
    const grpc::Status status =
        window_hash_->GetProgress(&context, request, &response);
    if (!status.ok()) return FromGrpcStatus(status);
    if (response.pipelines_size() != 1) {
      return absl::InternalError(absl::StrCat("no one pipeline ", name));
    }
    const v1::PipelineProgress& pipeline = response.pipelines(0);
    std::map<std::string, int64_t> positions;
    for (const v1::PartitionProgress& partition : pipeline.partitions()) {
      if (!partition.error().empty()) {
        return absl::FailedPreconditionError(absl::StrCat(
            name, " ", partition.topic(), ": ", partition.error()));
      }
      if (partition.position() == partition.log_end()) {
        positions[partition.topic()] = partition.position();
      }
    }
    if (positions != log_ends || pipeline.outbox() != 0) {
      return absl::StrCat("not settled: ", pipeline.DebugString());
    }
  }
  return "";
}

absl::StatusOr<std::vector<CheckpointRow>> ServerView::Windows(
    const std::string& pipeline) {
  std::vector<CheckpointRow> rows;
  v1::ListWindowsRequest request;
  request.set_pipeline(pipeline);
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::ListWindowsResponse response;
    const grpc::Status status =
        window_hash_->ListWindows(&context, request, &response);
    if (!status.ok()) return FromGrpcStatus(status);
    for (const v1::Window& window : response.windows()) {
      const absl::StatusOr<CheckpointRow> row =
          RowOf(window.checkpoint().checkpoint());
      if (!row.ok()) return row.status();
      const absl::StatusOr<WindowName> name = FromProto(window.id());
      if (!name.ok()) return name.status();
      if (window.receipt().state() != v1::Receipt::ANCHORED ||
          *name != WindowName{pipeline, row->key, row->window_start_ms} ||
          window.revision() != row->revision) {
        return absl::InternalError(window.DebugString());
      }
      rows.push_back(*row);
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return rows;
}

absl::StatusOr<CheckpointsByKey> ServerView::Ledger(
    const std::string& pipeline) {
  CheckpointsByKey rows;
  v1::ListCheckpointsRequest request;
  request.set_pipeline(pipeline);
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::ListCheckpointsResponse response;
    const grpc::Status status =
        anchor_->ListCheckpoints(&context, request, &response);
    if (!status.ok()) return FromGrpcStatus(status);
    for (const v1::LedgerItem& item : response.items()) {
      absl::StatusOr<CheckpointRow> row = RowOf(item.checkpoint());
      if (!row.ok()) return row.status();
      rows[row->key].push_back(*std::move(row));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return rows;
}

absl::StatusOr<v1::VerifyTotals> ServerView::VerifyAll(
    const std::string& pipeline) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::VerifyRangeRequest request;
  request.set_pipeline(pipeline);
  const auto stream = verifier_->VerifyRange(&context, request);
  v1::VerifyRangeResponse response;
  v1::VerifyTotals totals;
  std::string bad;
  while (stream->Read(&response)) {
    if (response.has_totals()) totals = response.totals();
    if (bad.empty() && response.has_window() &&
        response.window().verdict() != v1::VerifyWindowResponse::VERIFIED) {
      bad = response.window().DebugString();
    }
  }
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return FromGrpcStatus(status);
  if (!bad.empty()) return absl::InternalError(bad);
  return totals;
}

}  // namespace windproof
