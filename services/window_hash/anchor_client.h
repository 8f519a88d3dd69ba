// The anchor over gRPC.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_ANCHOR_CLIENT_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_ANCHOR_CLIENT_H_

#include <chrono>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/sync/mutex.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/window_hash/checkpoint_sink.h"

namespace windproof {

// Thread-safe; Submit() by one thread at a time.
class AnchorClient final : public CheckpointSink {
 public:
  AnchorClient(const std::shared_ptr<grpc::ChannelInterface>& channel,
               std::chrono::milliseconds call_timeout);

  absl::StatusOr<std::vector<v1::Receipt>> Submit(
      absl::Span<const v1::SignedCheckpoint* const> checkpoints) override;
  void Cancel() override;

 private:
  const std::unique_ptr<v1::AnchorService::StubInterface> stub_;
  const std::chrono::milliseconds call_timeout_;

  Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_ANCHOR_CLIENT_H_
