#include "services/window_hash/stored_view.h"

#include <optional>
#include <utility>

#include "common/canonical/timestamp.h"

namespace windproof {

absl::StatusOr<std::vector<PartitionProgress>> StoredView::Partitions(
    absl::string_view pipeline) {
  const absl::StatusOr<std::vector<PipelineSource>> sources =
      store_.StoredPartitions(pipeline);
  if (!sources.ok()) return sources.status();
  std::vector<PartitionProgress> partitions;
  for (const PipelineSource& source : *sources) {
    PartitionProgress progress;
    progress.status.source = source;
    const absl::StatusOr<std::optional<PartitionState>> state =
        store_.LoadPartition(source);
    if (!state.ok()) return state.status();
    if (state->has_value()) progress.status.state = **state;
    const absl::Status keys = store_.LoadKeys(source, [&](const KeyState& key) {
      ++progress.status.keys;
      progress.status.checkpoints += key.seq;
    });
    if (!keys.ok()) return keys;
    progress.log_end = progress.status.state.position;
    partitions.push_back(std::move(progress));
  }
  return partitions;
}

absl::StatusOr<bool> StoredView::IsOpen(absl::string_view pipeline,
                                        absl::string_view key,
                                        int64_t window_start_ms) {
  const PipelineSpec* spec = nullptr;
  for (const PipelineSpec& candidate : specs_) {
    if (candidate.name == pipeline) spec = &candidate;
  }
  if (spec == nullptr) return false;
  const absl::StatusOr<std::vector<PipelineSource>> sources =
      store_.StoredPartitions(pipeline);
  if (!sources.ok()) return sources.status();
  for (const PipelineSource& source : *sources) {
    const absl::StatusOr<std::optional<KeyState>> state =
        store_.LoadKey(source, key);
    if (!state.ok()) return state.status();
    if (!state->has_value() || !(*state)->watermark.has_value() ||
        (*state)->records_in_open == 0) {
      continue;
    }
    const Timestamp watermark = *(*state)->watermark;
    const Timestamp closes =
        TimestampFromMillis(window_start_ms + spec->window_ms + spec->grace_ms);
    if (TimestampFromMillis(window_start_ms) <= watermark &&
        watermark < closes) {
      return true;
    }
  }
  return false;
}

int64_t StoredView::OutboxSize(absl::string_view pipeline) {
  const absl::StatusOr<std::vector<OutboxRange>> ranges = store_.LoadOutbox();
  if (!ranges.ok()) return 0;
  int64_t size = 0;
  for (const OutboxRange& range : *ranges) {
    if (range.source.pipeline == pipeline) size += range.end - range.begin;
  }
  return size;
}

absl::Status StoredView::OutboxProblem(absl::string_view) {
  return store_.LoadOutbox().status();
}

}  // namespace windproof
