#include "services/window_hash/changelog.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"
#include "common/record_log/embedded_log.h"
#include "services/window_hash/partition_worker.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/testing/faulty_log.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

// Everything that a store holds of what makes checkpoints: entries by family.
std::vector<std::string> ContentOf(PayloadStore& store) {
  std::vector<std::string> content;
  for (const Family family :
       {Family::kPayloads, Family::kCheckpoints, Family::kDropped,
        Family::kOpen, Family::kState}) {
    const absl::Status scanned = store.database().Scan(
        family, "", "",
        [&](absl::string_view key,
            absl::string_view value) -> absl::StatusOr<bool> {
          // Where a store stands in the changelog is its own.
          if (family == Family::kState && key.substr(0, 1) == "c") return true;
          content.push_back(std::to_string(static_cast<int>(family)) +
                            std::string(key) + "=" + std::string(value));
          return true;
        });
    EXPECT_TRUE(scanned.ok()) << scanned;
  }
  return content;
}

class ChangelogTest : public testing::Test {
 protected:
  static std::unique_ptr<EmbeddedLog> NewLog() {
    auto log = EmbeddedLog::Open({.path = NewTestDir("changelog")});
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  std::unique_ptr<PartitionWorker> Open(
      TestStore& store, size_t part_bytes = 1000,
      const PartitionWorker::Options& options = {}) {
    EXPECT_TRUE(store.Open().ok());
    PartitionWorker::Opening opening;
    opening.changelog = std::make_unique<Changelog>(
        Changelog::Options{.part_bytes = part_bytes}, source_, faulty_,
        *store.store);
    EXPECT_TRUE(opening.changelog->EnsureTopic(1).ok());
    auto worker =
        PartitionWorker::Open(options, spec_, source_, std::move(opening),
                              *store.store, TestSigner());
    EXPECT_TRUE(worker.ok()) << worker.status();
    return worker.ok() ? *std::move(worker) : nullptr;
  }

  absl::Status Feed(PartitionWorker& worker, int64_t end, int64_t batch) {
    while (worker.next_offset() < end || worker.status().rereading) {
      const int64_t begin = worker.next_offset();
      const int64_t to = std::min(end, begin + batch);
      const absl::Status fed =
          worker.Process(BatchOf(source_.source, records_, begin, to));
      if (!fed.ok()) return fed;
      if (begin == to) break;
    }
    return absl::OkStatus();
  }

  // A store that was never without its log: what all must come to.
  std::vector<std::string> Undisturbed() {
    TestStore store;
    EXPECT_TRUE(store.Open().ok());
    auto worker = PartitionWorker::Open({}, spec_, source_, {}, *store.store,
                                        TestSigner());
    EXPECT_TRUE(worker.ok()) << worker.status();
    EXPECT_TRUE(Feed(**worker, Size(), 7).ok());
    return ContentOf(*store.store);
  }

  int64_t Size() const { return static_cast<int64_t>(records_.size()); }

  const PipelineSpec& spec_ = *BuiltInSpec("weather");
  const PipelineSource source_{.pipeline = "weather",
                               .source = {.topic = "weather.00433"}};
  const std::vector<OwnedRecord> records_ = WeatherLog({"00427", "00433"}, 20);
  const std::unique_ptr<EmbeddedLog> log_ = NewLog();
  FaultyLog faulty_{*log_};
};

TEST_F(ChangelogTest, GivesANewOwnerTheSameStore) {
  TestStore first;
  std::unique_ptr<PartitionWorker> worker = Open(first);
  ASSERT_TRUE(Feed(*worker, Size() / 2, 11).ok());
  worker.reset();

  TestStore second;
  worker = Open(second);
  EXPECT_EQ(ContentOf(*second.store), ContentOf(*first.store));
  ASSERT_TRUE(Feed(*worker, Size(), 5).ok());
  EXPECT_EQ(ContentOf(*second.store), Undisturbed());

  // The first one comes back with what it had.
  worker = Open(first);
  EXPECT_EQ(worker->status().state.position, Size());
  EXPECT_EQ(ContentOf(*first.store), Undisturbed());
}

TEST_F(ChangelogTest, AnOwnerThatWasBelievedDeadChangesNothing) {
  // Both own it at once, in turns of other sizes; each goes back and forth.
  TestStore stores[2];
  std::unique_ptr<PartitionWorker> owners[2] = {Open(stores[0]),
                                                Open(stores[1])};
  const int64_t steps[2] = {9, 13};
  for (int64_t end = 0; end < Size(); end += 10) {
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(
          Feed(*owners[i], std::min(Size(), end + 10 * i), steps[i]).ok());
    }
  }
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Feed(*owners[i], Size(), 50).ok());

  TestStore third;
  std::unique_ptr<PartitionWorker> worker = Open(third);
  EXPECT_EQ(worker->status().state.position, Size());
  EXPECT_EQ(ContentOf(*third.store), Undisturbed());
}

