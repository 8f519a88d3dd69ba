// Where checkpoints go from the outbox: the anchor, seen from window-hash.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_CHECKPOINT_SINK_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_CHECKPOINT_SINK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "proto/windproof/v1/checkpoint.pb.h"

namespace windproof {

// Thread-safe; Submit() by one thread at a time.
class CheckpointSink {
 public:
  virtual ~CheckpointSink() = default;

  // Hands checkpoints over, of one key in order of seq; idempotent. One receipt
  // for each, in the same order. Errors as of AnchorService.SubmitCheckpoints.
  virtual absl::StatusOr<std::vector<v1::Receipt>> Submit(
      absl::Span<const v1::SignedCheckpoint* const> checkpoints) = 0;

  // Ends the Submit() that waits, and each that comes after, with Cancelled.
  virtual void Cancel() = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_CHECKPOINT_SINK_H_
