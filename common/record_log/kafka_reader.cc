#include "common/record_log/kafka_reader.h"

#include <algorithm>
#include <array>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/log_record.h"

namespace windproof {
namespace {

// Taken off librdkafka's queue before they are given: enough for several
// batches, little beside what is fetched ahead.
constexpr size_t kFetchedMax = 8192;
constexpr size_t kFetchedBytesMax = 8 << 20;
constexpr size_t kDrainAtOnce = 2048;
constexpr int kNudged = 32;

// A partition just assigned is waited for that long, so that those assigned
// together also begin together.
constexpr std::chrono::milliseconds kFresh{1000};
constexpr std::chrono::milliseconds kRetryPause{500};
// Last records are looked at again at most that often, and not while
// partitions are being assigned, which asks for metadata, too.
constexpr std::chrono::milliseconds kVerifyPause{2000};
constexpr std::chrono::milliseconds kAssignPause{500};
// A fetch answers within fetch.wait.max.ms.
constexpr std::chrono::milliseconds kSilence{1500};
constexpr std::chrono::milliseconds kSilencePause{5000};

int64_t TimeOf(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  return rd_kafka_message_timestamp(&message, &type);
}

std::optional<absl::string_view> Text(const void* data, size_t size) {
  if (data == nullptr) return std::nullopt;
  return absl::string_view(static_cast<const char*>(data), size);
}

uint64_t HashOf(const rd_kafka_message_t& message) {
  const auto key = Text(message.key, message.key_len);
  const auto value = Text(message.payload, message.len);
  return absl::HashOf(TimeOf(message), key.has_value(), key.value_or(""),
                      value.has_value(), value.value_or(""));
}

size_t BytesOf(const rd_kafka_message_t& message) {
  return message.len + message.key_len;
}

LogRecord RecordOf(const rd_kafka_message_t& message) {
  LogRecord record;
  record.offset = message.offset;
  record.log_time_ms = TimeOf(message);
  record.key = Text(message.key, message.key_len);
  record.value = Text(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    const size_t count = rd_kafka_header_cnt(headers);
    record.headers.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const char* name = nullptr;
      const void* value = nullptr;
      size_t size = 0;
      if (rd_kafka_header_get_all(headers, i, &name, &value, &size) !=
          RD_KAFKA_RESP_ERR_NO_ERROR) {
        break;
      }
      record.headers.push_back({name, Text(value, size)});
    }
  }
  return record;
}

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};

std::string Where(const TopicPartition& source) {
  return absl::StrCat(source.topic, "/", source.partition);
}

}  // namespace

// The messages of a batch, and the client that they belong to: declared in this
// order so that the messages go first.
struct KafkaReader::Memory {
  std::shared_ptr<KafkaHandle> handle;
  std::vector<Message> messages;
};

KafkaReader::KafkaReader(const Options& options,
                         std::shared_ptr<KafkaHandle> handle, Bounds bounds)
    : options_(options),
      handle_(std::move(handle)),
      bounds_(std::move(bounds)),
      queue_(rd_kafka_queue_new(handle_->get())) {
  rd_kafka_queue_cb_event_enable(queue_, &OnQueue, this);
}

KafkaReader::~KafkaReader() {
  rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr);
  MutexLock lock(mutex_);
  for (auto& [source, partition] : assigned_) StopFetch(&partition);
  assigned_.clear();
  for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic);
  rd_kafka_queue_destroy(queue_);
}

void KafkaReader::OnQueue(rd_kafka_t*, void* opaque) {
  static_cast<KafkaReader*>(opaque)->Signal();
}

void KafkaReader::Signal() {
  MutexLock lock(signal_mutex_);
  signal_ = true;
  signalled_.NotifyAll();
}

void KafkaReader::Wake() {
  MutexLock lock(signal_mutex_);
  woken_ = true;
  signalled_.NotifyAll();
}

