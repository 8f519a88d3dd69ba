// A reader of the embedded log.
#ifndef WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_READER_H_
#define WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_READER_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/status/statusor.h"
#include "common/record_log/embedded_log_core.h"
#include "common/record_log/record_log.h"

namespace windproof {

// As LogReader says.
class EmbeddedLogReader final : public LogReader {
 public:
  // `core` must outlive the reader.
  explicit EmbeddedLogReader(EmbeddedLogCore& core) : core_(core) {}

  void Assign(const TopicPartition& source, int64_t offset) override;
  void Unassign(const TopicPartition& source) override;
  absl::StatusOr<std::optional<RecordBatch>> Poll(
      size_t max_records, std::chrono::milliseconds timeout) override;
  void Wake() override;

 private:
  struct Assignment {
    int64_t position = 0;
    uint64_t generation = 0;  // tells an assignment from the one before it
  };

  // A partition whose turn it is, as it was when it was chosen.
  struct Turn {
    TopicPartition source;
    Assignment assignment;
    LogBounds bounds;
  };

  // Waits for a turn; nothing when woken or when `deadline` has passed.
  std::optional<Turn> WaitForTurn(
      std::chrono::steady_clock::time_point deadline);

  // The next partition, after the one of the last turn, that has something to
  // give: records, or an error.
  std::optional<Turn> NextTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex_);

  // Reads without the lock.
  RecordBatch Take(const Turn& turn, size_t max_records);

  // Moves the partition on. False where it was assigned elsewhere or taken away
  // in the meantime, so that the batch is no longer wanted.
  bool Finish(const Turn& turn, const RecordBatch& batch);

  EmbeddedLogCore& core_;
  std::map<TopicPartition, Assignment> assigned_ ABSL_GUARDED_BY(core_.mutex_);
  TopicPartition last_ ABSL_GUARDED_BY(core_.mutex_);
  uint64_t generation_ ABSL_GUARDED_BY(core_.mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(core_.mutex_) = false;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_READER_H_
