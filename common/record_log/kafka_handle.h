// One librdkafka client: its life, its errors and its log lines.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_HANDLE_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_HANDLE_H_

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/record_log/kafka_config.h"
#include "common/sync/mutex.h"

namespace windproof {

// A line of librdkafka's log; `level` as of syslog: 3 is an error, 4 a warning.
// Called from any thread.
using KafkaLogLine = std::function<void(int level, absl::string_view line)>;

// What is known of the brokers, shared by the clients of one log. Thread-safe.
class KafkaHealth {
 public:
  absl::Status status() ABSL_LOCKS_EXCLUDED(mutex_);
  // Cheap where nothing changes.
  void SetOk() ABSL_LOCKS_EXCLUDED(mutex_);
  void SetError(absl::Status error) ABSL_LOCKS_EXCLUDED(mutex_);

  // What a client said of its connections, until SetOk(): that a certificate or
  // a password is refused. Its calls fail of something else, such as time.
  void SetCause(absl::string_view cause) ABSL_LOCKS_EXCLUDED(mutex_);
  std::string cause() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  std::atomic<bool> failed_ = false;
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::string cause_ ABSL_GUARDED_BY(mutex_);
};

// Thread-safe as librdkafka is. Ends when the last owner lets go of it: what
// librdkafka lent (messages) keeps it.
class KafkaHandle {
 public:
  // InvalidArgument: librdkafka refuses the settings as a whole.
  static absl::StatusOr<std::shared_ptr<KafkaHandle>> Create(
      rd_kafka_type_t type, KafkaConf conf, std::shared_ptr<KafkaHealth> health,
      KafkaLogLine on_log);

  ~KafkaHandle();
  KafkaHandle(const KafkaHandle&) = delete;
  KafkaHandle& operator=(const KafkaHandle&) = delete;

  rd_kafka_t* get() const { return handle_; }
  KafkaHealth& health() { return *health_; }

  // Whose client it is, for callbacks of librdkafka.
  void set_owner(void* owner) { owner_ = owner; }
  void* owner() const { return owner_; }

  // How many times the client asked the brokers for metadata: at its start, for
  // a new topic, now and then, and whenever a leader or a topic was not where
  // it was before.
  uint64_t metadata_requests() const { return metadata_requests_; }

 private:
  KafkaHandle(std::shared_ptr<KafkaHealth> health, KafkaLogLine on_log)
      : health_(std::move(health)), on_log_(std::move(on_log)) {}

  static void OnError(rd_kafka_t* handle, int error, const char* reason,
                      void* opaque);
  static void OnLog(const rd_kafka_t* handle, int level, const char* facility,
                    const char* line);
  static rd_kafka_resp_err_t OnNew(rd_kafka_t* handle,
                                   const rd_kafka_conf_t* conf, void* opaque,
                                   char* error, size_t error_size);
  static rd_kafka_resp_err_t OnRequest(rd_kafka_t* handle, int socket,
                                       const char* broker, int32_t broker_id,
                                       int16_t api_key, int16_t api_version,
                                       int32_t correlation_id, size_t size,
                                       void* opaque);

  const std::shared_ptr<KafkaHealth> health_;
  const KafkaLogLine on_log_;
  std::atomic<uint64_t> metadata_requests_ = 0;
  std::atomic<void*> owner_ = nullptr;
  rd_kafka_t* handle_ = nullptr;
};

// With librdkafka's text; `context` says what was tried.
absl::Status KafkaError(rd_kafka_resp_err_t error, absl::string_view context);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_HANDLE_H_