// A owns, is paused; B takes over and goes on; A wakes up, writes what it had
// in hand, loses the partition; C takes over from B and goes on from A's entry;
// then B's store, and A's, come back.
TEST_F(ChangelogTest, EveryStoreFindsItsWayAfterInterleavedCommits) {
  TestStore a;
  TestStore b;
  TestStore c;
  std::unique_ptr<PartitionWorker> owner_a = Open(a);
  ASSERT_TRUE(Feed(*owner_a, 30, 10).ok());
  std::unique_ptr<PartitionWorker> owner_b = Open(b);
  ASSERT_TRUE(Feed(*owner_a, 60, 30).ok());  // 30 -> 60, before B's
  ASSERT_TRUE(Feed(*owner_b, 50, 20).ok());  // 30 -> 50, behind A's
  std::unique_ptr<PartitionWorker> owner_c = Open(c);
  ASSERT_TRUE(Feed(*owner_c, Size(), 17).ok());  // from 60 on
  owner_b = Open(b);
  EXPECT_EQ(owner_b->status().state.position, Size());
  owner_a = Open(a);
  EXPECT_EQ(owner_a->status().state.position, Size());
  for (TestStore* store : {&a, &b, &c}) {
    EXPECT_EQ(ContentOf(*store->store), Undisturbed());
  }
}

// A stores an open window early and is paused; B, who never had it in its own
// store, closes it.
TEST_F(ChangelogTest, AWindowThatOnlyTheOtherOwnerSpilledIsNoLoss) {
  TestStore a;
  TestStore b;
  TestStore c;
  std::unique_ptr<PartitionWorker> owner_a =
      Open(a, 1000, {.spill_max_lag = 1});
  std::unique_ptr<PartitionWorker> owner_b = Open(b);
  ASSERT_TRUE(Feed(*owner_a, 6, 1).ok());
  ASSERT_TRUE(Feed(*owner_b, 50, 50).ok());  // 0 -> 50, whole
  ASSERT_GT(owner_b->status().checkpoints, 0);
  std::unique_ptr<PartitionWorker> owner_c = Open(c);
  ASSERT_NE(owner_c, nullptr);
  ASSERT_TRUE(Feed(*owner_c, Size(), 17).ok());
  // With the next commit what is of no use goes, too.
  EXPECT_EQ(ContentOf(*c.store), Undisturbed());
}

// Kafka's client takes only so much at once.
TEST_F(ChangelogTest, ALargeCommitIsAppendedInSlices) {
  constexpr size_t kPartBytes = 100;
  faulty_.LimitAppend(16 * (kPartBytes + 100));
  TestStore first;
  std::unique_ptr<PartitionWorker> worker = Open(first, kPartBytes);
  ASSERT_TRUE(Feed(*worker, Size(), Size()).ok());
  EXPECT_GT(faulty_.appends(), 5);
  TestStore second;
  Open(second, kPartBytes);
  EXPECT_EQ(ContentOf(*second.store), ContentOf(*first.store));
  EXPECT_EQ(ContentOf(*second.store), Undisturbed());
}

TEST_F(ChangelogTest, ACommitThatWasBegunAndNeverEndedSaysNothing) {
  constexpr size_t kPartBytes = 100;
  TestStore first;
  std::unique_ptr<PartitionWorker> worker = Open(first, kPartBytes);
  ASSERT_TRUE(Feed(*worker, 20, 20).ok());
  const std::vector<std::string> before = ContentOf(*first.store);
  faulty_.FailAfter(2);
  EXPECT_FALSE(Feed(*worker, Size(), Size()).ok());
  faulty_.FailAfter(1'000'000);
  worker.reset();

  // Not for who takes over, nor for who comes back.
  TestStore second;
  worker = Open(second, kPartBytes);
  EXPECT_EQ(worker->status().state.position, 20);
  EXPECT_EQ(ContentOf(*second.store), before);
  worker.reset();
  worker = Open(first, kPartBytes);
  ASSERT_TRUE(Feed(*worker, Size(), 30).ok());
  TestStore third;
  worker = Open(third, kPartBytes);
  EXPECT_EQ(ContentOf(*third.store), Undisturbed());
  worker = Open(second, kPartBytes);
  EXPECT_EQ(ContentOf(*second.store), Undisturbed());
}

