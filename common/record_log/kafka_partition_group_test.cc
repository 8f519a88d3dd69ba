#include "common/record_log/kafka_partition_group.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/record_log/kafka_log.h"
#include "gtest/gtest.h"
#include "tests/kafka/testing/kafka_broker.h"

namespace windproof {
namespace {

using Partitions = std::set<TopicPartition>;

// What a test waits for at most; it fails then.
constexpr std::chrono::seconds kPatience{60};

// A member that carries out its changes, as a replica does.
class Member {
 public:
  Member(KafkaLog& log, const std::string& bootstrap, const std::string& group,
         const std::string& prefix, const std::string& address,
         const std::string& instance = "") {
    KafkaPartitionGroup::Options options;
    options.properties.entries = {{"bootstrap.servers", bootstrap},
                                  {"session.timeout.ms", "3000"},
                                  {"heartbeat.interval.ms", "500"}};
    options.group_id = group;
    options.instance_id = instance;
    options.advertise = address;
    options.wants = [prefix](absl::string_view topic) {
      return absl::StartsWith(topic, prefix);
    };
    auto joined = KafkaPartitionGroup::Join(options, log);
    EXPECT_TRUE(joined.ok()) << joined.status();
    group_ = *std::move(joined);
    thread_ = std::thread([this] { Follow(); });
  }
  ~Member() {
    stopping_ = true;
    group_->Wake();
    if (thread_.joinable()) thread_.join();
    group_->Leave();
  }

  PartitionGroup& group() { return *group_; }

  Partitions owned() {
    MutexLock lock(mutex_);
    return owned_;
  }
  int changes() {
    MutexLock lock(mutex_);
    return changes_;
  }
  absl::Status error() {
    MutexLock lock(mutex_);
    return error_;
  }
  bool lost() {
    MutexLock lock(mutex_);
    return lost_;
  }

  // Takes no part in revocations from now on.
  void HoldBack(bool hold) {
    MutexLock lock(mutex_);
    hold_ = hold;
    changed_.NotifyAll();
  }

 private:
  void Follow() {
    while (!stopping_) {
      const auto change = group_->Wait(std::chrono::milliseconds(200));
      MutexLock lock(mutex_);
      if (!change.ok()) {
        error_ = change.status();
        changed_.WaitUntil(mutex_, std::chrono::steady_clock::now() +
                                       std::chrono::milliseconds(50));
        continue;
      }
      if (!change->has_value()) continue;
      while (hold_ && !(*change)->revoked.empty()) changed_.Wait(mutex_);
      for (const TopicPartition& source : (*change)->revoked) {
        EXPECT_EQ(owned_.erase(source), 1u) << source.topic;
      }
      group_->Done();
      for (const TopicPartition& source : (*change)->assigned) {
        EXPECT_TRUE(owned_.insert(source).second) << source.topic;
      }
      lost_ |= (*change)->lost;
      ++changes_;
    }
  }

  std::unique_ptr<KafkaPartitionGroup> group_;
  std::atomic<bool> stopping_ = false;
  Mutex mutex_;
  CondVar changed_;
  Partitions owned_ ABSL_GUARDED_BY(mutex_);
  int changes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool hold_ ABSL_GUARDED_BY(mutex_) = false;
  bool lost_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

// Asks until it holds.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

class KafkaPartitionGroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::Unavailable()) {
      GTEST_SKIP() << *reason;
    }
    const auto broker = KafkaBroker::Shared();
    ASSERT_TRUE(broker.ok()) << broker.status();
    bootstrap_ = (*broker)->bootstrap();
    KafkaLog::Options options;
    options.properties.entries = {{"bootstrap.servers", bootstrap_}};
    auto log = KafkaLog::Open(options);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    static int tests = 0;
    prefix_ = absl::StrCat("test", ++tests, ".");
  }

  void Make(const std::string& name, int32_t partitions) {
    const absl::Status made = log_->EnsureTopic({prefix_ + name, partitions});
    ASSERT_TRUE(made.ok()) << made;
    for (int32_t i = 0; i < partitions; ++i) all_.insert({prefix_ + name, i});
  }

  std::unique_ptr<Member> Join(const std::string& address,
                               const std::string& instance = "") {
    return std::make_unique<Member>(*log_, bootstrap_, prefix_ + "group",
                                    prefix_, address, instance);
  }

