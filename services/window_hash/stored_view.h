// How far the partitions of a stopped store were.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_STORED_VIEW_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_STORED_VIEW_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "services/window_hash/partitions_view.h"
#include "services/window_hash/payload_store.h"

namespace windproof {

// Thread-safe.
class StoredView final : public PartitionsView {
 public:
  // Both must outlive the view.
  StoredView(const std::vector<PipelineSpec>& specs, PayloadStore& store)
      : specs_(specs), store_(store) {}

  // The end of the log is not known: it is given as the position.
  absl::StatusOr<std::vector<PartitionProgress>> Partitions(
      absl::string_view pipeline) override;

  // As far as the stored state tells: the key has records in open windows, and
  // its watermark has reached this window but does not close it.
  absl::StatusOr<bool> IsOpen(absl::string_view pipeline, absl::string_view key,
                              int64_t window_start_ms) override;

  bool Has(const PipelineSource&) override { return true; }
  int64_t OutboxSize(absl::string_view pipeline) override;
  absl::Status OutboxProblem(absl::string_view pipeline) override;

 private:
  const std::vector<PipelineSpec>& specs_;
  PayloadStore& store_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_STORED_VIEW_H_