void KafkaReader::Assign(const TopicPartition& source, int64_t offset) {
  {
    MutexLock lock(mutex_);
    const Clock::time_point now = Clock::now();
    Partition& partition = assigned_[source];
    StopFetch(&partition);
    partition = Partition();
    partition.source = source;
    partition.position = offset;
    partition.fresh_until = now + kFresh;
    rd_kafka_topic_t*& topic = topics_[source.topic];
    if (topic == nullptr) {
      topic = rd_kafka_topic_new(handle_->get(), source.topic.c_str(), nullptr);
      not_before_ = std::max(not_before_, now + kAssignPause);
    }
    partition.topic = topic;
    if (offset < 0) {
      partition.failed = absl::OutOfRangeError(
          absl::StrCat("offset ", offset, " of ", Where(source),
                       " is no offset; 0 and above are accepted"));
    } else {
      partition.learns = offset > 0;
      StartFetch(&partition, std::max<int64_t>(offset - 1, 0));
    }
  }
  Signal();
}

void KafkaReader::Unassign(const TopicPartition& source) {
  MutexLock lock(mutex_);
  const auto found = assigned_.find(source);
  if (found == assigned_.end()) return;
  StopFetch(&found->second);
  assigned_.erase(found);
}

void KafkaReader::StartFetch(Partition* partition, int64_t offset) {
  if (rd_kafka_consume_start_queue(
          partition->topic, partition->source.partition, offset, queue_) == 0) {
    partition->fetching = true;
    partition->retry_at.reset();
    partition->check_at = Clock::now() + kSilence;
    return;
  }
  Retry(partition);
}

void KafkaReader::StopFetch(Partition* partition) {
  if (partition->fetching) {
    rd_kafka_consume_stop(partition->topic, partition->source.partition);
    partition->fetching = false;
  }
  for (const Message& message : partition->fetched) {
    fetched_bytes_ -= BytesOf(*message);
  }
  fetched_ -= partition->fetched.size();
  partition->fetched.clear();
}

absl::StatusOr<std::optional<RecordBatch>> KafkaReader::Poll(
    size_t max_records, std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
  const Clock::time_point deadline =
      Clock::now() +
      std::clamp(timeout, std::chrono::milliseconds(0), kLongest);
  max_records = std::max<size_t>(max_records, 1);
  bool last_look = false;
  while (true) {
    {
      MutexLock lock(signal_mutex_);
      signal_ = false;
      if (woken_) {
        woken_ = false;
        return std::nullopt;
      }
    }
    Clock::time_point until = deadline;
    {
      MutexLock lock(mutex_);
      Drain();
      Maintain(Clock::now());
      std::optional<RecordBatch> batch = NextBatch(max_records);
      if (batch.has_value()) return batch;
      if (last_look) return std::nullopt;
      until = NextMaintenance(deadline);
    }
    MutexLock lock(signal_mutex_);
    while (!signal_ && !woken_) {
      if (!signalled_.WaitUntil(signal_mutex_, until)) break;
    }
    last_look = Clock::now() >= deadline;
  }
}

void KafkaReader::Drain() {
  // Errors of the client as a whole.
  rd_kafka_poll(handle_->get(), 0);
  std::array<rd_kafka_message_t*, kDrainAtOnce> messages;
  while (fetched_ < kFetchedMax && fetched_bytes_ < kFetchedBytesMax) {
    const ssize_t count = rd_kafka_consume_batch_queue(
        queue_, 0, messages.data(), messages.size());
    const rd_kafka_topic_t* topic = nullptr;
    int32_t number = -1;
    Partition* partition = nullptr;
    for (ssize_t i = 0; i < count; ++i) {
      Message message(messages[static_cast<size_t>(i)]);
      // Of no partition: told by the client's error callback as well.
      if (message->rkt == nullptr) continue;
      // They come in long runs.
      if (message->rkt != topic || message->partition != number) {
        topic = message->rkt;
        number = message->partition;
        partition = PartitionOf(*message);
      }
      if (partition == nullptr) continue;
      ++fetched_;
      fetched_bytes_ += BytesOf(*message);
      partition->fetched.push_back(std::move(message));
    }
    if (count < static_cast<ssize_t>(messages.size())) break;
  }
  if (fetched_ > 0) {
    message_bytes_ =
        static_cast<double>(fetched_bytes_) / static_cast<double>(fetched_);
  }
  NudgeIfNeeded();
}

