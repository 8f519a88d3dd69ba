#include "common/record_log/kafka_partition_group.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "common/record_log/kafka_config.h"

namespace windproof {
namespace {

constexpr std::chrono::milliseconds kLookForTopics{1000};
constexpr std::chrono::milliseconds kOwnersAge{1000};
constexpr int kPollMs = 100;
constexpr int kOwnersTimeoutMs = 5000;

struct ListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t, ListDeleter>;

struct ErrorDeleter {
  void operator()(rd_kafka_error_t* error) const {
    rd_kafka_error_destroy(error);
  }
};
using Error = std::unique_ptr<rd_kafka_error_t, ErrorDeleter>;

std::vector<TopicPartition> ToVector(
    const rd_kafka_topic_partition_list_t& list) {
  std::vector<TopicPartition> partitions;
  partitions.reserve(static_cast<size_t>(list.cnt));
  for (int i = 0; i < list.cnt; ++i) {
    partitions.push_back({list.elems[i].topic, list.elems[i].partition});
  }
  return partitions;
}

PartitionList ToList(const std::vector<TopicPartition>& partitions) {
  PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& source : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), source.topic.c_str(),
                                      source.partition);
  }
  return list;
}

// FNV-1a, in hex: an address has characters that an instance id cannot have.
std::string ShortName(absl::string_view text) {
  uint32_t hash = 2166136261;
  for (const char c : text) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  }
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad8));
}

// One setting that is ours.
absl::Status Set(rd_kafka_conf_t* conf, const char* key,
                 const std::string& value) {
  std::array<char, 512> error = {};
  if (rd_kafka_conf_set(conf, key, value.c_str(), error.data(), error.size()) ==
      RD_KAFKA_CONF_OK) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(key, " is `", value, "`: ", error.data()));
}

struct GroupListDeleter {
  void operator()(const struct rd_kafka_group_list* list) const {
    if (list != nullptr) rd_kafka_group_list_destroy(list);
  }
};

// Takes a big-endian number of `size` bytes off the front; -1: too short.
int64_t TakeNumber(size_t size, absl::string_view* bytes) {
  if (bytes->size() < size) return -1;
  int64_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    number = number << 8 | static_cast<unsigned char>((*bytes)[i]);
  }
  bytes->remove_prefix(size);
  return number;
}

// What Kafka's consumer protocol says that a member has: a version (int16), and
// by topic (string of an int16 size) its partitions (int32 each); the counts
// are int32. Whatever is cut off is left out.
std::vector<TopicPartition> AssignmentOf(absl::string_view bytes) {
  std::vector<TopicPartition> sources;
  if (TakeNumber(2, &bytes) < 0) return sources;
  const int64_t topics = TakeNumber(4, &bytes);
  for (int64_t i = 0; i < topics; ++i) {
    const int64_t size = TakeNumber(2, &bytes);
    if (size < 0 || static_cast<size_t>(size) > bytes.size()) return sources;
    const std::string topic(bytes.substr(0, static_cast<size_t>(size)));
    bytes.remove_prefix(static_cast<size_t>(size));
    const int64_t count = TakeNumber(4, &bytes);
    for (int64_t j = 0; j < count; ++j) {
      const int64_t partition = TakeNumber(4, &bytes);
      if (partition < 0) return sources;
      sources.push_back(
          {.topic = topic, .partition = static_cast<int32_t>(partition)});
    }
  }
  return sources;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaPartitionGroup>> KafkaPartitionGroup::Join(
    const Options& options, RecordLog& log) {
  if (options.group_id.empty()) {
    return absl::InvalidArgumentError("the Kafka group has no name");
  }
  absl::StatusOr<KafkaConf> conf =
      MakeKafkaConf(KafkaRole::kGroup, options.properties);
  if (!conf.ok()) return conf.status();
  std::vector<std::pair<const char*, std::string>> settings = {
      {"group.id", options.group_id},
      {"client.id", options.advertise},
      {"partition.assignment.strategy", "cooperative-sticky"},
      // The client is served by a thread of its own, whatever its owner does;
      // this is also how long a rebalance waits for what is given up.
      {"max.poll.interval.ms", "600000"},
  };
  if (!options.instance_id.empty()) {
    settings.emplace_back(
        "group.instance.id",
        absl::StrCat(options.instance_id, "-", ShortName(options.advertise)));
  }
  for (const auto& [key, value] : settings) {
    absl::Status set = Set(conf->get(), key, value);
    if (!set.ok()) return set;
  }
  rd_kafka_conf_set_rebalance_cb(conf->get(), &RebalanceCallback);

  std::unique_ptr<KafkaPartitionGroup> group(
      new KafkaPartitionGroup(options, log));
  absl::StatusOr<std::shared_ptr<KafkaHandle>> handle =
      KafkaHandle::Create(RD_KAFKA_CONSUMER, *std::move(conf),
                          std::make_shared<KafkaHealth>(), options.on_log);
  if (!handle.ok()) return handle.status();
  group->handle_ = *std::move(handle);
  group->handle_->set_owner(group.get());
  rd_kafka_poll_set_consumer(group->handle_->get());
  group->looker_ =
      std::thread([group = group.get()] { group->LookForTopics(); });
  group->thread_ = std::thread([group = group.get()] { group->Run(); });
  return group;
}

KafkaPartitionGroup::~KafkaPartitionGroup() { Leave(); }

void KafkaPartitionGroup::Leave() {
  {
    MutexLock lock(mutex_);
    leaving_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  if (looker_.joinable()) looker_.join();
}

// Waits for nothing but the client: one whose session is over goes on to say
// that it lives, without its name, until it is told that its partitions are
// lost. Kafka takes that for another process with our instance id.
void KafkaPartitionGroup::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (leaving_) break;
    }
    Subscribe();
    rd_kafka_message_t* const message =
        rd_kafka_consumer_poll(handle_->get(), kPollMs);
    if (message == nullptr) continue;
    // Records are none of ours; of errors only those of the group matter.
    const rd_kafka_resp_err_t error = message->err;
    rd_kafka_message_destroy(message);
    if (error == RD_KAFKA_RESP_ERR__FATAL ||
        error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
      std::array<char, 256> text = {};
      rd_kafka_fatal_error(handle_->get(), text.data(), text.size());
      Fail(absl::FailedPreconditionError(
          absl::StrCat("shut out of Kafka's group ", options_.group_id,
                       ": another process has its instance id ",
                       options_.instance_id, ": ", text.data())));
    } else if (error == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
               error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
      MutexLock lock(mutex_);
      failed_ = KafkaError(
          error, absl::StrCat("no part in Kafka's group ", options_.group_id));
      changed_.NotifyAll();
    }
  }
  // Calls back to give up what there is.
  rd_kafka_consumer_close(handle_->get());
}

