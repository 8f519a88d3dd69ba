#include "common/record_log/kafka_topics.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_log/topic.h"

namespace windproof {
namespace {

constexpr int32_t kMaxPartitions = 10'000;
// How old what a producer knows of a topic may be, and what is listed.
constexpr std::chrono::milliseconds kKnownFor{5000};
constexpr std::chrono::milliseconds kListAgain{1000};
// A topic that was made shows in the metadata a little later.
constexpr std::chrono::milliseconds kLookAgain{20};

size_t CountOf(const KafkaTopicSizes& sizes) {
  size_t count = 0;
  for (const auto& [topic, partitions] : sizes) {
    count += static_cast<size_t>(partitions);
  }
  return count;
}

}  // namespace

absl::StatusOr<KafkaTopicSizes> KafkaTopics::List(
    std::chrono::milliseconds age, std::chrono::milliseconds timeout) {
  const Clock::time_point asked = Clock::now();
  MutexLock asking(asking_);
  {
    MutexLock lock(mutex_);
    if (listed_at_.has_value() && *listed_at_ >= asked - age) return sizes_;
    // The question that this one waited for has been in vain.
    if (!failure_.ok() && failed_at_ >= asked) return failure_;
  }
  const Clock::time_point now = Clock::now();
  absl::StatusOr<KafkaTopicSizes> sizes = admin_.ListTopics(timeout);
  MutexLock lock(mutex_);
  failure_ = sizes.status();
  if (!sizes.ok()) {
    failed_at_ = Clock::now();
    return sizes;
  }
  sizes_ = *sizes;
  listed_at_ = now;
  changed_.NotifyAll();
  return sizes;
}

absl::StatusOr<int32_t> KafkaTopics::PartitionsOf(const std::string& topic) {
  int32_t stale = 0;
  {
    MutexLock lock(mutex_);
    const auto known = sizes_.find(topic);
    if (known != sizes_.end()) {
      if (*listed_at_ >= Clock::now() - kKnownFor) return known->second;
      stale = known->second;
    }
  }
  const absl::StatusOr<KafkaTopicSizes> sizes =
      List(std::chrono::milliseconds(0));
  if (!sizes.ok()) {
    // What was there is tried; the producer finds out.
    if (stale > 0) return stale;
    return sizes.status();
  }
  const auto found = sizes->find(topic);
  if (found != sizes->end()) return found->second;
  TopicNeed need;
  need.topic = topic;
  need.partitions = options_.partitions;
  absl::Status ensured = Ensure(need);
  if (!ensured.ok()) return ensured;
  MutexLock lock(mutex_);
  const auto made = sizes_.find(topic);
  if (made != sizes_.end()) return made->second;
  return absl::UnavailableError(
      absl::StrCat("topic ", topic, " was there and is gone"));
}

absl::Status KafkaTopics::Ensure(const TopicNeed& need) {
  absl::Status named = CheckTopicName(need.topic);
  if (!named.ok()) return named;
  if (need.partitions < 1 || need.partitions > kMaxPartitions) {
    return absl::InvalidArgumentError(absl::StrCat(
        "partitions of topic ", need.topic, " is ", need.partitions, "; 1 to ",
        kMaxPartitions, " are accepted"));
  }
  const Clock::time_point deadline = Clock::now() + options_.timeout;
  bool made = false;
  while (true) {
    const absl::StatusOr<KafkaTopicSizes> sizes =
        List(std::chrono::milliseconds(0));
    if (!sizes.ok()) return sizes.status();
    const auto found = sizes->find(need.topic);
    const int32_t existing = found == sizes->end() ? 0 : found->second;
    if (existing >= need.partitions) return absl::OkStatus();
    if (!made) {
      absl::Status status = Make(need, existing);
      if (!status.ok()) return status;
      made = true;
    }
    if (Clock::now() > deadline) {
      return absl::UnavailableError(
          absl::StrCat("topic ", need.topic, " was made, but has ", existing,
                       " of ", need.partitions, " partitions so far"));
    }
    MutexLock lock(mutex_);
    changed_.WaitUntil(mutex_, Clock::now() + kLookAgain);
  }
}

absl::Status KafkaTopics::Make(const TopicNeed& need, int32_t existing) {
  if (!options_.create) {
    return absl::FailedPreconditionError(
        existing == 0
            ? absl::StrCat("topic ", need.topic,
                           " is missing in Kafka, and making topics is "
                           "switched off; make it with at least ",
                           need.partitions, " partitions")
            : absl::StrCat("topic ", need.topic, " has ", existing, " of ",
                           need.partitions,
                           " partitions, and making topics is switched off"));
  }
  if (existing > 0) {
    return admin_.AddPartitions(need.topic, need.partitions, options_.timeout);
  }
  std::vector<std::pair<std::string, std::string>> settings = {
      {"max.message.bytes", absl::StrCat(options_.record_bytes_max)}};
  if (need.keep_for_ever) {
    settings.emplace_back("cleanup.policy", "delete");
    settings.emplace_back("retention.ms", "-1");
    settings.emplace_back("retention.bytes", "-1");
  } else if (options_.retention_ms.has_value()) {
    settings.emplace_back("retention.ms", absl::StrCat(*options_.retention_ms));
  }
  return admin_.CreateTopic(need.topic, need.partitions, options_.replication,
                            settings, options_.timeout);
}

void KafkaTopics::WaitForPartitions(size_t known,
                                    std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
  const Clock::time_point deadline =
      Clock::now() +
      std::clamp(timeout, std::chrono::milliseconds(0), kLongest);
  while (true) {
    const absl::StatusOr<KafkaTopicSizes> sizes = List(kListAgain);
    if (sizes.ok() && CountOf(*sizes) > known) return;
    const Clock::time_point now = Clock::now();
    if (now >= deadline) return;
    MutexLock lock(mutex_);
    changed_.WaitUntil(mutex_, std::min(deadline, now + kListAgain));
  }
}

}  // namespace windproof
