// A reader of a Kafka log: partitions at positions that the caller gives.
//
// librdkafka's simple consumer fetches all partitions into one queue, so that
// its bound on what is fetched ahead holds over all of them. The queue is only
// emptied under the reader's mutex, and librdkafka drops from it what an
// earlier fetch of a partition left there: after Assign() nothing of before
// comes. An offset below the position is never given, whatever comes.
//
// A topic that was deleted and made anew, or a log that lost its end, can look
// as if nothing had happened (this librdkafka knows no leader epochs and no
// topic ids). But the brokers' answer then makes librdkafka ask for metadata.
// Whenever it does, each partition is fetched again from the last record that
// was given, which must be the same; DataLoss if it is another. A partition is
// therefore fetched from the record before its position on. One of which
// nothing is heard for a while is asked for: a topic may be gone.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_READER_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_READER_H_

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/record_log/kafka_handle.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// As LogReader says.
class KafkaReader final : public LogReader {
 public:
  using Bounds =
      std::function<absl::StatusOr<LogBounds>(const TopicPartition& source)>;

  struct Options {
    // A RecordBatch ends when it holds that many; it always has one record.
    size_t batch_bytes_max = 4 << 20;
    // What librdkafka fetches ahead: queued.min.messages and
    // queued.max.messages.kbytes of the handle.
    int64_t queued_max = 50'000;
    int64_t queued_bytes_max = 16 << 20;
  };

  // `handle` is a consumer of KafkaRole::kReader; `bounds` asks the brokers,
  // not for long (NotFound, Unavailable).
  KafkaReader(const Options& options, std::shared_ptr<KafkaHandle> handle,
              Bounds bounds);
  ~KafkaReader() override;

  void Assign(const TopicPartition& source, int64_t offset) override;
  void Unassign(const TopicPartition& source) override;
  absl::StatusOr<std::optional<RecordBatch>> Poll(
      size_t max_records, std::chrono::milliseconds timeout) override;
  void Wake() override;

 private:
  using Clock = std::chrono::steady_clock;

  struct MessageDeleter {
    void operator()(rd_kafka_message_t* message) const {
      rd_kafka_message_destroy(message);
    }
  };
  using Message = std::unique_ptr<rd_kafka_message_t, MessageDeleter>;
  struct Memory;

  // A record that was given, to know it again.
  struct Mark {
    int64_t offset = 0;
    uint64_t hash = 0;
  };

  struct Partition {
    TopicPartition source;
    rd_kafka_topic_t* topic = nullptr;
    int64_t position = 0;
    bool fetching = false;
    // Nothing was heard of it yet: the others wait for it, up to here.
    std::optional<Clock::time_point> fresh_until;
    std::optional<Clock::time_point> retry_at;  // after an error that passes
    // Nothing was heard of the fetch: whether it is there is asked then.
    std::optional<Clock::time_point> check_at;
    bool learns = false;  // the record before the position is not known yet
    std::deque<Message> fetched;
    std::optional<Mark> last;      // of what was given
    std::optional<Mark> suspect;   // to be looked at again at verify_at_
    std::optional<Mark> expected;  // what the fetch under way must begin with
    absl::Status failed;           // reported by the next Poll()
  };

  void StartFetch(Partition* partition, int64_t offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StopFetch(Partition* partition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Takes what was fetched off librdkafka's queue.
  void Drain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null: of a partition that is not assigned.
  Partition* PartitionOf(const rd_kafka_message_t& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets a client fetch again that stopped because its queue was full.
  void NudgeIfNeeded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Starts again what waits for it, and looks after what is suspicious.
  void Maintain(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When Maintain() has something to do again.
  Clock::time_point NextMaintenance(Clock::time_point latest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The batch of the next partition that has one.
  std::optional<RecordBatch> NextBatch(size_t max_records)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<RecordBatch> Take(Partition* partition, size_t max_records)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What an error in the queue means.
  void HandleError(Partition* partition, const rd_kafka_message_t& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandleOutOfRange(Partition* partition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HandleMissing(Partition* partition)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CheckSilent(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Retry(Partition* partition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether a record is to be given; checks it against `expected`.
  bool Accept(Partition* partition, const rd_kafka_message_t& message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Signal() ABSL_LOCKS_EXCLUDED(signal_mutex_);
  static void OnQueue(rd_kafka_t* handle, void* opaque);

  const Options options_;
  const std::shared_ptr<KafkaHandle> handle_;
  const Bounds bounds_;
  rd_kafka_queue_t* const queue_;

  Mutex mutex_;
  std::map<std::string, rd_kafka_topic_t*, std::less<>> topics_
      ABSL_GUARDED_BY(mutex_);
  std::map<TopicPartition, Partition> assigned_ ABSL_GUARDED_BY(mutex_);
  // By librdkafka's own topic, which lives as long as ours.
  absl::flat_hash_map<std::pair<const void*, int32_t>, TopicPartition> names_
      ABSL_GUARDED_BY(mutex_);
  TopicPartition last_ ABSL_GUARDED_BY(mutex_);  // whose turn it was
  size_t fetched_ ABSL_GUARDED_BY(mutex_) = 0;   // messages, of all partitions
  size_t fetched_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool queue_was_full_ ABSL_GUARDED_BY(mutex_) = false;
  double message_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // about, on average
  uint64_t metadata_seen_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<Clock::time_point> verify_at_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point not_before_ ABSL_GUARDED_BY(mutex_);  // of verify_at_

  // Taken by librdkafka's threads with its queue locked, and so never held
  // together with mutex_ by ours.
  Mutex signal_mutex_;
  CondVar signalled_;
  bool signal_ ABSL_GUARDED_BY(signal_mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(signal_mutex_) = false;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_READER_H_
