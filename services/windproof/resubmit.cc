#include "services/windproof/resubmit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/checkpoint.h"

namespace windproof {
namespace {

constexpr int kPage = 1000;
// Of one call, below what gRPC takes.
constexpr size_t kMaxBytes = 2 << 20;

// The checkpoints of one key.
class KeySubmitter {
 public:
  KeySubmitter(v1::AnchorService::StubInterface& anchor, Resubmitted* result)
      : anchor_(anchor), result_(result) {}

  void Add(int64_t seq, const v1::SignedCheckpoint& checkpoint) {
    checkpoints_.emplace_back(seq, checkpoint);
  }

  // Submits what was added, and begins anew.
  grpc::Status Submit() {
    if (checkpoints_.empty()) return grpc::Status::OK;
    // An amendment comes later than windows that lie behind its own.
    std::sort(checkpoints_.begin(), checkpoints_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    ++result_->keys;
    for (size_t i = 0; i < checkpoints_.size();) {
      v1::SubmitCheckpointsRequest request;
      for (size_t bytes = 0; i < checkpoints_.size() && bytes < kMaxBytes &&
                             request.checkpoints_size() < kPage;
           ++i) {
        bytes += checkpoints_[i].second.checkpoint().size();
        *request.add_checkpoints() = std::move(checkpoints_[i].second);
      }
      grpc::ClientContext context;
      v1::SubmitCheckpointsResponse response;
      const grpc::Status status =
          anchor_.SubmitCheckpoints(&context, request, &response);
      if (!status.ok()) return status;
      for (const v1::Receipt& receipt : response.receipts()) {
        ++result_->checkpoints;
        if (receipt.state() == v1::Receipt::ANCHORED) ++result_->anchored;
      }
    }
    checkpoints_.clear();
    return grpc::Status::OK;
  }

 private:
  v1::AnchorService::StubInterface& anchor_;
  Resubmitted* const result_;
  std::vector<std::pair<int64_t, v1::SignedCheckpoint>> checkpoints_;
};

}  // namespace

grpc::Status ResubmitPipeline(const std::string& pipeline,
                              v1::WindowHashService::StubInterface& window_hash,
                              v1::AnchorService::StubInterface& anchor,
                              Resubmitted* result, std::string* culprit) {
  KeySubmitter submitter(anchor, result);
  std::string key;
  v1::ListWindowsRequest request;
  request.set_pipeline(pipeline);
  request.set_page_size(kPage);
  do {
    grpc::ClientContext context;
    v1::ListWindowsResponse page;
    grpc::Status status = window_hash.ListWindows(&context, request, &page);
    if (!status.ok()) {
      *culprit = "window-hash";
      return status;
    }
    for (const v1::Window& window : page.windows()) {
      const absl::StatusOr<Checkpoint> checkpoint =
          ParseCheckpoint(window.checkpoint().checkpoint());
      if (!checkpoint.ok()) {
        ++result->unreadable;
        continue;
      }
      if (checkpoint->key != key) {
        key = checkpoint->key;
        status = submitter.Submit();
        if (!status.ok()) break;
      }
      submitter.Add(checkpoint->seq, window.checkpoint());
    }
    if (status.ok() && page.next_page_token().empty()) {
      status = submitter.Submit();
    }
    if (!status.ok()) {
      *culprit = "anchor";
      return status;
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

}  // namespace windproof
