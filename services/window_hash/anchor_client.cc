#include "services/window_hash/anchor_client.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "common/server/grpc_status.h"

namespace windproof {

AnchorClient::AnchorClient(
    const std::shared_ptr<grpc::ChannelInterface>& channel,
    std::chrono::milliseconds call_timeout)
    : stub_(v1::AnchorService::NewStub(channel)), call_timeout_(call_timeout) {}

absl::StatusOr<std::vector<v1::Receipt>> AnchorClient::Submit(
    absl::Span<const v1::SignedCheckpoint* const> checkpoints) {
  v1::SubmitCheckpointsRequest request;
  request.mutable_checkpoints()->Reserve(static_cast<int>(checkpoints.size()));
  for (const v1::SignedCheckpoint* checkpoint : checkpoints) {
    *request.add_checkpoints() = *checkpoint;
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + call_timeout_);
  {
    MutexLock lock(mutex_);
    if (cancelled_) return absl::CancelledError("window-hash ends");
    call_ = &context;
  }
  v1::SubmitCheckpointsResponse response;
  const grpc::Status status =
      stub_->SubmitCheckpoints(&context, request, &response);
  {
    MutexLock lock(mutex_);
    call_ = nullptr;
  }
  if (!status.ok()) return FromGrpcStatus(status);
  std::vector<v1::Receipt> receipts;
  receipts.reserve(response.receipts_size());
  for (v1::Receipt& receipt : *response.mutable_receipts()) {
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

void AnchorClient::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  if (call_ != nullptr) call_->TryCancel();
}

}  // namespace windproof
