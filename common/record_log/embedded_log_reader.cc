#include "common/record_log/embedded_log_reader.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/record_log/embedded_store.h"
#include "common/sync/mutex.h"

namespace windproof {

void EmbeddedLogReader::Assign(const TopicPartition& source, int64_t offset) {
  MutexLock lock(core_.mutex_);
  assigned_[source] = {offset, ++generation_};
  core_.changed_.NotifyAll();
}

void EmbeddedLogReader::Unassign(const TopicPartition& source) {
  MutexLock lock(core_.mutex_);
  assigned_.erase(source);
}

absl::StatusOr<std::optional<RecordBatch>> EmbeddedLogReader::Poll(
    size_t max_records, std::chrono::milliseconds timeout) {
  const auto deadline = DeadlineAfter(timeout);
  max_records = std::max<size_t>(max_records, 1);
  while (true) {
    const std::optional<Turn> turn = WaitForTurn(deadline);
    if (!turn.has_value()) return std::nullopt;
    RecordBatch batch = Take(*turn, max_records);
    if (Finish(*turn, batch)) return batch;
  }
}

void EmbeddedLogReader::Wake() {
  MutexLock lock(core_.mutex_);
  woken_ = true;
  core_.changed_.NotifyAll();
}

std::optional<EmbeddedLogReader::Turn> EmbeddedLogReader::WaitForTurn(
    std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(core_.mutex_);
  bool in_time = true;
  while (true) {
    if (woken_) {
      woken_ = false;
      return std::nullopt;
    }
    std::optional<Turn> turn = NextTurn();
    if (turn.has_value() || !in_time) return turn;
    in_time = core_.changed_.WaitUntil(core_.mutex_, deadline);
  }
}

std::optional<EmbeddedLogReader::Turn> EmbeddedLogReader::NextTurn() {
  auto it = assigned_.upper_bound(last_);
  for (size_t i = 0; i < assigned_.size(); ++i, ++it) {
    if (it == assigned_.end()) it = assigned_.begin();
    LogBounds bounds;
    const auto partition = core_.partitions_.find(it->first);
    if (partition != core_.partitions_.end()) bounds = partition->second;
    if (it->second.position == bounds.end) continue;
    last_ = it->first;
    return Turn{it->first, it->second, bounds};
  }
  return std::nullopt;
}

RecordBatch EmbeddedLogReader::Take(const Turn& turn, size_t max_records) {
  const int64_t position = turn.assignment.position;
  if (position >= turn.bounds.begin && position < turn.bounds.end) {
    return core_.store_->Read(turn.source, position, turn.bounds.end,
                              max_records, core_.options_.batch_bytes_max);
  }
  RecordBatch batch;
  batch.source = turn.source;
  batch.next_offset = position;
  batch.status = absl::OutOfRangeError(absl::StrCat(
      "offset ", position, " of ", turn.source.topic, "/",
      turn.source.partition, " is not in the log; ", turn.bounds.begin, " to ",
      turn.bounds.end, " are accepted"));
  return batch;
}

bool EmbeddedLogReader::Finish(const Turn& turn, const RecordBatch& batch) {
  MutexLock lock(core_.mutex_);
  const auto it = assigned_.find(turn.source);
  if (it == assigned_.end() ||
      it->second.generation != turn.assignment.generation) {
    return false;
  }
  if (batch.status.ok()) {
    it->second.position = batch.next_offset;
  } else {
    assigned_.erase(it);
  }
  return true;
}

}  // namespace windproof
