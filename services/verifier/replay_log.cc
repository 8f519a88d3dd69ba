#include "services/verifier/replay_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr size_t kBatch = 4096;
// A single wait; the log has all of the range already, so it is short.
constexpr std::chrono::milliseconds kPoll(1000);
// So long without a record of a range that the log says it has, and it is away.
constexpr std::chrono::seconds kPatience(30);

}  // namespace

ReplayLog::ReplayLog(RecordLog& log, TopicPartition source,
                     std::function<bool()> cancelled)
    : log_(log), source_(std::move(source)), cancelled_(std::move(cancelled)) {}

absl::StatusOr<LogBounds> ReplayLog::Bounds(int64_t need_end) {
  if (!bounds_.has_value() || bounds_->end < need_end) {
    const absl::StatusOr<LogBounds> bounds = log_.Bounds(source_);
    if (!bounds.ok()) {
      return absl::Status(
          bounds.status().code(),
          absl::StrCat("the record log: ", bounds.status().message()));
    }
    bounds_ = *bounds;
  }
  return *bounds_;
}

absl::Status ReplayLog::CheckBounds(int64_t begin, int64_t end) {
  const absl::StatusOr<LogBounds> bounds = Bounds(end);
  if (!bounds.ok()) return bounds.status();
  if (begin < bounds->begin) {
    return absl::OutOfRangeError(
        absl::StrCat("expired: ", source_.topic, "/", source_.partition,
                     " begins at offset ", bounds->begin, " now; needed are ",
                     begin, " to ", end));
  }
  if (bounds->end < end) {
    return absl::FailedPreconditionError(
        absl::StrCat(source_.topic, "/", source_.partition, " ends at offset ",
                     bounds->end, "; there were records up to ", end));
  }
  return absl::OkStatus();
}

absl::Status ReplayLog::NextBatch() {
  if (reader_ == nullptr) reader_ = log_.NewReader();
  if (reader_at_ != wanted_) {
    reader_->Assign(source_, wanted_);
    reader_at_ = wanted_;
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    if (cancelled_()) return absl::CancelledError("the request has ended");
    absl::StatusOr<std::optional<RecordBatch>> polled =
        reader_->Poll(kBatch, kPoll);
    if (!polled.ok()) {
      reader_at_ = -1;
      return polled.status();
    }
    if (polled->has_value()) {
      RecordBatch& batch = **polled;
      if (!batch.status.ok()) {
        reader_at_ = -1;
        // Expired while it was read: the bounds say so when asked again.
        bounds_.reset();
        return batch.status;
      }
      batch_begin_ = reader_at_;
      reader_at_ = batch.next_offset;
      batch_ = std::move(batch);
      next_ = 0;
      return absl::OkStatus();
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat("the record log gave nothing of ", source_.topic, "/",
                       source_.partition, " from offset ", wanted_, " on for ",
                       kPatience.count(), " s"));
    }
  }
}

absl::Status ReplayLog::ReadTo(
    int64_t end,
    const std::function<absl::Status(const LogRecord& record)>& take) {
  if (wanted_ >= end) return absl::OkStatus();
  if (absl::Status held = CheckBounds(wanted_, end); !held.ok()) return held;
  while (wanted_ < end) {
    const bool in_batch = batch_.has_value() && wanted_ >= batch_begin_ &&
                          wanted_ < batch_->next_offset;
    if (!in_batch) {
      batch_.reset();
      absl::Status read = NextBatch();
      if (absl::IsOutOfRange(read)) {
        const absl::Status held = CheckBounds(wanted_, end);
        if (!held.ok()) return held;
        return absl::UnavailableError(read.message());
      }
      if (!read.ok()) return read;
      // A batch of nothing but holes is behind us already.
    }
    const std::vector<LogRecord>& records = batch_->records;
    if (next_ > 0 && records[next_ - 1].offset >= wanted_) next_ = 0;
    for (; next_ < records.size(); ++next_) {
      const LogRecord& record = records[next_];
      if (record.offset < wanted_) continue;
      if (record.offset >= end) break;
      wanted_ = record.offset + 1;
      if (absl::Status taken = take(record); !taken.ok()) {
        ++next_;
        return taken;
      }
    }
    wanted_ = std::max(wanted_, std::min(end, batch_->next_offset));
  }
  return absl::OkStatus();
}

}  // namespace windproof
