#include "common/pipeline/testing/engine_run.h"

#include <utility>
#include <vector>

#include "common/crypto/sha256.h"

namespace windproof {

LogRecord OwnedRecord::View() const {
  LogRecord record;
  record.offset = offset;
  record.log_time_ms = log_time_ms;
  if (key.has_value()) record.key = absl::string_view(*key);
  if (value.has_value()) record.value = absl::string_view(*value);
  for (const auto& [name, header_value] : headers) {
    LogRecord::Header& header = record.headers.emplace_back();
    header.name = name;
    if (header_value.has_value()) header.value = *header_value;
  }
  return record;
}

EngineRun::EngineRun(const PipelineSpec& spec, absl::string_view topic,
                     int32_t partition, int64_t origin)
    : spec_(spec),
      topic_(topic),
      partition_number_(partition),
      engine_(std::make_unique<WindowEngine>(spec, topic, partition, *this)) {
  engine_->Begin(origin);
  partition_ = engine_->partition_state();
}

absl::Status EngineRun::Feed(absl::Span<const OwnedRecord> records) {
  for (const OwnedRecord& record : records) {
    if (absl::Status status = engine_->Feed(record.View(), &output_);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

void EngineRun::Commit() {
  for (WrittenWindow& window : output_.windows) {
    written_.push_back(std::move(window));
  }
  for (const DroppedRecord& dropped : output_.dropped) {
    const std::pair<std::string, int64_t> id(dropped.key, dropped.offset);
    if (dropped.change == DroppedRecord::Change::kAcceptedAfterAll) {
      dropped_.erase(id);
      continue;
    }
    dropped_[id] = dropped.reason;
    dropped_hash_[id] = dropped.record_hash;
  }
  output_.Clear();
  if (spill_lag_.has_value()) {
    for (Spill& spill : engine_->TakeSpills(*spill_lag_)) {
      spills_[{spill.key, spill.window_start_ms}] = std::move(spill);
    }
  }
  for (const auto& ended : engine_->TakeEndedSpills()) spills_.erase(ended);
  for (KeyState& key : engine_->TakeTouchedKeys()) {
    keys_[key.key] = std::move(key);
  }
  partition_ = engine_->partition_state();
}

absl::Status EngineRun::Restart(absl::Span<const OwnedRecord> log) {
  output_.Clear();
  engine_ =
      std::make_unique<WindowEngine>(spec_, topic_, partition_number_, *this);
  engine_->RestorePartition(partition_);
  for (const auto& [name, key] : keys_) {
    std::vector<PendingDrop> drops;
    for (const auto& [id, reason] : dropped_) {
      if (id.first == name && id.second >= key.begin) {
        drops.push_back({id.second, reason, dropped_hash_.at(id)});
      }
    }
    if (absl::Status status = engine_->RestoreKey(key, std::move(drops));
        !status.ok()) {
      return status;
    }
  }
  for (const auto& [id, spill] : spills_) {
    if (absl::Status status = engine_->RestoreSpill(spill); !status.ok()) {
      return status;
    }
  }
  const int64_t from = engine_->next_offset();
  for (const OwnedRecord& record : log) {
    if (record.offset < from || record.offset >= partition_.position) continue;
    if (absl::Status status = engine_->Feed(record.View(), &output_);
        !status.ok()) {
      return status;
    }
  }
  return engine_->AdvanceTo(partition_.position);
}

absl::StatusOr<std::optional<NewestRevision>> EngineRun::Newest(
    absl::string_view key, int64_t window_start_ms) {
  // Newest first, what is not committed yet before what is.
  for (const std::vector<WrittenWindow>* windows :
       {&output_.windows, &written_}) {
    for (auto window = windows->rbegin(); window != windows->rend(); ++window) {
      const Checkpoint& checkpoint = window->checkpoint;
      if (checkpoint.key == key &&
          checkpoint.window_start_ms == window_start_ms) {
        return NewestRevision{checkpoint.revision, window->checkpoint_hash,
                              window->records};
      }
    }
  }
  return std::nullopt;
}

}  // namespace windproof
