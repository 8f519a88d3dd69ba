// What topics a Kafka cluster has, what their partitions hold, and making them.
//
// Each call asks the brokers and ends by its deadline: Unavailable where they
// do not answer.
// librdkafka ends no question early, so a long one is asked in pieces: a
// process that is about to end waits for a piece alone.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_ADMIN_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_ADMIN_H_

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/record_log/kafka_handle.h"
#include "common/record_log/record_log.h"

namespace windproof {

// Partitions of each topic.
using KafkaTopicSizes = std::map<std::string, int32_t, std::less<>>;

// Thread-safe.
class KafkaAdmin {
 public:
  // `handle` is a consumer of KafkaRole::kAdmin.
  explicit KafkaAdmin(std::shared_ptr<KafkaHandle> handle)
      : handle_(std::move(handle)) {}

  // All topics, those of the cluster itself (`__*`) left out.
  absl::StatusOr<KafkaTopicSizes> ListTopics(std::chrono::milliseconds timeout);

  // OK also when it exists. `replication` -1: the brokers' default.
  absl::Status CreateTopic(
      const std::string& topic, int32_t partitions, int32_t replication,
      const std::vector<std::pair<std::string, std::string>>& settings,
      std::chrono::milliseconds timeout);

  // So that there are `partitions` of them. OK also when there are.
  absl::Status AddPartitions(const std::string& topic, int32_t partitions,
                             std::chrono::milliseconds timeout);

  // Of a partition that exists: its first offset, and the last stable one,
  // which is the end for a reader of committed records.
  absl::StatusOr<LogBounds> Bounds(const TopicPartition& source,
                                   std::chrono::milliseconds timeout);

  // No question lasts from now on.
  void End() { ended_ = true; }
  bool ended() const { return ended_; }

 private:
  // As of `timeout`, but a piece at most.
  static std::chrono::milliseconds Piece(
      std::chrono::steady_clock::time_point deadline);

  // The offset that ListOffsets gives for BEGINNING or END.
  absl::StatusOr<int64_t> Offset(const TopicPartition& source, int64_t which,
                                 std::chrono::milliseconds timeout);

  const std::shared_ptr<KafkaHandle> handle_;
  std::atomic<bool> ended_ = false;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_ADMIN_H_
