#include "common/record_log/kafka_handle.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr int16_t kMetadataApi = 3;
constexpr char kInterceptor[] = "windproof";

absl::StatusCode CodeOf(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return absl::StatusCode::kOk;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
      return absl::StatusCode::kResourceExhausted;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return absl::StatusCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return absl::StatusCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return absl::StatusCode::kNotFound;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

absl::Status KafkaError(rd_kafka_resp_err_t error, absl::string_view context) {
  return absl::Status(CodeOf(error),
                      absl::StrCat(context, ": ", rd_kafka_err2str(error)));
}

absl::Status KafkaHealth::status() {
  MutexLock lock(mutex_);
  return status_;
}

void KafkaHealth::SetOk() {
  if (!failed_.load(std::memory_order_relaxed)) return;
  MutexLock lock(mutex_);
  status_ = absl::OkStatus();
  cause_.clear();
  failed_ = false;
}

void KafkaHealth::SetCause(absl::string_view cause) {
  MutexLock lock(mutex_);
  cause_ = std::string(cause);
  failed_ = true;
}

std::string KafkaHealth::cause() {
  MutexLock lock(mutex_);
  return cause_;
}

void KafkaHealth::SetError(absl::Status error) {
  MutexLock lock(mutex_);
  status_ = std::move(error);
  failed_ = true;
}

absl::StatusOr<std::shared_ptr<KafkaHandle>> KafkaHandle::Create(
    rd_kafka_type_t type, KafkaConf conf, std::shared_ptr<KafkaHealth> health,
    KafkaLogLine on_log) {
  std::shared_ptr<KafkaHandle> handle(
      new KafkaHandle(std::move(health), std::move(on_log)));
  rd_kafka_conf_set_opaque(conf.get(), handle.get());
  rd_kafka_conf_set_error_cb(conf.get(), &OnError);
  rd_kafka_conf_set_log_cb(conf.get(), &OnLog);
  rd_kafka_conf_interceptor_add_on_new(conf.get(), kInterceptor, &OnNew,
                                       handle.get());
  std::array<char, 512> error = {};
  rd_kafka_t* const created =
      rd_kafka_new(type, conf.get(), error.data(), error.size());
  if (created == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("librdkafka refuses the settings: ", error.data()));
  }
  // It owns the settings now.
  static_cast<void>(conf.release());
  handle->handle_ = created;
  return handle;
}

KafkaHandle::~KafkaHandle() {
  if (handle_ == nullptr) return;
  rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaHandle::OnError(rd_kafka_t*, int error, const char* reason,
                          void* opaque) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  KafkaHealth& health = *static_cast<KafkaHandle*>(opaque)->health_;
  const absl::string_view text =
      reason != nullptr ? reason : rd_kafka_err2str(code);
  switch (code) {
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      health.SetCause(text);
      break;
    // One connection: others may do, and it is tried again at once.
    case RD_KAFKA_RESP_ERR__TRANSPORT:
      return;
    default:
      break;
  }
  const std::string cause = health.cause();
  health.SetError(absl::Status(
      CodeOf(code),
      absl::StrCat("Kafka: ",
                   cause.empty() ? text : absl::string_view(cause))));
}

void KafkaHandle::OnLog(const rd_kafka_t* handle, int level,
                        const char* facility, const char* line) {
  // It can be called before there is an opaque of ours.
  const auto* const self =
      handle == nullptr ? nullptr
                        : static_cast<KafkaHandle*>(rd_kafka_opaque(handle));
  if (self == nullptr || self->on_log_ == nullptr) return;
  self->on_log_(level, absl::StrCat("librdkafka ", facility, ": ", line));
}

rd_kafka_resp_err_t KafkaHandle::OnNew(rd_kafka_t* handle,
                                       const rd_kafka_conf_t*, void* opaque,
                                       char*, size_t) {
  return rd_kafka_interceptor_add_on_request_sent(handle, kInterceptor,
                                                  &OnRequest, opaque);
}

rd_kafka_resp_err_t KafkaHandle::OnRequest(rd_kafka_t*, int, const char*,
                                           int32_t, int16_t api_key, int16_t,
                                           int32_t, size_t, void* opaque) {
  if (api_key == kMetadataApi) {
    ++static_cast<KafkaHandle*>(opaque)->metadata_requests_;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace windproof
