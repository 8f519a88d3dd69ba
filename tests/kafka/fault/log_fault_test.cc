// What can be wrong with a topic itself: records of transactions that were
// aborted, a topic deleted and made anew, records deleted before they were
// read, more partitions than before. What cannot be read on stops with a
// message; the other partitions go on, with the checkpoints of a run without
// any fault.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/checkpoint.h"
#include "common/record_log/record_log.h"
#include "gtest/gtest.h"
#include "tests/kafka/fault/load.h"
#include "tests/kafka/fault/replicas.h"
#include "tests/kafka/fault/topic_truth.h"
#include "tests/kafka/testing/kafka_broker.h"
#include "tests/kafka/testing/kafka_tools.h"

namespace windproof {
namespace {

class LogFaultTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto reason = KafkaBroker::Unavailable();
    if (reason.has_value()) GTEST_SKIP() << *reason;
    const auto broker =
        KafkaBroker::Shared({.properties = {"log.cleaner.backoff.ms=100"}});
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = *broker;
  }

  // One replica that has read some records of all partitions.
  void Open(const std::string& name) {
    replicas_ = std::make_unique<Replicas>(
        Replicas::Options{.bootstrap = broker_->bootstrap(), .name = name});
    load_ = std::make_unique<Load>(replicas_->log(), name, /*partitions=*/2,
                                   FaultSeed());
    const absl::Status made = load_->MakeTopics();
    ASSERT_TRUE(made.ok()) << made;
    Write();
    replicas_->Start(0);
    const absl::Status settled = replicas_->WaitSettled(0);
    ASSERT_TRUE(settled.ok()) << settled;
  }

  void Write() {
    const absl::Status written = load_->Write(30);
    ASSERT_TRUE(written.ok()) << written;
  }

  // All but `stopped` go on to the end.
  void ExpectOthersGoOn(const std::set<TopicPartition>& stopped) {
    Write();
    const absl::Status finished = load_->Finish();
    ASSERT_TRUE(finished.ok()) << finished;
    replicas_->ExpectUndisturbed(0, stopped);
    EXPECT_EQ(replicas_->Health(0, load_->topics()[1] + "/1"), "SERVING");
  }

  KafkaBroker* broker_ = nullptr;
  std::unique_ptr<Replicas> replicas_;
  std::unique_ptr<Load> load_;  // goes before the log
};

TEST_F(LogFaultTest, AbortedTransactionsAreGaps) {
  ASSERT_NO_FATAL_FAILURE(Open("aborted"));
  const std::string topic = load_->topics()[0];
  KafkaTransactions transactions(broker_->bootstrap(), "aborted");
  for (int i = 0; i < 4; ++i) {
    std::vector<std::string> values;
    for (int j = 0; j < 20; ++j) {
      values.push_back(absl::StrCat(R"({"id":"tx","at":)",
                                    1'600'000'000'000 + (i * 20 + j) * 10'000,
                                    R"(,"a":)", j, R"(,"b":1})"));
    }
    transactions.Begin();
    transactions.Write(topic, 0, values);
    Write();  // of others, while the transaction is open
    if (i % 2 == 0) {
      transactions.Abort();
    } else {
      transactions.Commit();
    }
  }
  ASSERT_NO_FATAL_FAILURE(ExpectOthersGoOn({}));

  // What they left: their records and the end of each transaction.
  const auto content = ReadTopics(replicas_->spec(), replicas_->log());
  ASSERT_TRUE(content.ok()) << content.status();
  const auto checkpoints = Recompute(replicas_->spec(), *content);
  ASSERT_TRUE(checkpoints.ok()) << checkpoints.status();
  ASSERT_TRUE(checkpoints->contains("tx"));
  int64_t most_gaps = 0;
  for (const auto& [key, rows] : *checkpoints) {
    for (const CheckpointRow& row : rows) {
      const auto checkpoint = ParseCheckpoint(row.bytes);
      ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
      most_gaps = std::max(most_gaps, checkpoint->scan.gap);
    }
  }
  EXPECT_GE(most_gaps, 20);
}

