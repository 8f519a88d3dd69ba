// The record log of one machine: a RocksDB database in one folder.
//
// Durable: Append() returns when the records are synced to the disk, and
// readers are given none before. Appends that come at the same time share one
// sync. A folder belongs to one process at a time. The keys are drawn in
// embedded_log_keys.h.
#ifndef WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_H_
#define WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/record_log/record_log.h"

namespace windproof {

class EmbeddedLogCore;

// Thread-safe. Its readers must be gone before it is.
//
// After a write that failed it takes no more of them (Unavailable, or
// ResourceExhausted when the disk is full) until it is opened anew, since what
// the disk holds of that write is not known before; reads go on.
class EmbeddedLog final : public RecordLog {
 public:
  struct Options {
    std::string path;  // folder; made when missing, unless read_only
    // For topics that are new; a topic keeps its number. 1 to 10,000.
    int32_t partitions_per_topic = 1;
    bool read_only = false;  // of a store that no process writes to

    // Memory: at most two write buffers, and the cache.
    size_t write_buffer_bytes = 16 << 20;
    size_t block_cache_bytes = 8 << 20;
    // A RecordBatch ends when it holds that many; it always has one record.
    size_t batch_bytes_max = 4 << 20;
  };

  // NotFound: read_only and no log there. FailedPrecondition: the store is in
  // use by another process, or was written by a version that is not known.
  // DataLoss: its bytes are damaged. InvalidArgument: an option out of range.
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open(
      const Options& options);

  ~EmbeddedLog() override;

  // All or nothing. FailedPrecondition with read_only. InvalidArgument also for
  // a record of more than 64 MiB.
  absl::StatusOr<std::vector<AppendedRecord>> Append(
      absl::Span<const NewRecord> records) override;

  // FailedPrecondition also with read_only.
  absl::Status EnsureTopic(const TopicNeed& need) override;

  // A partition that does not exist yet can be assigned at offset 0.
  std::unique_ptr<LogReader> NewReader() override;

  absl::StatusOr<LogBounds> Bounds(const TopicPartition& source) override;
  bool MayLoseRecords(const TopicPartition&) override { return false; }
  absl::StatusOr<std::vector<TopicPartition>> ListPartitions() override;
  void WaitForPartitions(size_t known,
                         std::chrono::milliseconds timeout) override;
  absl::Status Health() override;

 private:
  absl::Status CheckWritable() const;

  EmbeddedLog(const Options& options, std::unique_ptr<EmbeddedLogCore> core);

  const Options options_;
  const std::unique_ptr<EmbeddedLogCore> core_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_H_
