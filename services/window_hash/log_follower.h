// Reads the record log for the pipelines and feeds their partitions.
//
// One thread a pipeline fetches; `threads` shards feed, each partition always
// the same one. Between them are bounded queues, so that memory has a bound and
// the fetching waits when the shards are behind. Another thread finds new
// partitions, and with a group those that this process gets or gives up; a few
// of those are brought to their changelog's end at a time, side by side.
// Pipelines share nothing but the shards: each has its own position in each
// partition.
//
// Thread-safe.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_LOG_FOLLOWER_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_LOG_FOLLOWER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/pipeline/spec.h"
#include "common/record_log/partition_group.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"
#include "services/window_hash/bounded_queue.h"
#include "services/window_hash/lane.h"
#include "services/window_hash/lane_openings.h"
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
    // Who shares the partitions with us; null: all are ours. With a group each
    // partition keeps a changelog. Must outlive the follower.
    PartitionGroup* group = nullptr;
    // A partition became ours, its store is whole and it is about to be read;
    // or it was given up, and nothing of it is fed any more. May call nothing
    // of the follower.
    std::function<void(const PipelineSource&)> on_opened;
    std::function<void(const PipelineSource&)> on_closed;
  };

  // InvalidArgument: a topic pattern that is none. `specs`, `log`, `store` and
  // `signer` must outlive the follower.
  static absl::StatusOr<std::unique_ptr<LogFollower>> Create(
      const Options& options, const std::vector<PipelineSpec>& specs,
      RecordLog& log, PayloadStore& store, const CheckpointSigner& signer);

  ~LogFollower();
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  // Opens the partitions that are known (without a group, and unless the log is
  // away), then starts the threads. What is wrong with a partition is in its
  // status; an error here is of the whole.
  absl::Status Start();

  // Fetches nothing more; what was fetched goes on.
  void StopIntake();

  // Waits until what was fetched is committed, and ends. Idempotent.
  void Stop();

  // In order of topic and partition; those that are being brought to their
  // changelog's end too. While the log is away, its ends are those last known.
  std::vector<PartitionProgress> Partitions(absl::string_view pipeline);
  // The same without asking the log.
  std::vector<PartitionStatus> Statuses(absl::string_view pipeline) const;
  bool IsOpen(absl::string_view pipeline, absl::string_view key,
              int64_t window_start_ms);

  // Whether the partition is ours and complete in the store.
  bool Has(const PipelineSource& source) const;

  // All those of a pipeline, and a number that changes whenever they do.
  struct Owned {
    uint64_t epoch = 0;
    std::set<TopicPartition> partitions;
  };
  Owned OwnedPartitions(absl::string_view pipeline) const;

  // The partitions of the log that a pipeline reads.
  absl::StatusOr<std::set<TopicPartition>> ExpectedPartitions(
      absl::string_view pipeline);

  // Stops one partition, or one that is not open yet as soon as it is.
  void StopPartition(const PipelineSource& source, const absl::Status& error);

  // OK while the log can be read.
  absl::Status LogStatus() const;

  // Not OK once the group has shut this process out for good.
  absl::Status ShutOut() const;

 private:
  // A fetching thread takes a lane's partition off its reader, so that no batch
  // of an old lane can reach a new one.
  struct Leaving {
    TopicPartition source;
    std::shared_ptr<Lane> lane;
    bool forget = false;  // the lane goes, too
  };
  struct Pipeline {
    const PipelineSpec* spec = nullptr;
    std::unique_ptr<TopicMatcher> matcher;
    std::unique_ptr<LogReader> reader;
    std::thread fetcher;
    // Guarded by the follower's mutex.
    std::map<TopicPartition, std::shared_ptr<Lane>> lanes;
    std::vector<Leaving> leaving;
    bool fetching = false;
  };
  struct Work {
    Pipeline* pipeline = nullptr;
    std::shared_ptr<Lane> lane;
    RecordBatch batch;
  };
  struct Shard {
    explicit Shard(size_t capacity) : queue(capacity) {}
    BoundedQueue<Work> queue;
    std::thread thread;
  };
  using PartitionCounts = std::map<std::string, int32_t>;  // by topic

  LogFollower(const Options& options, RecordLog& log, PayloadStore& store,
              const CheckpointSigner& signer);

  // --- the discovering thread ---
  void DiscoverLoop();
  // Takes what the group gives and wants back; waits for it a moment.
  absl::Status FollowGroup();
  // Opens what is new; answers how many partitions the log has.
  absl::StatusOr<size_t> Discover();
  absl::Status OpenNew(Pipeline* pipeline,
                       const std::vector<TopicPartition>& partitions,
                       const PartitionCounts& counts);
  void StopGrown(Pipeline* pipeline, const PartitionCounts& counts);
  absl::Status FailMissing(Pipeline* pipeline,
                           const std::vector<TopicPartition>& partitions);
  absl::Status OpenLane(Pipeline* pipeline, const TopicPartition& source,
                        int32_t topic_partitions);
  absl::Status TakeOpened(Pipeline* pipeline, const TopicPartition& source,
                          const absl::StatusOr<LaneOpener::Opened>& opened);
  void AddLane(Pipeline* pipeline, const TopicPartition& source,
               std::shared_ptr<Lane> lane);
  void CloseLane(Pipeline* pipeline, const TopicPartition& source);
  void CommitPositions();
  // With a group: so that nobody waits for a changelog any more.
  void CloseWorkers();

  // --- the fetching and feeding threads ---
  void FetchLoop(Pipeline* pipeline);
  void FeedLoop(Shard* shard);
  void LetLeave(Pipeline* pipeline);
  void AskToLeave(Pipeline* pipeline, Leaving leaving);

  std::shared_ptr<Lane> FindLane(const Pipeline& pipeline,
                                 const TopicPartition& source) const;
  std::vector<std::shared_ptr<Lane>> Lanes(absl::string_view pipeline) const;
  bool stopping() const;
  // Of discovering and of fetching: each by its own thread.
  enum class Doing { kDiscovering, kFetching };
  void SetLogStatus(Doing doing, const absl::Status& status);
  // Waits a while, or until the end.
  void Pause();

  const Options options_;
  RecordLog& log_;
  PayloadStore& store_;
  std::unique_ptr<LaneOpener> opener_;
  std::unique_ptr<LaneOpenings> openings_;  // used with a group
  std::vector<std::unique_ptr<Pipeline>> pipelines_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::thread discoverer_;
  // Of the discovering thread alone: what the group has given us, when we told
  // it how far we are, and how many partitions the log had.
  std::set<TopicPartition> owned_;
  std::chrono::steady_clock::time_point told_positions_;
  std::optional<std::vector<TopicPartition>> listed_;

  mutable Mutex mutex_;  // also guards all lanes
  CondVar changed_;
  size_t lanes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<PipelineSource, absl::Status> early_stops_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<Doing, absl::Status> log_status_ ABSL_GUARDED_BY(mutex_);
  absl::Status shut_out_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_LOG_FOLLOWER_H_