// Twenty keys write five rounds, ten seconds of their windows apart, and the
// broker compacts all that was superseded: what is left is a tombstone and each
// key's records of the last two rounds, the last one in the segment that is
// still written.
TEST_F(LogFaultTest, WhatCompactionTookAwayAreGaps) {
  constexpr int kKeys = 20;
  constexpr int kRounds = 5;
  constexpr int kTombstoneRound = 2;
  // Log times are ten minutes later than the records' own: the watermark of a
  // control record, too, must not lie in the future.
  constexpr int64_t kStartMs = 1'600'000'000'000;
  constexpr int64_t kLateMs = 600'000;
  constexpr size_t kLeft = 2 * kKeys + 1;
  replicas_ = std::make_unique<Replicas>(Replicas::Options{
      .bootstrap = broker_->bootstrap(), .name = "compacted", .alone = true});
  const TopicPartition source{"compacted.0", 0};
  KafkaTools(broker_->bootstrap())
      .CreateTopic(source.topic, 1,
                   {{"cleanup.policy", "compact"},
                    {"segment.ms", "1000"},
                    {"min.cleanable.dirty.ratio", "0.001"}});
  const auto write = [&](int round, bool control) {
    std::vector<NewRecord> records;
    for (int key = 0; key < kKeys; ++key) {
      NewRecord& record = records.emplace_back();
      record.topic = source.topic;
      record.key = absl::StrCat("k", key);
      record.log_time_ms = kStartMs + round * 10'000;
      if (control) {
        record.headers = {{"windproof-control", "watermark"}};
        record.value = "2020-09-13T12:26:40Z";  // kStartMs
      } else {
        record.value = absl::StrCat(R"({"id":"k)", key, R"(","at":)",
                                    record.log_time_ms - kLateMs, R"(,"a":)",
                                    round, R"(,"b":1})");
      }
    }
    if (!control && (round == 0 || round == kTombstoneRound)) {
      NewRecord& record = records.emplace_back();
      record.topic = source.topic;
      record.key = "gone";
      record.log_time_ms = kStartMs + round * 10'000;
      if (round == 0) record.value = R"({"id":"gone","at":1599999400000})";
    }
    const auto appended = replicas_->log().Append(records);
    ASSERT_TRUE(appended.ok()) << appended.status();
  };
  for (int round = 0; round < kRounds; ++round) write(round, false);
  size_t left = 0;
  ASSERT_TRUE(Eventually([&] {
    const auto content = ReadTopics(replicas_->spec(), replicas_->log());
    left = content.ok() ? content->at(source).size() : 0;
    return left == kLeft;
  })) << left;

  replicas_->Start(0);
  const absl::Status settled = replicas_->WaitSettled(0);
  ASSERT_TRUE(settled.ok()) << settled;
  write(kRounds - 1, /*control=*/true);
  replicas_->ExpectUndisturbed(0);

  const auto content = ReadTopics(replicas_->spec(), replicas_->log());
  ASSERT_TRUE(content.ok()) << content.status();
  ASSERT_EQ(content->at(source).size(), kLeft + kKeys);
  const auto checkpoints = Recompute(replicas_->spec(), *content);
  ASSERT_TRUE(checkpoints.ok()) << checkpoints.status();
  EXPECT_EQ(checkpoints->size(), static_cast<size_t>(kKeys));
  for (const auto& [key, rows] : *checkpoints) {
    const auto checkpoint = ParseCheckpoint(rows.back().bytes);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    EXPECT_EQ(checkpoint->scan.gap, (kRounds - 2) * kKeys + 1) << key;
  }
}

TEST_F(LogFaultTest, MorePartitionsThanBefore) {
  ASSERT_NO_FATAL_FAILURE(Open("grown"));
  const std::string topic = load_->topics()[0];
  const absl::Status grown =
      replicas_->log().EnsureTopic({.topic = topic, .partitions = 3});
  ASSERT_TRUE(grown.ok()) << grown;
  const std::set<TopicPartition> stopped = {{topic, 0}, {topic, 1}, {topic, 2}};
  for (const TopicPartition& source : stopped) {
    replicas_->ExpectStopped(0, source, {"has 3 partitions", "had 2"});
  }
  ASSERT_NO_FATAL_FAILURE(ExpectOthersGoOn(stopped));

  // Nor after a restart, nor anywhere else.
  replicas_->Kill(0);
  replicas_->DeleteData(0);
  replicas_->Start(0);
  for (const TopicPartition& source : stopped) {
    replicas_->ExpectStopped(0, source, {"has 3 partitions", "had 2"});
  }
}

TEST_F(LogFaultTest, RetentionThatOvertook) {
  ASSERT_NO_FATAL_FAILURE(Open("expired"));
  const TopicPartition source{load_->topics()[0], 0};
  const auto read = replicas_->log().Bounds(source);
  ASSERT_TRUE(read.ok()) << read.status();
  replicas_->Stop(0);
  Write();
  const auto bounds = replicas_->log().Bounds(source);
  ASSERT_TRUE(bounds.ok()) << bounds.status();
  ASSERT_GT(bounds->end, read->end + 1);
  KafkaTools(broker_->bootstrap())
      .DeleteRecords(source.topic, source.partition, read->end + 1);
  replicas_->Start(0);
  replicas_->ExpectStopped(0, source,
                           {absl::StrCat("begins at offset ", read->end + 1),
                            "records from offset"});
  ASSERT_NO_FATAL_FAILURE(ExpectOthersGoOn({source}));
}

TEST_F(LogFaultTest, DeletedAndMadeAnew) {
  ASSERT_NO_FATAL_FAILURE(Open("anew"));
  const std::string topic = load_->topics()[0];
  const std::set<TopicPartition> stopped = {{topic, 0}, {topic, 1}};
  KafkaTools(broker_->bootstrap()).DeleteTopic(topic);
  for (const TopicPartition& source : stopped) {
    replicas_->ExpectStopped(0, source, {});
  }
  const absl::Status made = load_->MakeTopics();
  ASSERT_TRUE(made.ok()) << made;
  ASSERT_NO_FATAL_FAILURE(ExpectOthersGoOn(stopped));
  for (const TopicPartition& source : stopped) {
    replicas_->ExpectStopped(0, source, {});
  }
}

TEST_F(LogFaultTest, MadeAnewWhileNobodyLooked) {
  ASSERT_NO_FATAL_FAILURE(Open("unseen"));
  const std::string topic = load_->topics()[0];
  const std::set<TopicPartition> stopped = {{topic, 0}, {topic, 1}};
  replicas_->Kill(0);
  KafkaTools(broker_->bootstrap()).DeleteTopic(topic);
  const absl::Status made = load_->MakeTopics();
  ASSERT_TRUE(made.ok()) << made;
  replicas_->Start(0);
  for (const TopicPartition& source : stopped) {
    replicas_->ExpectStopped(0, source,
                             {"ends at offset 0", "already read up to offset"});
  }
  ASSERT_NO_FATAL_FAILURE(ExpectOthersGoOn(stopped));
}

}  // namespace
}  // namespace windproof
