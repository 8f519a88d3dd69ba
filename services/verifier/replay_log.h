// Reads a range of one partition for a replay, and says which records the log
// no longer has.
//
// Embedded log or Kafka: the same. Belongs to one thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_LOG_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_LOG_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "common/pipeline/log_record.h"
#include "common/record_log/record_log.h"

namespace windproof {

class ReplayLog {
 public:
  // What a read came to, beside a failed callback's own status:
  //
  // OutOfRange           expired: the log begins above an offset that is needed
  // FailedPrecondition   truncated: the log ends below one
  // DataLoss             the log's own bytes are damaged
  // Unavailable, NotFound, …  the log is away, or has no such partition
  // Cancelled            `cancelled` said so
  //
  // The message names topic, partition and offsets. `log` must outlive this.
  ReplayLog(RecordLog& log, TopicPartition source,
            std::function<bool()> cancelled);

  // Goes to `offset`, to read from there on. Cheap where that is ahead in what
  // has been read already.
  void Seek(int64_t offset) { wanted_ = offset; }

  // The next offset that will be given.
  int64_t position() const { return wanted_; }

  // Gives each record from position() on below `end`, in order; then position()
  // is `end`.
  absl::Status ReadTo(
      int64_t end,
      const std::function<absl::Status(const LogRecord& record)>& take);

  // What the log holds; asked once, and again where `need_end` lies beyond
  // what was known.
  absl::StatusOr<LogBounds> Bounds(int64_t need_end);

  const TopicPartition& source() const { return source_; }
  // Whether records between the bounds may go away by themselves.
  bool may_have_holes() const { return log_.MayLoseRecords(source_); }

  // Where the record at which damage was found lies; after DataLoss.
  int64_t damaged_offset() const { return wanted_; }

 private:
  absl::Status CheckBounds(int64_t begin, int64_t end);
  absl::Status NextBatch();

  RecordLog& log_;
  const TopicPartition source_;
  const std::function<bool()> cancelled_;
  std::optional<LogBounds> bounds_;
  int64_t wanted_ = 0;

  std::unique_ptr<LogReader> reader_;
  int64_t reader_at_ = -1;  // where the reader gives the next batch from
  std::optional<RecordBatch> batch_;
  int64_t batch_begin_ = 0;  // holds records of [batch_begin_, next_offset)
  size_t next_ = 0;          // of batch_->records
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_LOG_H_