KafkaReader::Partition* KafkaReader::PartitionOf(
    const rd_kafka_message_t& message) {
  const auto [name, is_new] =
      names_.try_emplace({message.rkt, message.partition});
  if (is_new) {
    name->second = {rd_kafka_topic_name(message.rkt), message.partition};
  }
  const auto found = assigned_.find(name->second);
  if (found == assigned_.end()) return nullptr;
  found->second.fresh_until.reset();
  found->second.check_at.reset();
  return &found->second;
}

// A broker's thread that found the queue full looks again a second later, or
// when it has something else to do: so it is asked something, early enough that
// the queue does not run dry. (From librdkafka 2.2 on fetch.queue.backoff.ms
// does this.)
void KafkaReader::NudgeIfNeeded() {
  const double length = static_cast<double>(rd_kafka_queue_length(queue_));
  const double fill = std::max(
      length / static_cast<double>(options_.queued_max),
      length * message_bytes_ / static_cast<double>(options_.queued_bytes_max));
  if (fill > 0.7) queue_was_full_ = true;
  if (!queue_was_full_ || fill > 0.5) return;
  queue_was_full_ = false;
  const std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter> list(
      rd_kafka_topic_partition_list_new(kNudged));
  // Some partitions after the one whose turn it was, to meet all their leaders.
  auto it = assigned_.upper_bound(last_);
  for (size_t i = 0; i < std::min<size_t>(assigned_.size(), kNudged);
       ++i, ++it) {
    if (it == assigned_.end()) it = assigned_.begin();
    rd_kafka_topic_partition_list_add(list.get(), it->first.topic.c_str(),
                                      it->first.partition)
        ->offset = RD_KAFKA_OFFSET_END;
  }
  if (list->cnt > 0) {
    // The answer is of no interest.
    rd_kafka_offsets_for_times(handle_->get(), list.get(), 1);
  }
}

void KafkaReader::Maintain(Clock::time_point now) {
  const uint64_t metadata = handle_->metadata_requests();
  if (metadata != metadata_seen_) {
    metadata_seen_ = metadata;
    for (auto& [source, partition] : assigned_) {
      if (!partition.check_at.has_value()) {
        partition.check_at = now + kSilence;
      }
      if (partition.last.has_value() && !partition.suspect.has_value()) {
        partition.suspect = partition.last;
        verify_at_ = std::max(now, not_before_);
      }
    }
  }
  if (verify_at_.has_value() && *verify_at_ <= now) {
    verify_at_.reset();
    not_before_ = std::max(not_before_, now + kVerifyPause);
    for (auto& [source, partition] : assigned_) {
      if (!partition.suspect.has_value()) continue;
      partition.expected = partition.suspect;
      partition.suspect.reset();
      StopFetch(&partition);
      StartFetch(&partition, partition.expected->offset);
    }
  }
  for (auto& [source, partition] : assigned_) {
    if (!partition.retry_at.has_value() || *partition.retry_at > now) continue;
    partition.retry_at.reset();
    StopFetch(&partition);
    StartFetch(&partition, partition.expected.has_value()
                               ? partition.expected->offset
                               : partition.position);
  }
  CheckSilent(now);
}

