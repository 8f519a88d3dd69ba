// A record log that does what a test asks for: is away, takes only so much.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_TESTING_FAULTY_LOG_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_TESTING_FAULTY_LOG_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe. `log` must outlive it. Its readers are those of `log`: what is
// there is read, also while it is away.
class FaultyLog final : public RecordLog {
 public:
  explicit FaultyLog(RecordLog& log) : log_(log) {}

  // Away: no question has an answer, and nothing is appended.
  void SetAway(bool away) { away_ = away; }
  // More than that in one Append() is refused, as Kafka does.
  void LimitAppend(size_t bytes) { append_bytes_max_ = bytes; }
  // So many calls of Append() go well from now on.
  void FailAfter(int64_t appends) { appends_left_ = appends; }

  // Bounds() of that topic has no answer until LetGo().
  void Hold(const std::string& topic) ABSL_LOCKS_EXCLUDED(mutex_);
  void LetGo() ABSL_LOCKS_EXCLUDED(mutex_);

  int64_t appends() const { return appends_; }
  int64_t questions() const { return questions_; }  // of Bounds()

  absl::StatusOr<std::vector<AppendedRecord>> Append(
      absl::Span<const NewRecord> records) override;
  absl::Status EnsureTopic(const TopicNeed& need) override;
  std::unique_ptr<LogReader> NewReader() override { return log_.NewReader(); }
  absl::StatusOr<LogBounds> Bounds(const TopicPartition& source) override;
  bool MayLoseRecords(const TopicPartition& source) override {
    return log_.MayLoseRecords(source);
  }
  absl::StatusOr<std::vector<TopicPartition>> ListPartitions() override;
  void WaitForPartitions(size_t known,
                         std::chrono::milliseconds timeout) override;
  absl::Status Health() override;

 private:
  RecordLog& log_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<std::string> held_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> away_ = false;
  std::atomic<size_t> append_bytes_max_ = std::numeric_limits<size_t>::max();
  std::atomic<int64_t> appends_left_ = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> appends_ = 0;
  std::atomic<int64_t> questions_ = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_TESTING_FAULTY_LOG_H_
