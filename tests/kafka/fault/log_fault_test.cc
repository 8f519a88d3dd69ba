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
  static void SetUpTestSuite() {
    if (KafkaBroker::Unavailable().has_value()) return;
    auto broker = KafkaBroker::Start();
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = broker->release();
  }
  static void TearDownTestSuite() {
    delete broker_;
    broker_ = nullptr;
  }

  void SetUp() override {
    const auto reason = KafkaBroker::Unavailable();
    if (reason.has_value()) GTEST_SKIP() << *reason;
    ASSERT_NE(broker_, nullptr);
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

  static KafkaBroker* broker_;
  std::unique_ptr<Replicas> replicas_;
  std::unique_ptr<Load> load_;  // goes before the log
};

KafkaBroker* LogFaultTest::broker_ = nullptr;

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