// One at a time: it asks the brokers.
void KafkaReader::CheckSilent(Clock::time_point now) {
  for (auto& [source, partition] : assigned_) {
    if (!partition.check_at.has_value() || *partition.check_at > now ||
        !partition.failed.ok()) {
      continue;
    }
    const absl::StatusOr<LogBounds> bounds = bounds_(source);
    const Clock::time_point next = Clock::now() + kSilencePause;
    if (bounds.ok()) {
      handle_->health().SetOk();
      partition.check_at.reset();
      if (partition.position < bounds->begin ||
          partition.position > bounds->end) {
        HandleOutOfRange(&partition);
      }
    } else if (absl::IsNotFound(bounds.status())) {
      HandleMissing(&partition);
    } else {
      // The brokers are away, for all of them.
      for (auto& [other, later] : assigned_) {
        if (later.check_at.has_value()) later.check_at = next;
      }
    }
    return;
  }
}

KafkaReader::Clock::time_point KafkaReader::NextMaintenance(
    Clock::time_point latest) {
  // A request for metadata is noticed within this time, also where nothing is
  // fetched.
  Clock::time_point next = Clock::now() + std::chrono::milliseconds(250);
  if (verify_at_.has_value()) next = std::min(next, *verify_at_);
  for (const auto& [source, partition] : assigned_) {
    if (partition.retry_at.has_value()) {
      next = std::min(next, *partition.retry_at);
    }
    if (partition.fresh_until.has_value()) {
      next = std::min(next, *partition.fresh_until);
    }
    if (partition.check_at.has_value()) {
      next = std::min(next, *partition.check_at);
    }
  }
  return std::min(next, latest);
}

std::optional<RecordBatch> KafkaReader::NextBatch(size_t max_records) {
  const Clock::time_point now = Clock::now();
  // Not where much has come: theirs may lie behind it in the queue.
  const bool much =
      fetched_ >= kFetchedMax || fetched_bytes_ >= kFetchedBytesMax;
  for (auto& [source, partition] : assigned_) {
    if (!partition.fresh_until.has_value() || !partition.failed.ok()) continue;
    if (*partition.fresh_until > now && !much) return std::nullopt;
    partition.fresh_until.reset();
  }
  auto it = assigned_.upper_bound(last_);
  for (size_t i = assigned_.size(); i > 0; --i, ++it) {
    if (it == assigned_.end()) it = assigned_.begin();
    std::optional<RecordBatch> batch = Take(&it->second, max_records);
    if (!batch.has_value()) continue;
    last_ = it->first;
    if (!batch->status.ok()) {
      StopFetch(&it->second);
      assigned_.erase(it);
    }
    return batch;
  }
  return std::nullopt;
}

std::optional<RecordBatch> KafkaReader::Take(Partition* partition,
                                             size_t max_records) {
  if (partition->fetched.empty() && partition->failed.ok()) return std::nullopt;
  RecordBatch batch;
  auto memory = std::make_shared<Memory>();
  const size_t expected = std::min(max_records, partition->fetched.size());
  batch.records.reserve(expected);
  memory->messages.reserve(expected);
  size_t bytes = 0;
  const int64_t before = partition->position;
  int64_t position = before;
  while (partition->failed.ok() && !partition->fetched.empty()) {
    const rd_kafka_message_t& message = *partition->fetched.front();
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR &&
        (batch.records.size() >= max_records ||
         (bytes > 0 && bytes + BytesOf(message) > options_.batch_bytes_max))) {
      break;
    }
    Message taken = std::move(partition->fetched.front());
    partition->fetched.pop_front();
    --fetched_;
    fetched_bytes_ -= BytesOf(*taken);
    if (taken->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (taken->offset < position) {
        // Fetched from before the position: the log no longer reaches it.
        partition->position = position;
        HandleOutOfRange(partition);
        break;
      }
      // Offsets up to here have no records for us. What the fetch was to begin
      // with is no longer there (a compacted topic).
      position = taken->offset;
      partition->expected.reset();
      continue;
    }
    if (taken->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // The records before it are given first; it comes again.
      partition->position = position;
      HandleError(partition, *taken);
      break;
    }
    if (!Accept(partition, *taken)) continue;
    bytes += BytesOf(*taken);
    position = taken->offset + 1;
    batch.records.push_back(RecordOf(*taken));
    memory->messages.push_back(std::move(taken));
  }
  partition->position = position;
  if (!memory->messages.empty()) {
    const rd_kafka_message_t& last = *memory->messages.back();
    partition->last = Mark{last.offset, HashOf(last)};
    handle_->health().SetOk();
  }
  batch.source = partition->source;
  batch.next_offset = position;
  if (batch.records.empty() && !partition->failed.ok()) {
    batch.status = partition->failed;
    return batch;
  }
  if (position == before) return std::nullopt;
  memory->handle = handle_;
  batch.memory = std::move(memory);
  return batch;
}

