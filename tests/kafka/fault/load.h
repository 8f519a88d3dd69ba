// Records of everything that ingest takes, written straight into Kafka, with
// log times that are the same in each run.
//
// Thread-safe; one thread at a time appends.
#ifndef WINDPROOF_TESTS_KAFKA_FAULT_LOAD_H_
#define WINDPROOF_TESTS_KAFKA_FAULT_LOAD_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/record_log/record_log.h"
#include "tests/fault/record_stream.h"

namespace windproof {

class Load {
 public:
  // Topics PREFIX.0 to PREFIX.2; two partitions each if `partitions` is 2, else
  // one. Each key is in one of them.
  Load(RecordLog& log, std::string prefix, int partitions, uint64_t seed);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  std::vector<std::string> topics() const;

  // Makes the topics.
  absl::Status MakeTopics();

  // Appends that many batches. While the log is away, the same batch again: so
  // it may be there twice.
  absl::Status Write(int batches);

  // Appends in a thread of its own until EndWriting(), with a moment between
  // batches that keeps a machine of two processors from being all writer.
  void BeginWriting();
  absl::Status EndWriting();

  // Control records that close all windows.
  absl::Status Finish();

  int64_t records() const { return records_; }

 private:
  absl::Status Append(const Batch& batch);
  NewRecord ToLog(const v1::Record& record);

  RecordLog& log_;
  const std::string prefix_;
  const int partitions_;
  RecordStream stream_;
  int64_t log_time_ms_;
  std::atomic<int64_t> records_ = 0;
  std::atomic<bool> ending_ = false;
  absl::Status written_;  // of writer_
  std::thread writer_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_KAFKA_FAULT_LOAD_H_
