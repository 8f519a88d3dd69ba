// The record log: topics of partitions of records, each at an offset.
//
// EmbeddedLog and KafkaLog pass record_log_contract. Names are Kafka's.
#ifndef WINDPROOF_COMMON_RECORD_LOG_RECORD_LOG_H_
#define WINDPROOF_COMMON_RECORD_LOG_RECORD_LOG_H_

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/pipeline/log_record.h"

namespace windproof {

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;

  friend auto operator<=>(const TopicPartition&,
                          const TopicPartition&) = default;
};

// A record to append. The log assigns the offset.
struct NewRecord {
  std::string topic;
  // Unset: by key, see PartitionOfKey(). It must exist.
  std::optional<int32_t> partition;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  int64_t log_time_ms = 0;
};

struct AppendedRecord {
  int32_t partition = 0;
  int64_t offset = 0;  // -1 in AppendOutcome(): not known to be written
};

// What became of a batch that Append() failed to write whole: as many as its
// records, in their order. A record without an offset may have been written
// after all, if the error is Unavailable. Empty: none was written, or nothing
// is known.
std::vector<AppendedRecord> AppendOutcome(const absl::Status& status);

// `status` (not OK) with what AppendOutcome() gives then.
absl::Status WithAppendOutcome(absl::Status status,
                               absl::Span<const AppendedRecord> outcome);

// A topic that must exist.
struct TopicNeed {
  std::string topic;
  int32_t partitions = 1;  // at least
  // Made without any retention, whatever the log's settings say.
  bool keep_for_ever = false;
};

// Offsets that the log holds: [begin, end); end is the next to be assigned.
struct LogBounds {
  int64_t begin = 0;
  int64_t end = 0;
};

// Records of one partition in offset order, with the memory that they live in.
struct RecordBatch {
  TopicPartition source;
  // Not OK: this partition cannot be read on and is no longer assigned; no
  // records then. OutOfRange: the position lies outside the log's bounds.
  // DataLoss: stored bytes are damaged, or the log is not the one that was read
  // before. NotFound: there is no such partition any more. PermissionDenied.
  absl::Status status;
  std::vector<LogRecord> records;
  // Read up to here, holes at the end included: the reader's next position.
  int64_t next_offset = 0;
  // Keeps what the views point to.
  std::shared_ptr<const void> memory;
};

// Reads several partitions, as a Kafka consumer with manual assignment does.
// Thread-safe; Poll() by one thread at a time.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // Adds a partition, to be read from `offset` on, or moves it there. `offset`
  // may be the end of the log; beyond it Poll() reports OutOfRange.
  virtual void Assign(const TopicPartition& source, int64_t offset) = 0;
  virtual void Unassign(const TopicPartition& source) = 0;

  // The next records of some assigned partition, fairly in turn: at most
  // `max_records`. Nothing when `timeout` has passed without any; blocks
  // without spinning. Wakes up at once for Assign() and Wake().
  virtual absl::StatusOr<std::optional<RecordBatch>> Poll(
      size_t max_records, std::chrono::milliseconds timeout) = 0;

  // Makes a Poll() that waits return with nothing, from any thread.
  virtual void Wake() = 0;
};

// Thread-safe.
class RecordLog {
 public:
  virtual ~RecordLog() = default;

  // Appends; durable when it returns. Topics are made when missing. Records of
  // one partition get rising offsets in the order given. EmbeddedLog appends
  // all or nothing; of KafkaLog's errors AppendOutcome() tells what was written
  // all the same.
  //
  // InvalidArgument: a topic name that is none, a partition that the topic has
  // not, a record too big; nothing was written. FailedPrecondition: a topic is
  // missing and may not be made; nothing was written. Unavailable: the outcome
  // is unknown or the log is away; ResourceExhausted: it is full for now.
  virtual absl::StatusOr<std::vector<AppendedRecord>> Append(
      absl::Span<const NewRecord> records) = 0;

  // Makes the topic when it is missing, and partitions that it has too few of;
  // it is there when this returns. InvalidArgument: no topic name, no number of
  // partitions. FailedPrecondition: it may not be made. Unavailable.
  virtual absl::Status EnsureTopic(const TopicNeed& need) = 0;

  // Readers must be gone before the log is.
  virtual std::unique_ptr<LogReader> NewReader() = 0;

  // NotFound: no such partition. Unavailable: the log is away.
  virtual absl::StatusOr<LogBounds> Bounds(const TopicPartition& source) = 0;

  // Whether a record between the bounds may go away by itself, as compaction
  // makes it. Where not, a record that is gone was taken away.
  virtual bool MayLoseRecords(const TopicPartition&) { return true; }

  // All partitions, in order; not those of topics that are the log's own.
  virtual absl::StatusOr<std::vector<TopicPartition>> ListPartitions() = 0;

  // Waits until there are more than `known` partitions, or `timeout` passes.
  virtual void WaitForPartitions(size_t known,
                                 std::chrono::milliseconds timeout) = 0;

  // OK while the log answers; else why not, as last seen. Costs nothing.
  virtual absl::Status Health() = 0;

  // The process is about to end. Questions that a log does not answer at once
  // are Unavailable from now on; so are, after `deadline` or earlier where the
  // log is away, records that wait to be written.
  virtual void EndBy(std::chrono::steady_clock::time_point) {}
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_RECORD_LOG_H_
