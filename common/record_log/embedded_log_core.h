// What the embedded log and its readers share: which partitions there are, how
// far each is durable, and the queue of appends.
//
// Appends queue up; the one at the front writes for all that wait behind it (a
// group) and assigns their offsets. So offsets are given in the order of the
// writes, a write that failed uses none, and `end` moves only over records that
// are synced. Thread-safe.
#ifndef WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_CORE_H_
#define WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_CORE_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/record_log/embedded_store.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// Now + timeout, without overflow.
std::chrono::steady_clock::time_point DeadlineAfter(
    std::chrono::milliseconds timeout);

// An Append() on its way, or an EnsureTopic(), which has no records.
struct AppendRequest {
  const TopicNeed* need = nullptr;
  absl::Span<const NewRecord> records;
  std::string raw;           // the raw records, one after the other
  std::vector<size_t> ends;  // of each in `raw`

  // The answer.
  std::vector<AppendedRecord> appended;
  absl::Status status;
  bool done = false;
};

class EmbeddedLogCore {
 public:
  struct Options {
    int32_t partitions_per_topic = 1;
    size_t batch_bytes_max = 0;  // of a RecordBatch
  };

  EmbeddedLogCore(const Options& options, std::unique_ptr<EmbeddedStore> store,
                  EmbeddedStore::Contents contents);

  // Returns when the request is durable or has failed. InvalidArgument, and
  // nothing is written: a record names a partition that its topic has not.
  absl::Status Append(AppendRequest* request) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::StatusOr<LogBounds> Bounds(const TopicPartition& source)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<TopicPartition> ListPartitions() ABSL_LOCKS_EXCLUDED(mutex_);
  void WaitForPartitions(size_t known, std::chrono::milliseconds timeout)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The write that failed, after which there are no more.
  absl::Status Health() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Its state is under the same mutex, as it waits for the same changes.
  friend class EmbeddedLogReader;
  class GroupWriter;

  // The requests at the front of the queue that are written together.
  std::vector<AppendRequest*> FrontGroup()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes a group off the queue and answers it.
  void Answer(const std::vector<AppendRequest*>& group,
              const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::unique_ptr<EmbeddedStore> store_;

  Mutex mutex_;
  CondVar appended_;  // a group was written
  CondVar changed_;   // an end or an assignment moved, or somebody was woken
  std::deque<AppendRequest*> queue_ ABSL_GUARDED_BY(mutex_);
  absl::Status broken_ ABSL_GUARDED_BY(mutex_);  // the write that failed
  std::map<std::string, int32_t, std::less<>> topics_ ABSL_GUARDED_BY(mutex_);
  std::map<TopicPartition, LogBounds> partitions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_CORE_H_
