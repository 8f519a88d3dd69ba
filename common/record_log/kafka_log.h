// The record log on Apache Kafka (tested with 4.3 and 3.9), through librdkafka.
//
// What differs from the embedded log:
// * Append() cannot write all or nothing: AppendOutcome() of its error says
//   which records were acknowledged. Acknowledged is: by all in-sync replicas.
// * Only committed records are given; those of aborted transactions, and
//   Kafka's own control batches, are gaps. `end` of Bounds() is the last stable
//   offset.
// * Topics whose names begin with `__` are Kafka's and are not listed.
// * A log time must be above 0.
//
// What a reader meets, and what it gives:
// * the brokers are away: nothing, until they are back; Health() says so;
// * retention has deleted the position, or the log ends before it (a log cut
//   off, a topic made anew that is shorter): OutOfRange;
// * a topic made anew, or a log cut off, that is long enough by now: DataLoss,
//   found by the last record before the position (see kafka_reader.h). Whether
//   the partition was already another one when it was assigned is the caller's
//   to find out;
// * a topic deleted, or a partition that never was: NotFound within seconds,
// and
//   ListPartitions() leaves it out;
// * more partitions than before: ListPartitions() gives them. Records of a key
//   go to another partition then, from some seconds later on.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_LOG_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_LOG_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/record_log/kafka_admin.h"
#include "common/record_log/kafka_handle.h"
#include "common/record_log/kafka_producer.h"
#include "common/record_log/kafka_properties.h"
#include "common/record_log/kafka_reader.h"
#include "common/record_log/kafka_topics.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe. Its readers must be gone before it is; what they gave may stay.
class KafkaLog final : public RecordLog {
 public:
  struct Options {
    KafkaProperties properties;  // bootstrap.servers, and whatever is needed

    bool create_topics = true;  // false: a missing topic is an error
    // Of new topics; -1: the brokers' default number of replicas.
    int32_t partitions = 1;  // 1 to 10,000
    int32_t replication = -1;
    std::optional<int64_t> retention_ms;  // -1: for ever; unset: the brokers'

    // Of a question to the brokers, such as Bounds().
    std::chrono::milliseconds request_timeout{10'000};
    KafkaLogLine on_log;  // librdkafka's log; unset: nothing
  };

  // Waits for no broker: Health() is not OK until one has answered. They are
  // asked every second, so that it is never much older.
  // InvalidArgument names what is wrong with the settings.
  static absl::StatusOr<std::unique_ptr<KafkaLog>> Open(const Options& options);

  ~KafkaLog() override;

  absl::StatusOr<std::vector<AppendedRecord>> Append(
      absl::Span<const NewRecord> records) override;
  absl::Status EnsureTopic(const TopicNeed& need) override;
  std::unique_ptr<LogReader> NewReader() override;
  absl::StatusOr<LogBounds> Bounds(const TopicPartition& source) override;
  // As of a second ago.
  absl::StatusOr<std::vector<TopicPartition>> ListPartitions() override;
  void WaitForPartitions(size_t known,
                         std::chrono::milliseconds timeout) override;
  absl::Status Health() override { return health_->status(); }
  void EndBy(std::chrono::steady_clock::time_point deadline) override;

 private:
  explicit KafkaLog(const Options& options);

  // The thread that asks.
  void AskOnAndOn() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::StatusOr<LogBounds> AskBounds(const TopicPartition& source,
                                      std::chrono::milliseconds timeout);

  const Options options_;
  KafkaReader::Options reader_options_;
  const std::shared_ptr<KafkaHealth> health_;
  std::unique_ptr<KafkaProducer> producer_;
  std::unique_ptr<KafkaAdmin> admin_;
  std::unique_ptr<KafkaTopics> topics_;

  Mutex mutex_;
  CondVar ended_changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread asker_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_LOG_H_
