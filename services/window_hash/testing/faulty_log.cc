#include "services/window_hash/testing/faulty_log.h"

#include <thread>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

absl::Status Away() { return absl::UnavailableError("the log is away"); }

}  // namespace

void FaultyLog::Hold(const std::string& topic) {
  const MutexLock lock(mutex_);
  held_ = topic;
}

void FaultyLog::LetGo() {
  const MutexLock lock(mutex_);
  held_.reset();
  changed_.NotifyAll();
}

absl::StatusOr<std::vector<AppendedRecord>> FaultyLog::Append(
    absl::Span<const NewRecord> records) {
  if (away_) return Away();
  size_t bytes = 0;
  for (const NewRecord& record : records) {
    bytes += record.value.has_value() ? record.value->size() : 0;
  }
  if (bytes > append_bytes_max_) {
    return absl::InvalidArgumentError(
        absl::StrCat("a batch of ", bytes, " bytes; ", append_bytes_max_.load(),
                     " are accepted"));
  }
  if (appends_left_-- <= 0) return absl::InternalError("this append fails");
  ++appends_;
  return log_.Append(records);
}

absl::Status FaultyLog::EnsureTopic(const TopicNeed& need) {
  if (away_) return Away();
  return log_.EnsureTopic(need);
}

absl::StatusOr<LogBounds> FaultyLog::Bounds(const TopicPartition& source) {
  ++questions_;
  {
    const MutexLock lock(mutex_);
    while (held_ == source.topic) changed_.Wait(mutex_);
  }
  if (away_) return Away();
  return log_.Bounds(source);
}

absl::StatusOr<std::vector<TopicPartition>> FaultyLog::ListPartitions() {
  if (away_) return Away();
  return log_.ListPartitions();
}

void FaultyLog::WaitForPartitions(size_t known,
                                  std::chrono::milliseconds timeout) {
  if (away_) {
    std::this_thread::sleep_for(timeout);
  } else {
    log_.WaitForPartitions(known, timeout);
  }
}

absl::Status FaultyLog::Health() { return away_ ? Away() : log_.Health(); }

}  // namespace windproof
