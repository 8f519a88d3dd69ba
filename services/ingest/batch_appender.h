// Appends the batches of one stream while the next ones are being read: a sync
// of the disk takes milliseconds, in which a client can send many batches.
// Batches that wait are appended together, each still whole or not at all.
#ifndef WINDPROOF_SERVICES_INGEST_BATCH_APPENDER_H_
#define WINDPROOF_SERVICES_INGEST_BATCH_APPENDER_H_

#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// Submit() and Finish() by one thread. Has a thread of its own.
class BatchAppender {
 public:
  struct Totals {
    int64_t batches = 0;
    int64_t records = 0;
    int64_t bytes = 0;  // as given to Submit()
  };

  // `log` must outlive the appender.
  explicit BatchAppender(RecordLog& log);

  // Waits for what was submitted.
  ~BatchAppender();
  BatchAppender(const BatchAppender&) = delete;
  BatchAppender& operator=(const BatchAppender&) = delete;

  // Takes a batch of `bytes` to be appended after those before it; waits while
  // too much is under way. The first error that the log gave, if any; nothing
  // is appended after that.
  absl::Status Submit(std::vector<NewRecord> batch, size_t bytes)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits until everything is durable, or has failed. Nothing may be submitted
  // afterwards.
  absl::Status Finish() ABSL_LOCKS_EXCLUDED(mutex_);

  // What is durable.
  Totals totals() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Batch {
    std::vector<NewRecord> records;
    size_t bytes = 0;
  };

  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  RecordLog& log_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Batch> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  Totals totals_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_BATCH_APPENDER_H_
