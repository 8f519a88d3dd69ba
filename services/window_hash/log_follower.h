// Reads the record log for the pipelines and feeds their partitions.
//
// One thread a pipeline fetches; `threads` shards feed, each partition always
// the same one. Between them are bounded queues, so that memory has a bound and
// the fetching waits when the shards are behind. Another thread finds new
// partitions. Pipelines share nothing but the shards: each has its own position
// in each partition.
//
// Thread-safe.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_LOG_FOLLOWER_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_LOG_FOLLOWER_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"
#include "services/window_hash/bounded_queue.h"
#include "services/window_hash/partition_worker.h"
#include "services/window_hash/partitions_view.h"
#include "services/window_hash/payload_store.h"

namespace windproof {

class LogFollower {
 public:
  struct Options {
    int threads = 2;
    size_t queue_batches = 4;     // a shard
    size_t batch_records = 2048;  // fetched at once; one commit
    PartitionWorker::Options worker;
  };

  // InvalidArgument: a topic pattern that is none. `specs`, `log`, `store` and
  // `signer` must outlive the follower.
  static absl::StatusOr<std::unique_ptr<LogFollower>> Create(
      const Options& options, const std::vector<PipelineSpec>& specs,
      RecordLog& log, PayloadStore& store, const CheckpointSigner& signer);

  ~LogFollower();
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  // Opens the partitions that are known, then starts the threads. What is wrong
  // with a partition is in its status; an error here is of the whole.
  absl::Status Start();

  // Fetches nothing more; what was fetched goes on.
  void StopIntake();

  // Waits until what was fetched is committed, and ends. Idempotent.
  void Stop();

  // In order of topic and partition.
  std::vector<PartitionProgress> Partitions(absl::string_view pipeline);
  bool IsOpen(absl::string_view pipeline, absl::string_view key,
              int64_t window_start_ms);

  // Stops one partition, or one that is not open yet as soon as it is.
  void StopPartition(const PipelineSource& source, const absl::Status& error);

  // OK while the log can be read.
  absl::Status LogStatus() const;

 private:
  // A partition of a pipeline; without a worker where it could not be opened.
  struct Lane {
    std::unique_ptr<PartitionWorker> worker;
    PartitionStatus failed;
    size_t shard = 0;
  };
  struct Pipeline {
    const PipelineSpec* spec = nullptr;
    std::unique_ptr<TopicMatcher> matcher;
    std::unique_ptr<LogReader> reader;
    // Lanes are only added.
    std::map<TopicPartition, std::unique_ptr<Lane>> lanes;
    std::thread fetcher;
  };
  struct Work {
    Pipeline* pipeline = nullptr;
    Lane* lane = nullptr;
    RecordBatch batch;
  };
  struct Shard {
    explicit Shard(size_t capacity) : queue(capacity) {}
    BoundedQueue<Work> queue;
    std::thread thread;
  };

  LogFollower(const Options& options, RecordLog& log, PayloadStore& store,
              const CheckpointSigner& signer)
      : options_(options), log_(log), store_(store), signer_(signer) {}

  void DiscoverLoop();
  // Opens what is new; answers how many partitions the log has.
  absl::StatusOr<size_t> Discover();
  absl::Status FailMissing(Pipeline* pipeline,
                           const std::vector<TopicPartition>& partitions);
  absl::Status OpenLane(Pipeline* pipeline, const TopicPartition& source);
  void AddLane(Pipeline* pipeline, const TopicPartition& source,
               std::unique_ptr<Lane> lane);
  void FetchLoop(Pipeline* pipeline);
  void FeedLoop(Shard* shard);
  Lane* FindLane(Pipeline* pipeline, const TopicPartition& source) const;
  bool stopping() const;
  void SetLogStatus(const absl::Status& status);
  // Waits a while, or until the end.
  void Pause();

  const Options options_;
  RecordLog& log_;
  PayloadStore& store_;
  const CheckpointSigner& signer_;
  std::vector<std::unique_ptr<Pipeline>> pipelines_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::thread discoverer_;

  mutable Mutex mutex_;  // also guards all lanes
  CondVar changed_;
  size_t lanes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<PipelineSource, absl::Status> early_stops_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status log_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_LOG_FOLLOWER_H_
