#include "common/record_log/kafka_log.h"

#include <map>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/record_log/kafka_config.h"
#include "common/record_log/topic.h"

namespace windproof {
namespace {

constexpr int32_t kMaxPartitions = 10'000;
constexpr std::chrono::milliseconds kListAge{1000};
constexpr std::chrono::milliseconds kAskAgain{50};
// A reader asks while its other partitions wait.
constexpr std::chrono::milliseconds kReaderTimeout{2000};

// A consumer of that role.
absl::StatusOr<std::shared_ptr<KafkaHandle>> MakeConsumer(
    KafkaRole role, const KafkaLog::Options& options,
    std::shared_ptr<KafkaHealth> health) {
  absl::StatusOr<KafkaConf> conf = MakeKafkaConf(role, options.properties);
  if (!conf.ok()) return conf.status();
  return KafkaHandle::Create(RD_KAFKA_CONSUMER, *std::move(conf),
                             std::move(health), options.on_log);
}

// A reader of a log of which no client could be made.
class FailedReader final : public LogReader {
 public:
  explicit FailedReader(absl::Status status) : status_(std::move(status)) {}
  void Assign(const TopicPartition&, int64_t) override {}
  void Unassign(const TopicPartition&) override {}
  absl::StatusOr<std::optional<RecordBatch>> Poll(
      size_t, std::chrono::milliseconds) override {
    return status_;
  }
  void Wake() override {}

 private:
  const absl::Status status_;
};

}  // namespace

KafkaLog::KafkaLog(const Options& options)
    : options_(options), health_(std::make_shared<KafkaHealth>()) {}

KafkaLog::~KafkaLog() {
  EndBy(std::chrono::steady_clock::now());
  if (asker_.joinable()) asker_.join();
}

void KafkaLog::EndBy(std::chrono::steady_clock::time_point deadline) {
  if (admin_ != nullptr) admin_->End();
  if (producer_ != nullptr) producer_->EndBy(deadline);
  MutexLock lock(mutex_);
  ended_ = true;
  ended_changed_.NotifyAll();
}

void KafkaLog::AskOnAndOn() {
  while (true) {
    // The answer is for Health(), and for all who want to know.
    static_cast<void>(topics_->List(kListAge));
    const auto next = std::chrono::steady_clock::now() + kListAge;
    MutexLock lock(mutex_);
    while (!ended_ && ended_changed_.WaitUntil(mutex_, next)) {
    }
    if (ended_) return;
  }
}

absl::StatusOr<std::unique_ptr<KafkaLog>> KafkaLog::Open(
    const Options& options) {
  if (options.partitions < 1 || options.partitions > kMaxPartitions) {
    return absl::InvalidArgumentError(
        absl::StrCat("partitions of new topics is ", options.partitions,
                     "; 1 to ", kMaxPartitions, " are accepted"));
  }
  if (options.replication != -1 &&
      (options.replication < 1 || options.replication > 32767)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "replication of new topics is ", options.replication,
        "; 1 to 32767, or -1 for the brokers' default, are accepted"));
  }
  if (options.retention_ms.has_value() && *options.retention_ms < -1) {
    return absl::InvalidArgumentError(
        absl::StrCat("retention of new topics is ", *options.retention_ms,
                     " ms; 0 and above, or -1 for ever, are accepted"));
  }
  std::unique_ptr<KafkaLog> log(new KafkaLog(options));
  log->health_->SetError(
      absl::UnavailableError("no broker of Kafka has answered yet"));

  auto producer = KafkaProducer::Open({.properties = options.properties,
                                       .health = log->health_,
                                       .on_log = options.on_log});
  if (!producer.ok()) return producer.status();
  log->producer_ = *std::move(producer);

  auto handle = MakeConsumer(KafkaRole::kAdmin, options, log->health_);
  if (!handle.ok()) return handle.status();
  log->admin_ = std::make_unique<KafkaAdmin>(*std::move(handle));

  // Settings that only a reader refuses are found now.
  const auto reader = MakeKafkaConf(KafkaRole::kReader, options.properties);
  if (!reader.ok()) return reader.status();
  log->reader_options_.queued_max =
      KafkaConfNumber(**reader, "queued.min.messages");
  log->reader_options_.queued_bytes_max =
      KafkaConfNumber(**reader, "queued.max.messages.kbytes") * 1024;

  KafkaTopics::Options topics;
  topics.create = options.create_topics;
  topics.partitions = options.partitions;
  topics.replication = options.replication;
  topics.retention_ms = options.retention_ms;
  topics.record_bytes_max = KafkaConfNumber(**reader, "message.max.bytes");
  topics.timeout = options.request_timeout;
  log->topics_ = std::make_unique<KafkaTopics>(topics, *log->admin_);
  log->asker_ = std::thread([log = log.get()] { log->AskOnAndOn(); });
  return log;
}

