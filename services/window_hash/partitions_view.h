// How far the partitions are, for those who answer questions about it.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_PARTITIONS_VIEW_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_PARTITIONS_VIEW_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/window_hash/partition_worker.h"

namespace windproof {

// A partition and where its log ends now.
struct PartitionProgress {
  PartitionStatus status;
  PartitionCounters counters;
  int64_t log_end = 0;
  // The store is brought to the end of the partition's changelog: the next
  // offset there, and that end. Nothing else is known then.
  bool restoring = false;
  int64_t changelog_position = 0;
  int64_t changelog_end = 0;
};

// Thread-safe.
class PartitionsView {
 public:
  virtual ~PartitionsView() = default;

  // In order of topic and partition. DataLoss where stored state is damaged.
  virtual absl::StatusOr<std::vector<PartitionProgress>> Partitions(
      absl::string_view pipeline) = 0;

  // Whether the window has records and is not yet written.
  virtual absl::StatusOr<bool> IsOpen(absl::string_view pipeline,
                                      absl::string_view key,
                                      int64_t window_start_ms) = 0;

  // Whether what is stored of the partition is ours to answer for, and whole.
  virtual bool Has(const PipelineSource& source) = 0;

  // Checkpoints that wait for their receipt, and why they do not leave (OK
  // while they do).
  virtual int64_t OutboxSize(absl::string_view pipeline) = 0;
  virtual absl::Status OutboxProblem(absl::string_view pipeline) = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_PARTITIONS_VIEW_H_
