// The topics of a Kafka log: known for a moment, made when missing.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_TOPICS_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_TOPICS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/record_log/kafka_admin.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe.
class KafkaTopics {
 public:
  struct Options {
    bool create = true;
    int32_t partitions = 1;
    int32_t replication = -1;             // the brokers' default
    std::optional<int64_t> retention_ms;  // -1: for ever; unset: the brokers'
    int64_t record_bytes_max = 0;         // max.message.bytes of new topics
    std::chrono::milliseconds timeout;    // of a question to the brokers
  };

  // `admin` must outlive it.
  KafkaTopics(const Options& options, KafkaAdmin& admin)
      : options_(options), admin_(admin) {}

  // As RecordLog::EnsureTopic().
  absl::Status Ensure(const TopicNeed& need);

  // How many partitions the topic has, as of some seconds ago; made when it is
  // missing, with options.partitions of them.
  absl::StatusOr<int32_t> PartitionsOf(const std::string& topic);

  // All topics, as of `age` ago or later.
  absl::StatusOr<KafkaTopicSizes> List(std::chrono::milliseconds age) {
    return List(age, options_.timeout);
  }
  absl::StatusOr<KafkaTopicSizes> List(std::chrono::milliseconds age,
                                       std::chrono::milliseconds timeout);

  // As RecordLog::WaitForPartitions().
  void WaitForPartitions(size_t known, std::chrono::milliseconds timeout);

 private:
  using Clock = std::chrono::steady_clock;

  absl::Status Make(const TopicNeed& need, int32_t existing);

  const Options options_;
  KafkaAdmin& admin_;
  Mutex asking_;  // one question at a time; the others take its answer
  Mutex mutex_;
  CondVar changed_;
  KafkaTopicSizes sizes_ ABSL_GUARDED_BY(mutex_);
  std::optional<Clock::time_point> listed_at_ ABSL_GUARDED_BY(mutex_);
  // Of the last question, if it had no answer: when it ended, and why.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point failed_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_TOPICS_H_