TEST_F(ChangelogTest, TheFirstToSayWhereItBeganIsRight) {
  TestStore a;
  TestStore b;
  ASSERT_TRUE(a.Open().ok());
  std::unique_ptr<PartitionWorker> first = Open(a);
  PartitionWorker::Opening later;
  later.origin = 5;
  ASSERT_TRUE(b.Open().ok());
  later.changelog = std::make_unique<Changelog>(Changelog::Options{}, source_,
                                                *log_, *b.store);
  auto second = PartitionWorker::Open({}, spec_, source_, std::move(later),
                                      *b.store, TestSigner());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*second)->status().state.origin, 0);
}

TEST_F(ChangelogTest, WhatIsNoChangelogRecordIsNamed) {
  TestStore store;
  Open(store);
  const std::string topic = ChangelogTopic("weather", "weather.00433");
  EXPECT_EQ(topic, "windproof.weather.weather.00433.changelog");
  ASSERT_TRUE(
      log_->Append({{NewRecord{.topic = topic, .partition = 0, .value = "x"}}})
          .ok());
  TestStore other;
  ASSERT_TRUE(other.Open().ok());
  Changelog changelog({}, source_, *log_, *other.store);
  const absl::Status restored = changelog.Restore();
  EXPECT_TRUE(absl::IsDataLoss(restored)) << restored;
  EXPECT_NE(restored.message().find(topic), std::string::npos) << restored;
}

TEST_F(ChangelogTest, AHoleIsNeverPassedOver) {
  TestStore first;
  std::unique_ptr<PartitionWorker> worker = Open(first);
  ASSERT_TRUE(Feed(*worker, 40, 10).ok());
  // Another changelog, which has only the end of the first.
  auto log = EmbeddedLog::Open({.path = NewTestDir("hole")});
  ASSERT_TRUE(log.ok());
  const TopicPartition place{ChangelogTopic("weather", "weather.00433"), 0};
  std::unique_ptr<LogReader> reader = log_->NewReader();
  const int64_t end = log_->Bounds(place)->end;
  reader->Assign(place, 0);
  std::vector<NewRecord> records;
  for (int64_t next = 0; next < end;) {
    auto batch = reader->Poll(1000, std::chrono::seconds(10));
    ASSERT_TRUE(batch.ok() && batch->has_value());
    for (const LogRecord& record : (*batch)->records) {
      // All but the first commit, which says where it began, and the second.
      store::v1::ChangelogRecord part;
      ASSERT_TRUE(part.ParseFromString(std::string(*record.value)));
      if (part.has_begin() && part.begin() == 0) continue;
      records.push_back({.topic = place.topic,
                         .partition = 0,
                         .value = std::string(*record.value)});
    }
    next = (*batch)->next_offset;
  }
  ASSERT_TRUE((*log)->EnsureTopic({.topic = place.topic}).ok());
  ASSERT_TRUE((*log)->Append(records).ok());
  TestStore other;
  ASSERT_TRUE(other.Open().ok());
  Changelog changelog({}, source_, **log, *other.store);
  const absl::Status restored = changelog.Restore();
  EXPECT_TRUE(absl::IsDataLoss(restored)) << restored;
  EXPECT_NE(restored.message().find("missing"), std::string::npos) << restored;
}

TEST_F(ChangelogTest, AChangelogMadeAnewIsNoticed) {
  TestStore store;
  std::unique_ptr<PartitionWorker> worker = Open(store);
  ASSERT_TRUE(Feed(*worker, 40, 10).ok());
  auto log = EmbeddedLog::Open({.path = NewTestDir("anew")});
  ASSERT_TRUE(log.ok());
  Changelog changelog({}, source_, **log, *store.store);
  ASSERT_TRUE(changelog.EnsureTopic(1).ok());
  const absl::Status restored = changelog.Restore();
  EXPECT_TRUE(absl::IsDataLoss(restored)) << restored;
}

}  // namespace
}  // namespace windproof