absl::StatusOr<std::vector<AppendedRecord>> KafkaLog::Append(
    absl::Span<const NewRecord> records) {
  std::map<absl::string_view, int32_t> sizes;
  // All names before any topic is made.
  for (const NewRecord& record : records) {
    if (!sizes.emplace(record.topic, 0).second) continue;
    absl::Status named = CheckTopicName(record.topic);
    if (!named.ok()) return named;
  }
  if (records.empty()) return std::vector<AppendedRecord>();
  for (auto& [topic, partitions] : sizes) {
    const absl::StatusOr<int32_t> size =
        topics_->PartitionsOf(std::string(topic));
    if (!size.ok()) return size.status();
    partitions = *size;
  }
  std::vector<int32_t> partitions(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    const int32_t size = sizes[records[i].topic];
    partitions[i] =
        records[i].partition.value_or(PartitionOfKey(records[i].key, size));
    if (partitions[i] < 0 || partitions[i] >= size) {
      return absl::InvalidArgumentError(
          absl::StrCat("record ", i, ": partition is ", partitions[i],
                       "; topic ", records[i].topic, " has 0 to ", size - 1));
    }
  }
  return producer_->Append(records, partitions);
}

absl::Status KafkaLog::EnsureTopic(const TopicNeed& need) {
  return topics_->Ensure(need);
}

std::unique_ptr<LogReader> KafkaLog::NewReader() {
  auto handle = MakeConsumer(KafkaRole::kReader, options_, health_);
  if (!handle.ok()) return std::make_unique<FailedReader>(handle.status());
  return std::make_unique<KafkaReader>(reader_options_, *std::move(handle),
                                       [this](const TopicPartition& source) {
                                         return AskBounds(source,
                                                          kReaderTimeout);
                                       });
}

absl::StatusOr<LogBounds> KafkaLog::Bounds(const TopicPartition& source) {
  return AskBounds(source, options_.request_timeout);
}

absl::StatusOr<LogBounds> KafkaLog::AskBounds(
    const TopicPartition& source, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::chrono::milliseconds age = kListAge;
  while (true) {
    // Of a partition that is not there librdkafka would wait for the leader.
    const absl::StatusOr<KafkaTopicSizes> sizes = topics_->List(age, timeout);
    if (!sizes.ok()) return sizes.status();
    const auto topic = sizes->find(source.topic);
    const bool exists = topic != sizes->end() && source.partition >= 0 &&
                        source.partition < topic->second;
    if (!exists && age == std::chrono::milliseconds(0)) {
      return absl::NotFoundError(absl::StrCat(
          "Kafka has no partition ", source.topic, "/", source.partition));
    }
    age = std::chrono::milliseconds(0);
    if (!exists) continue;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    absl::StatusOr<LogBounds> bounds = admin_->Bounds(source, left);
    if (bounds.ok()) return bounds;
    // One that was just made, or that changes its leader, answers soon.
    if (left <= kAskAgain || admin_->ended()) {
      return absl::UnavailableError(bounds.status().message());
    }
    std::this_thread::sleep_for(kAskAgain);
  }
}

absl::StatusOr<std::vector<TopicPartition>> KafkaLog::ListPartitions() {
  const absl::StatusOr<KafkaTopicSizes> sizes = topics_->List(kListAge);
  if (!sizes.ok()) return sizes.status();
  std::vector<TopicPartition> partitions;
  for (const auto& [topic, size] : *sizes) {
    for (int32_t i = 0; i < size; ++i) partitions.push_back({topic, i});
  }
  return partitions;
}

void KafkaLog::WaitForPartitions(size_t known,
                                 std::chrono::milliseconds timeout) {
  topics_->WaitForPartitions(known, timeout);
}

}  // namespace windproof