void KafkaPartitionGroup::LookForTopics() {
  while (true) {
    const auto partitions = log_.ListPartitions();
    std::set<std::string> topics;
    if (partitions.ok()) {  // else the log says so itself
      for (const TopicPartition& source : *partitions) {
        if (!topics.contains(source.topic) && options_.wants(source.topic)) {
          topics.insert(source.topic);
        }
      }
    }
    const Clock::time_point next = Clock::now() + kLookForTopics;
    MutexLock lock(mutex_);
    if (partitions.ok()) topics_ = std::move(topics);
    while (!leaving_ && Clock::now() < next) changed_.WaitUntil(mutex_, next);
    if (leaving_) return;
  }
}

void KafkaPartitionGroup::Subscribe() {
  std::set<std::string> topics;
  {
    MutexLock lock(mutex_);
    topics = topics_;
  }
  if (topics == subscribed_ || topics.empty()) return;
  const PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(),
                                      RD_KAFKA_PARTITION_UA);
  }
  if (rd_kafka_subscribe(handle_->get(), list.get()) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    subscribed_ = std::move(topics);
  }
}

void KafkaPartitionGroup::RebalanceCallback(
    rd_kafka_t*, rd_kafka_resp_err_t error,
    rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  static_cast<KafkaPartitionGroup*>(static_cast<KafkaHandle*>(opaque)->owner())
      ->OnRebalance(error, partitions);
}

void KafkaPartitionGroup::OnRebalance(
    rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
      OnAssigned(partitions);
      return;
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
      OnRevoked(partitions);
      return;
    default:
      rd_kafka_assign(handle_->get(), nullptr);
  }
}

void KafkaPartitionGroup::OnAssigned(
    rd_kafka_topic_partition_list_t* partitions) {
  // Nothing is to be fetched: from the end, and paused at once.
  for (int i = 0; i < partitions->cnt; ++i) {
    partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
  }
  const Error refused(rd_kafka_incremental_assign(handle_->get(), partitions));
  rd_kafka_pause_partitions(handle_->get(), partitions);
  handle_->health().SetOk();
  MutexLock lock(mutex_);
  failed_ = absl::OkStatus();  // a permission that was given after all
  if (partitions->cnt == 0) return;
  Change change;
  change.assigned = ToVector(*partitions);
  owned_.insert(change.assigned.begin(), change.assigned.end());
  changes_.push_back(std::move(change));
  changed_.NotifyAll();
}

void KafkaPartitionGroup::OnRevoked(
    rd_kafka_topic_partition_list_t* partitions) {
  Change change;
  change.revoked = ToVector(*partitions);
  change.lost = rd_kafka_assignment_lost(handle_->get()) != 0;
  bool at_once = change.lost || partitions->cnt == 0;
  {
    MutexLock lock(mutex_);
    at_once |= leaving_;
    if (partitions->cnt > 0 && !leaving_) {
      changes_.push_back(change);
      changed_.NotifyAll();
    }
    if (at_once) {
      for (const TopicPartition& source : change.revoked) owned_.erase(source);
    }
  }
  // Otherwise Done() does it: so long the others wait.
  if (at_once) GiveUp(change.revoked);
}

