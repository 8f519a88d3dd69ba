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

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const {
    rd_kafka_queue_destroy(queue);
  }
};
struct EventDeleter {
  void operator()(rd_kafka_event_t* event) const {
    rd_kafka_event_destroy(event);
  }
};
struct OptionsDeleter {
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
};

std::vector<TopicPartition> ToVector(
    const rd_kafka_topic_partition_list_t& list) {
  std::vector<TopicPartition> partitions;
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
  if (partitions->cnt == 0) return;
  MutexLock lock(mutex_);
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
  while (changes_.empty() && !woken_ && failed_.ok() && !leaving_) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  woken_ = false;
  if (!changes_.empty()) return changes_.front();
  if (!failed_.ok()) return failed_;
  return std::nullopt;
}

void KafkaPartitionGroup::Done() {
  std::vector<TopicPartition> given_up;
  {
    MutexLock lock(mutex_);
    if (changes_.empty()) return;
    const Change change = std::move(changes_.front());
    changes_.pop_front();
    if (change.lost || change.revoked.empty()) return;
    given_up = change.revoked;
    for (const TopicPartition& source : given_up) owned_.erase(source);
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
  std::array<char, 256> text = {};
  const std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter> options(
      rd_kafka_AdminOptions_new(handle,
                                RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kOwnersTimeoutMs,
                                            text.data(), text.size());
  const std::unique_ptr<rd_kafka_queue_t, QueueDeleter> queue(
      rd_kafka_queue_new(handle));
  const char* name = options_.group_id.c_str();
  rd_kafka_DescribeConsumerGroups(handle, &name, 1, options.get(), queue.get());
  const std::unique_ptr<rd_kafka_event_t, EventDeleter> event(
      rd_kafka_queue_poll(queue.get(), 2 * kOwnersTimeoutMs));
  if (event == nullptr) {
    return absl::UnavailableError(absl::StrCat(what, ": no answer"));
  }
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return KafkaError(rd_kafka_event_error(event.get()), what);
  }
  size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** const groups =
      rd_kafka_DescribeConsumerGroups_result_groups(
          rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  Owned owners;
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_error_t* const error =
        rd_kafka_ConsumerGroupDescription_error(groups[i]);
    if (error != nullptr) {
      // Kafka 4 says this of a group that nobody has joined yet.
      if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
        continue;
      }
      return KafkaError(rd_kafka_error_code(error), what);
    }
    const size_t members =
        rd_kafka_ConsumerGroupDescription_member_count(groups[i]);
    for (size_t j = 0; j < members; ++j) {
      const rd_kafka_MemberDescription_t* const member =
          rd_kafka_ConsumerGroupDescription_member(groups[i], j);
      const rd_kafka_MemberAssignment_t* const assignment =
          rd_kafka_MemberDescription_assignment(member);
      const rd_kafka_topic_partition_list_t* const partitions =
          assignment == nullptr
              ? nullptr
              : rd_kafka_MemberAssignment_partitions(assignment);
      if (partitions == nullptr) continue;
      for (TopicPartition& source : ToVector(*partitions)) {
        owners[std::move(source)] =
            rd_kafka_MemberDescription_client_id(member);
      }
    }
  }
  return owners;
}

}  // namespace windproof
