#include "common/record_log/kafka_producer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/record_log/kafka_config.h"

namespace windproof {
namespace {

using Clock = std::chrono::steady_clock;

// What a record batch of Kafka adds to a record, generously.
constexpr int64_t kRecordOverheadBytes = 4096;
constexpr int kPollMs = 200;
constexpr int kMetadataTries = 5;
constexpr int kMetadataTimeoutMs = 5000;
// What a process that ends gives brokers that are away to come back.
constexpr std::chrono::milliseconds kEndWhileAway{3000};
constexpr std::chrono::milliseconds kPurgeAgain{200};

size_t BytesOf(const NewRecord& record) {
  size_t bytes = record.key.has_value() ? record.key->size() : 0;
  if (record.value.has_value()) bytes += record.value->size();
  for (const auto& [name, value] : record.headers) {
    bytes += name.size() + value.size();
  }
  return bytes;
}

const void* DataOf(const std::optional<std::string>& text) {
  return text.has_value() ? text->data() : nullptr;
}

size_t SizeOf(const std::optional<std::string>& text) {
  return text.has_value() ? text->size() : 0;
}

// "3-7, 9" of those that `missing` is true for.
template <typename Missing>
std::string Indices(size_t count, Missing missing) {
  constexpr int kMaxRanges = 20;
  std::string text;
  int ranges = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!missing(i)) continue;
    size_t last = i;
    while (last + 1 < count && missing(last + 1)) ++last;
    if (++ranges > kMaxRanges) return text + " and more";
    absl::StrAppend(&text, text.empty() ? "" : ", ", i);
    if (last > i) absl::StrAppend(&text, "-", last);
    i = last;
  }
  return text;
}

}  // namespace

class KafkaProducer::Client {
 public:
  explicit Client(std::shared_ptr<KafkaHandle> handle)
      : handle_(std::move(handle)),
        queue_(rd_kafka_queue_get_main(handle_->get())),
        poller_([this] { Poll(); }) {}