  // Whether they have all partitions, none twice and each some of them.
  bool Share(std::vector<Member*> members) {
    Partitions together;
    size_t count = 0;
    for (Member* const member : members) {
      const Partitions owned = member->owned();
      if (owned.empty()) return false;
      together.insert(owned.begin(), owned.end());
      count += owned.size();
    }
    return together == all_ && count == all_.size();
  }

  std::string bootstrap_;
  std::string prefix_;
  std::unique_ptr<KafkaLog> log_;
  Partitions all_;
};

TEST_F(KafkaPartitionGroupTest, MembersShareAndEachKnowsWhoHasWhat) {
  Make("a", 3);
  Make("b", 1);
  ASSERT_TRUE(log_->EnsureTopic({"other." + prefix_, 1}).ok());
  auto one = Join("host-one:1");
  ASSERT_TRUE(Eventually([&] { return Share({one.get()}); }));
  auto two = Join("host-two:2");
  ASSERT_TRUE(Eventually([&] { return Share({one.get(), two.get()}); }));

  EXPECT_TRUE(Eventually([&] {
    const auto owners = one->group().Owners();
    if (!owners.ok() || owners->size() != all_.size()) return false;
    for (const auto& [source, address] : *owners) {
      const bool first = one->owned().contains(source);
      if (address != (first ? "host-one:1" : "host-two:2")) return false;
    }
    return true;
  }));

  // A topic that is made while they run.
  Make("new", 2);
  EXPECT_TRUE(Eventually([&] { return Share({one.get(), two.get()}); }));

  // For lag tools; those of others are ignored.
  std::vector<std::pair<TopicPartition, int64_t>> positions;
  for (const TopicPartition& source : all_) positions.emplace_back(source, 0);
  one->group().CommitPositions(positions);

  // One leaves: the other has it all at once.
  two.reset();
  EXPECT_TRUE(Eventually([&] { return Share({one.get()}); }));
}

TEST_F(KafkaPartitionGroupTest, NobodyGetsWhatIsNotYetGivenUp) {
  Make("a", 2);
  auto one = Join("one:1");
  ASSERT_TRUE(Eventually([&] { return Share({one.get()}); }));
  one->HoldBack(true);
  auto two = Join("two:1");
  // Longer than a session: only Done() matters.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE(two->owned().empty());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  one->HoldBack(false);
  EXPECT_TRUE(Eventually([&] { return Share({one.get(), two.get()}); }));
  EXPECT_FALSE(one->lost());
}

TEST_F(KafkaPartitionGroupTest, AStaticMemberThatComesBackFindsItsPartitions) {
  Make("a", 4);
  auto one = Join("one:1", "replica-1");
  auto two = Join("two:1", "replica-2");
  ASSERT_TRUE(Eventually([&] { return Share({one.get(), two.get()}); }));
  const Partitions before = two->owned();
  const int changes = one->changes();

  two.reset();
  two = Join("two:1", "replica-2");
  ASSERT_TRUE(Eventually([&] { return Share({one.get(), two.get()}); }));
  EXPECT_EQ(two->owned(), before);
  EXPECT_EQ(one->changes(), changes) << "the other noticed";

  // At another address it is another member, and all know where.
  two.reset();
  two = Join("two:2", "replica-2");
  EXPECT_TRUE(Eventually([&] {
    const auto owners = one->group().Owners();
    if (!owners.ok() || !Share({one.get(), two.get()})) return false;
    for (const TopicPartition& source : two->owned()) {
      if (!owners->contains(source) || owners->at(source) != "two:2") {
        return false;
      }
    }
    return true;
  }));

  // Away for longer than a session: the other takes over.
  two.reset();
  EXPECT_TRUE(Eventually([&] { return Share({one.get()}); }));
}

TEST_F(KafkaPartitionGroupTest, TheOlderOfTwoWithOneInstanceIdIsShutOut) {
  Make("a", 2);
  auto one = Join("one:1", "replica-1");
  ASSERT_TRUE(Eventually([&] { return Share({one.get()}); }));
  auto again = Join("one:1", "replica-1");
  EXPECT_TRUE(Eventually([&] { return Share({again.get()}); }));
  EXPECT_TRUE(Eventually([&] { return one->owned().empty(); }));
  EXPECT_TRUE(one->lost());
  EXPECT_TRUE(
      Eventually([&] { return absl::IsFailedPrecondition(one->error()); }));
}

}  // namespace
}  // namespace windproof