void KafkaPartitionGroup::GiveUp(
    const std::vector<TopicPartition>& partitions) {
  const Error refused(
      rd_kafka_incremental_unassign(handle_->get(), ToList(partitions).get()));
}

// What it had is lost, as often as it takes: the client does not say it again.
void KafkaPartitionGroup::Fail(absl::Status status) {
  MutexLock lock(mutex_);
  if (!owned_.empty()) {
    Change change;
    change.revoked.assign(owned_.begin(), owned_.end());
    change.lost = true;
    owned_.clear();
    // Those that were to be given up already are lost now, too.
    std::erase_if(changes_, [](const Change& waiting) {
      return !waiting.revoked.empty() && !waiting.lost;
    });
    changes_.push_back(std::move(change));
  }
  failed_ = std::move(status);
  changed_.NotifyAll();
}

absl::StatusOr<std::optional<PartitionGroup::Change>> KafkaPartitionGroup::Wait(
    std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
  const Clock::time_point deadline =
      Clock::now() +
      std::clamp(timeout, std::chrono::milliseconds(0), kLongest);
  MutexLock lock(mutex_);
  if (told_.has_value()) return told_;
  while (changes_.empty() && !woken_ && failed_.ok() && !leaving_) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  woken_ = false;
  if (!changes_.empty()) {
    told_ = std::move(changes_.front());
    changes_.pop_front();
    return told_;
  }
  if (!failed_.ok()) return failed_;
  return std::nullopt;
}

void KafkaPartitionGroup::Done() {
  std::vector<TopicPartition> given_up;
  {
    MutexLock lock(mutex_);
    if (!told_.has_value()) return;
    const Change change = *std::move(told_);
    told_.reset();
    if (change.lost) return;
    // What was lost meanwhile is not ours to give up.
    for (const TopicPartition& source : change.revoked) {
      if (owned_.erase(source) > 0) given_up.push_back(source);
    }
    if (given_up.empty()) return;
  }
  GiveUp(given_up);
}

void KafkaPartitionGroup::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  changed_.NotifyAll();
}

void KafkaPartitionGroup::CommitPositions(
    absl::Span<const std::pair<TopicPartition, int64_t>> positions) {
  // While the brokers are away the client would keep it for later, and say it
  // when its session is over and the next one not yet begun. Kafka takes that
  // for another process with our instance id and shuts us out for good.
  if (!log_.Health().ok()) return;
  std::vector<TopicPartition> sources;
  std::vector<int64_t> offsets;
  {
    MutexLock lock(mutex_);
    for (const auto& [source, position] : positions) {
      if (!owned_.contains(source)) continue;
      sources.push_back(source);
      offsets.push_back(position);
    }
  }
  if (sources.empty()) return;
  const PartitionList list = ToList(sources);
  for (int i = 0; i < list->cnt; ++i) {
    list->elems[i].offset = offsets[static_cast<size_t>(i)];
  }
  // For lag tools: an error is of no consequence.
  rd_kafka_commit(handle_->get(), list.get(), 1);
}

absl::StatusOr<std::map<TopicPartition, std::string>>
KafkaPartitionGroup::Owners() {
  const Clock::time_point now = Clock::now();
  MutexLock lock(owners_mutex_);
  if (asked_at_.has_value() && *asked_at_ >= now - kOwnersAge) return owners_;
  const Clock::time_point asked = Clock::now();
  absl::StatusOr<Owned> owners = AskOwners();
  if (!owners.ok()) return owners;
  owners_ = *owners;
  asked_at_ = asked;
  return owners;
}

absl::StatusOr<KafkaPartitionGroup::Owned> KafkaPartitionGroup::AskOwners() {
  const std::string what =
      absl::StrCat("cannot ask who is in Kafka's group ", options_.group_id);
  rd_kafka_t* const handle = handle_->get();
  // Not by the admin call: librdkafka 2.0.2 can abort the process when that one
  // times out ("eonce->refcnt > 0").
  const struct rd_kafka_group_list* listed = nullptr;
  const rd_kafka_resp_err_t asked = rd_kafka_list_groups(
      handle, options_.group_id.c_str(), &listed, kOwnersTimeoutMs);
  const std::unique_ptr<const struct rd_kafka_group_list, GroupListDeleter>
      list(listed);
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) return KafkaError(asked, what);
  Owned owners;
  for (int i = 0; i < list->group_cnt; ++i) {
    const struct rd_kafka_group_info& group = list->groups[i];
    // Kafka 4 says this of a group that nobody has joined yet.
    if (group.err == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
    if (group.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return KafkaError(group.err, what);
    }
    for (int j = 0; j < group.member_cnt; ++j) {
      const struct rd_kafka_group_member_info& member = group.members[j];
      const absl::string_view bytes(
          static_cast<const char*>(member.member_assignment),
          static_cast<size_t>(std::max(member.member_assignment_size, 0)));
      for (TopicPartition& source : AssignmentOf(bytes)) {
        owners[std::move(source)] = member.client_id;
      }
    }
  }
  return owners;
}

}  // namespace windproof