  // Nothing may be under way.
  ~Client() {
    stopping_ = true;
    rd_kafka_queue_yield(queue_);
    poller_.join();
    rd_kafka_queue_destroy(queue_);
    for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool dead() const {
    std::array<char, 8> text = {};
    return rd_kafka_fatal_error(handle_->get(), text.data(), text.size()) !=
           RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  // Nothing when it is on its way; the value's memory must stay until its
  // answer.
  rd_kafka_resp_err_t Send(const NewRecord& record, int32_t partition,
                           Slot* slot) {
    std::vector<rd_kafka_vu_t> fields(6 + record.headers.size());
    fields[0].vtype = RD_KAFKA_VTYPE_RKT;
    fields[0].u.rkt = TopicOf(record.topic);
    fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[1].u.i32 = partition;
    fields[2].vtype = RD_KAFKA_VTYPE_KEY;
    fields[2].u.mem.ptr = const_cast<void*>(DataOf(record.key));
    fields[2].u.mem.size = SizeOf(record.key);
    // Neither copied nor freed by librdkafka: Append() waits.
    fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[3].u.mem.ptr = const_cast<void*>(DataOf(record.value));
    fields[3].u.mem.size = SizeOf(record.value);
    fields[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    fields[4].u.i64 = record.log_time_ms;
    fields[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
    fields[5].u.ptr = slot;
    for (size_t i = 0; i < record.headers.size(); ++i) {
      rd_kafka_vu_t& field = fields[6 + i];
      field.vtype = RD_KAFKA_VTYPE_HEADER;
      field.u.header.name = record.headers[i].first.c_str();
      field.u.header.val = record.headers[i].second.data();
      field.u.header.size =
          static_cast<ssize_t>(record.headers[i].second.size());
    }
    for (int tries = 1;; ++tries) {
      rd_kafka_error_t* const error =
          rd_kafka_produceva(handle_->get(), fields.data(), fields.size());
      if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
      const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
      rd_kafka_error_destroy(error);
      // The topic may have got more partitions since this client asked.
      if (code != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
          tries > kMetadataTries || !AskForTopic(fields[0].u.rkt)) {
        return code;
      }
    }
  }

  // Whatever has no answer yet gets one: that it was not, or perhaps not,
  // written.
  void Purge() {
    rd_kafka_purge(handle_->get(),
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }

 private:
  rd_kafka_topic_t* TopicOf(const std::string& name) {
    MutexLock lock(mutex_);
    rd_kafka_topic_t*& topic = topics_[name];
    if (topic == nullptr) {
      topic = rd_kafka_topic_new(handle_->get(), name.c_str(), nullptr);
    }
    return topic;
  }

  bool AskForTopic(rd_kafka_topic_t* topic) {
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(handle_->get(), 0, topic, &metadata,
                          kMetadataTimeoutMs) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return false;
    }
    rd_kafka_metadata_destroy(metadata);
    return true;
  }

  void Poll() {
    while (!stopping_) rd_kafka_poll(handle_->get(), kPollMs);
  }

  const std::shared_ptr<KafkaHandle> handle_;
  rd_kafka_queue_t* const queue_;
  Mutex mutex_;
  std::map<std::string, rd_kafka_topic_t*> topics_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> stopping_ = false;
  std::thread poller_;
};

absl::StatusOr<std::unique_ptr<KafkaProducer>> KafkaProducer::Open(
    const Options& options) {
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer(options));
  const absl::StatusOr<KafkaConf> conf =
      MakeKafkaConf(KafkaRole::kProducer, options.properties);
  if (!conf.ok()) return conf.status();
  producer->record_bytes_max_ =
      KafkaConfNumber(**conf, "message.max.bytes") - kRecordOverheadBytes;
  producer->records_max_ = static_cast<size_t>(
      KafkaConfNumber(**conf, "queue.buffering.max.messages"));
  if (producer->records_max_ == 0) producer->records_max_ = size_t{1} << 40;
  producer->bytes_max_ = static_cast<size_t>(
      KafkaConfNumber(**conf, "queue.buffering.max.kbytes") * 1024);
  const auto client = producer->LivingClient();
  if (!client.ok()) return client.status();
  return producer;
}

KafkaProducer::~KafkaProducer() = default;

absl::StatusOr<std::shared_ptr<KafkaProducer::Client>>
KafkaProducer::NewClient() {
  absl::StatusOr<KafkaConf> conf =
      MakeKafkaConf(KafkaRole::kProducer, options_.properties);
  if (!conf.ok()) return conf.status();
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &OnDelivery);
  absl::StatusOr<std::shared_ptr<KafkaHandle>> handle = KafkaHandle::Create(
      RD_KAFKA_PRODUCER, *std::move(conf), options_.health, options_.on_log);
  if (!handle.ok()) return handle.status();
  return std::make_shared<Client>(*std::move(handle));
}

absl::StatusOr<std::shared_ptr<KafkaProducer::Client>>
KafkaProducer::LivingClient() {
  // The last one to let go of a dead client, here or in Append(), ends it.
  std::shared_ptr<Client> dead;
  MutexLock lock(mutex_);
  if (client_ != nullptr && !client_->dead()) return client_;
  absl::StatusOr<std::shared_ptr<Client>> client = NewClient();
  if (!client.ok()) return client;
  dead = std::move(client_);
  client_ = *client;
  return client;
}

absl::Status KafkaProducer::Admit(size_t records, size_t bytes) {
  if (records > records_max_ || bytes > bytes_max_) {
    return absl::InvalidArgumentError(
        absl::StrCat("a batch of ", records, " records and ", bytes, " bytes; ",
                     records_max_, " (queue.buffering.max.messages) and ",
                     bytes_max_, " (queue.buffering.max.kbytes) are accepted"));
  }
  const Clock::time_point deadline = Clock::now() + options_.room_timeout;
  MutexLock lock(mutex_);
  while (records_ + records > records_max_ || bytes_ + bytes > bytes_max_) {
    if (changed_.WaitUntil(mutex_, deadline)) continue;
    return absl::ResourceExhaustedError(absl::StrCat(
        "Kafka does not take records fast enough: ", records_, " records and ",
        bytes_,
        " bytes wait to be acknowledged; nothing of this batch was "
        "written"));
  }
  records_ += records;
  bytes_ += bytes;
  return absl::OkStatus();
}

void KafkaProducer::Release(size_t records, size_t bytes) {
  MutexLock lock(mutex_);
  records_ -= records;
  bytes_ -= bytes;
  changed_.NotifyAll();
}

void KafkaProducer::EndBy(Clock::time_point deadline) {
  if (!options_.health->status().ok()) {
    deadline = std::min(deadline, Clock::now() + kEndWhileAway);
  }
  MutexLock lock(mutex_);
  end_at_ = deadline;
  changed_.NotifyAll();
}

void KafkaProducer::Await(Request* request, Client& client) {
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!request->done &&
             (!end_at_.has_value() || Clock::now() < *end_at_)) {
        if (end_at_.has_value()) {
          changed_.WaitUntil(mutex_, *end_at_);
        } else {
          changed_.Wait(mutex_);
        }
      }
      if (request->done) return;
      // What a failed request gives back in between is purged the next time.
      end_at_ = Clock::now() + kPurgeAgain;
    }
    client.Purge();
  }
}

