// Partitions shared as a Kafka consumer group, whose members only agree on who
// owns what: a client beside the log's readers takes part in the group and
// fetches nothing, and positions are not the group's.
//
// Assignment is cooperative and sticky: a rebalance moves only what must move.
// With an instance id the membership is static: a process that is back within
// session.timeout.ms (default 10 s) finds its partitions again, without any
// rebalance; so its Leave() leaves nothing to others before that time is over.
// Without one Leave() hands over at once. Back under another address a process
// is another member, since Kafka goes on to tell the address of before. Of two
// processes with one instance id and address the older is shut out for good:
// Wait() gives what it had as lost, and from then on FailedPrecondition.
//
// Which topics there are is looked up every second or so; a member subscribes
// to those that it wants.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_PARTITION_GROUP_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_PARTITION_GROUP_H_

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <deque>
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
#include "common/record_log/kafka_handle.h"
#include "common/record_log/kafka_properties.h"
#include "common/record_log/partition_group.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// As PartitionGroup says.
class KafkaPartitionGroup final : public PartitionGroup {
 public:
  struct Options {
    KafkaProperties properties;  // as of the log
    std::string group_id;
    std::string instance_id;  // empty: no static membership
    // The address at which the others reach us; it is the client's id.
    std::string advertise;
    // Whether a topic's partitions are to be shared. Thread-safe.
    std::function<bool(absl::string_view topic)> wants;
    KafkaLogLine on_log;
  };

  // Begins to take part. InvalidArgument: the settings. `log`, which says what
  // topics there are, must outlive the group.
  static absl::StatusOr<std::unique_ptr<KafkaPartitionGroup>> Join(
      const Options& options, RecordLog& log);

  ~KafkaPartitionGroup() override;

  absl::StatusOr<std::optional<Change>> Wait(
      std::chrono::milliseconds timeout) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Done() override ABSL_LOCKS_EXCLUDED(mutex_);
  void Wake() override ABSL_LOCKS_EXCLUDED(mutex_);
  void CommitPositions(
      absl::Span<const std::pair<TopicPartition, int64_t>> positions) override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::map<TopicPartition, std::string>> Owners() override
      ABSL_LOCKS_EXCLUDED(owners_mutex_);
  void Leave() override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Clock = std::chrono::steady_clock;
  using Owned = std::map<TopicPartition, std::string>;

  KafkaPartitionGroup(const Options& options, RecordLog& log)
      : options_(options), log_(log) {}

  // The thread that serves the client.
  void Run();
  void LookForTopics() ABSL_LOCKS_EXCLUDED(mutex_);
  void Subscribe() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnRebalance(rd_kafka_resp_err_t error,
                   rd_kafka_topic_partition_list_t* partitions);
  void OnAssigned(rd_kafka_topic_partition_list_t* partitions)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void OnRevoked(rd_kafka_topic_partition_list_t* partitions)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveUp(const std::vector<TopicPartition>& partitions);
  void Fail(absl::Status status) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<Owned> AskOwners();
  static void RebalanceCallback(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                                rd_kafka_topic_partition_list_t* partitions,
                                void* opaque);

  const Options options_;
  RecordLog& log_;
  std::shared_ptr<KafkaHandle> handle_;
  std::thread looker_;
  std::thread thread_;
  std::set<std::string> subscribed_;  // of thread_

  Mutex mutex_;
  CondVar changed_;
  std::set<std::string> topics_ ABSL_GUARDED_BY(mutex_);  // as last looked up
  std::deque<Change> changes_ ABSL_GUARDED_BY(mutex_);
  // What Wait() has told, until Done().
  std::optional<Change> told_ ABSL_GUARDED_BY(mutex_);
  std::set<TopicPartition> owned_ ABSL_GUARDED_BY(mutex_);
  absl::Status failed_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;

  Mutex owners_mutex_;  // one question at a time
  Owned owners_ ABSL_GUARDED_BY(owners_mutex_);
  std::optional<Clock::time_point> asked_at_ ABSL_GUARDED_BY(owners_mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_PARTITION_GROUP_H_