bool KafkaReader::Accept(Partition* partition,
                         const rd_kafka_message_t& message) {
  if (partition->expected.has_value() &&
      message.offset >= partition->expected->offset) {
    const Mark expected = *partition->expected;
    partition->expected.reset();
    if (message.offset == expected.offset && HashOf(message) != expected.hash) {
      partition->failed = absl::DataLossError(absl::StrCat(
          Where(partition->source), ": the record at offset ", expected.offset,
          " is not the one that was read there before; position ",
          partition->position,
          " was expected to follow it. The topic was deleted and made anew, or "
          "its log was cut off and written again"));
      return false;
    }
  }
  if (message.offset >= partition->position) return true;
  if (partition->learns && message.offset + 1 == partition->position) {
    partition->last = Mark{message.offset, HashOf(message)};
  }
  return false;
}

void KafkaReader::HandleError(Partition* partition,
                              const rd_kafka_message_t& message) {
  const TopicPartition& source = partition->source;
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      HandleOutOfRange(partition);
      return;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      HandleMissing(partition);
      return;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
      partition->failed = absl::DataLossError(absl::StrCat(
          Where(source), ": damaged bytes at offset ", message.offset,
          ", expected position ", partition->position, ": ",
          rd_kafka_message_errstr(&message)));
      return;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      partition->failed = absl::PermissionDeniedError(
          absl::StrCat(Where(source), ", position ", partition->position, ": ",
                       rd_kafka_message_errstr(&message)));
      return;
    default:
      // The broker is away, or changes its place.
      handle_->health().SetError(absl::UnavailableError(absl::StrCat(
          Where(source), ": ", rd_kafka_message_errstr(&message))));
      Retry(partition);
  }
}

void KafkaReader::Retry(Partition* partition) {
  StopFetch(partition);
  partition->retry_at = Clock::now() + kRetryPause;
}

void KafkaReader::HandleOutOfRange(Partition* partition) {
  const absl::StatusOr<LogBounds> bounds = bounds_(partition->source);
  if (absl::IsNotFound(bounds.status())) {
    HandleMissing(partition);
    return;
  }
  if (!bounds.ok()) {
    // Asked again: the position is as wrong then.
    handle_->health().SetError(bounds.status());
    Retry(partition);
    return;
  }
  if (partition->position >= bounds->begin &&
      partition->position <= bounds->end) {
    // Left over from an earlier position, or what the fetch was to begin with
    // is no longer kept, which is nobody's fault.
    if (partition->expected.has_value() &&
        partition->expected->offset < bounds->begin) {
      partition->expected.reset();
    }
    partition->retry_at = Clock::now();
    return;
  }
  partition->failed = absl::OutOfRangeError(absl::StrCat(
      "offset ", partition->position, " of ", Where(partition->source),
      " is not in the log; ", bounds->begin, " to ", bounds->end,
      " are accepted. ",
      partition->position < bounds->begin
          ? "Retention has deleted what lies before"
          : "The topic was deleted and made anew, or its log was cut off"));
}

void KafkaReader::HandleMissing(Partition* partition) {
  const absl::StatusOr<LogBounds> bounds = bounds_(partition->source);
  if (bounds.ok() || !absl::IsNotFound(bounds.status())) {
    Retry(partition);
    return;
  }
  partition->failed = absl::NotFoundError(absl::StrCat(
      Where(partition->source), ": Kafka has no such partition ",
      "any more; position ", partition->position, " was expected in it"));
}

}  // namespace windproof