void KafkaProducer::Answered(Request* request, size_t count) {
  if (count == 0 || request->remaining.fetch_sub(count) != count) return;
  MutexLock lock(mutex_);
  request->done = true;
  changed_.NotifyAll();
}

absl::StatusOr<std::vector<AppendedRecord>> KafkaProducer::Append(
    absl::Span<const NewRecord> records, absl::Span<const int32_t> partitions) {
  size_t bytes = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const size_t size = BytesOf(records[i]);
    if (static_cast<int64_t>(size) > record_bytes_max_) {
      return absl::InvalidArgumentError(
          absl::StrCat("record ", i, " has ", size, " bytes; ",
                       record_bytes_max_, " are accepted"));
    }
    if (records[i].log_time_ms <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("record ", i, ": log time is ", records[i].log_time_ms,
                       " ms; Kafka takes times after 1970-01-01 only"));
    }
    bytes += size;
  }
  absl::Status admitted = Admit(records.size(), bytes);
  if (!admitted.ok()) return admitted;
  const absl::StatusOr<std::shared_ptr<Client>> client = LivingClient();
  if (!client.ok()) {
    Release(records.size(), bytes);
    return client.status();
  }

  Request request;
  request.owner = this;
  request.slots.resize(records.size());
  request.remaining = records.size();
  size_t sent = 0;
  for (; sent < records.size(); ++sent) {
    Slot& slot = request.slots[sent];
    slot.request = &request;
    const rd_kafka_resp_err_t error =
        (*client)->Send(records[sent], partitions[sent], &slot);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    // Only then: what is on its way may have its answer, of another thread,
    // already.
    slot.error = error;
    break;
  }
  // Those after one that was refused would change places with it.
  for (size_t i = sent + 1; i < records.size(); ++i) {
    request.slots[i].error = request.slots[sent].error;
  }
  Answered(&request, records.size() - sent);
  Await(&request, **client);
  Release(records.size(), bytes);

  std::vector<AppendedRecord> appended(records.size());
  const auto failed = [&](size_t i) {
    return request.slots[i].error != RD_KAFKA_RESP_ERR_NO_ERROR ||
           request.slots[i].offset < 0;
  };
  size_t failures = 0;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < records.size(); ++i) {
    appended[i] = {partitions[i], failed(i) ? -1 : request.slots[i].offset};
    if (!failed(i)) continue;
    if (failures++ == 0) error = request.slots[i].error;
  }
  if (failures == 0) {
    options_.health->SetOk();
    return appended;
  }
  // A topic that was there a moment ago: the caller may try again.
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR ||
      error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
      error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
      error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
    error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  }
  return WithAppendOutcome(
      KafkaError(error, absl::StrCat(failures, " of ", records.size(),
                                     " records were not written (indices ",
                                     Indices(records.size(), failed), ")")),
      appended);
}

void KafkaProducer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message,
                               void*) {
  Slot* const slot = static_cast<Slot*>(message->_private);
  slot->error = message->err;
  slot->offset = message->offset;
  Request* const request = slot->request;
  request->owner->Answered(request, 1);
}

}  // namespace windproof
