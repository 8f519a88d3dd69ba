// Writes batches of records to Kafka, and waits for every acknowledgement.
//
// What is under way is bounded (queue.buffering.max.messages and .kbytes of the
// settings): a batch that does not fit waits a little and is then refused
// whole, with ResourceExhausted. A client that librdkafka declares dead (a
// fatal error of the idempotent producer) is replaced by a new one.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_PRODUCER_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_PRODUCER_H_

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/record_log/kafka_handle.h"
#include "common/record_log/kafka_properties.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe.
class KafkaProducer {
 public:
  struct Options {
    KafkaProperties properties;
    std::shared_ptr<KafkaHealth> health;
    KafkaLogLine on_log;
    // How long a batch waits for room.
    std::chrono::milliseconds room_timeout{500};
  };

  // InvalidArgument as of MakeKafkaConf().
  static absl::StatusOr<std::unique_ptr<KafkaProducer>> Open(
      const Options& options);

  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  // Each record to the partition of the same index. As RecordLog::Append(); an
  // error has an AppendOutcome() once anything was handed to Kafka.
  absl::StatusOr<std::vector<AppendedRecord>> Append(
      absl::Span<const NewRecord> records, absl::Span<const int32_t> partitions)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // As RecordLog::EndBy().
  void EndBy(std::chrono::steady_clock::time_point deadline)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // What a record may have: key, value and headers.
  int64_t record_bytes_max() const { return record_bytes_max_; }

 private:
  struct Request;
  // What became of a record.
  struct Slot {
    Request* request = nullptr;
    int64_t offset = -1;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  };
  struct Request {
    KafkaProducer* owner = nullptr;
    std::vector<Slot> slots;
    std::atomic<size_t> remaining = 0;
    bool done = false;  // guarded by mutex_
  };
  // A client with the thread that takes its acknowledgements.
  class Client;

  explicit KafkaProducer(const Options& options) : options_(options) {}

  absl::StatusOr<std::shared_ptr<Client>> NewClient();
  absl::StatusOr<std::shared_ptr<Client>> LivingClient()
      ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Status Admit(size_t records, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Release(size_t records, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  // Until all records of the request have their answer.
  void Await(Request* request, Client& client) ABSL_LOCKS_EXCLUDED(mutex_);
  // `count` records of the request have their answer.
  void Answered(Request* request, size_t count) ABSL_LOCKS_EXCLUDED(mutex_);
  static void OnDelivery(rd_kafka_t* handle, const rd_kafka_message_t* message,
                         void* opaque);

  const Options options_;
  int64_t record_bytes_max_ = 0;
  size_t records_max_ = 0;  // under way
  size_t bytes_max_ = 0;

  Mutex mutex_;
  CondVar changed_;
  size_t records_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Client> client_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::chrono::steady_clock::time_point> end_at_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_PRODUCER_H_
