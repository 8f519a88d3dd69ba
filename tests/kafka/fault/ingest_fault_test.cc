// kill -9 of ingest between what a client sends and the reply: the client sends
// it again, so that some of it is there twice. Nothing acknowledged is missing,
// and the checkpoints are those of the topic as it is, its duplicates counted.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/record_log/record_log.h"
#include "gtest/gtest.h"
#include "tests/e2e/process.h"
#include "tests/fault/publisher.h"
#include "tests/kafka/fault/replicas.h"
#include "tests/kafka/fault/topic_truth.h"
#include "tests/kafka/testing/kafka_broker.h"

namespace windproof {
namespace {

std::string TagOf(const OwnedRecord& record) {
  for (const auto& [name, value] : record.headers) {
    if (name == kAttemptHeader) return value.value_or("");
  }
  return "";  // a watermark's control record
}

TEST(IngestFaultTest, KilledBetweenSendAndReply) {
  const auto reason = KafkaBroker::Unavailable();
  if (reason.has_value()) GTEST_SKIP() << *reason;
  const auto broker = KafkaBroker::Start();
  ASSERT_TRUE(broker.ok()) << broker.status();
  const uint64_t seed = FaultSeed();
  std::mt19937_64 random(seed);
  // The topics of Publisher.
  Replicas replicas({.bootstrap = (*broker)->bootstrap(), .name = "fault"});
  replicas.Start(0);

  Publisher publisher(seed, /*number=*/0);
  const auto start = [&] {
    auto ingest = std::make_unique<Process>(
        Binary("services/ingest/ingest"),
        std::vector<std::string>{"--listen", "127.0.0.1:0", "--log", "kafka",
                                 "--kafka-config", replicas.properties_file(),
                                 "--kafka-retention-ms", "-1", "--pipeline",
                                 replicas.spec_file()});
    EXPECT_TRUE(ingest->WaitReady()) << ingest->err();
    return ingest;
  };
  const int kills = LongRun() ? 50 : 8;
  for (int i = 0; i < kills; ++i) {
    const std::unique_ptr<Process> ingest = start();
    std::thread publishing([&] {
      publisher.Publish(ingest->grpc(), std::numeric_limits<int>::max());
    });
    // The moment of the fault; nothing waits for it.
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 700));
    ingest->Signal(SIGKILL);
    publishing.join();
    EXPECT_EQ(ingest->Wait(), 128 + SIGKILL) << ingest->err();
  }
  const std::unique_ptr<Process> ingest = start();
  publisher.Publish(ingest->grpc(), 4);
  ASSERT_TRUE(publisher.Finish(ingest->grpc())) << ingest->err();
  EXPECT_EQ(publisher.complaint(), "");
  EXPECT_EQ(ingest->Stop(), 0) << ingest->err();
  replicas.ExpectUndisturbed(0);
  if (testing::Test::HasFailure()) return;

  const auto content = ReadTopics(replicas.spec(), replicas.log());
  ASSERT_TRUE(content.ok()) << content.status();
  std::set<std::string> there;
  for (const auto& [source, records] : *content) {
    for (const OwnedRecord& record : records) there.insert(TagOf(record));
  }
  size_t unanswered_but_there = 0;
  for (size_t i = 0; i < publisher.attempts().size(); ++i) {
    const Attempt& attempt = publisher.attempts()[i];
    const std::string tag = publisher.AttemptTag(i);
    if (attempt.acknowledged.empty()) {
      unanswered_but_there += there.count(tag);
      continue;
    }
    for (size_t j = 0; j < attempt.acknowledged.size(); ++j) {
      const v1::PublishedRecord& where = attempt.acknowledged[j];
      const auto found = content->find({where.topic(), where.partition()});
      ASSERT_NE(found, content->end()) << where.DebugString();
      const auto record = std::lower_bound(
          found->second.begin(), found->second.end(), where.offset(),
          [](const OwnedRecord& a, int64_t offset) {
            return a.offset < offset;
          });
      ASSERT_NE(record, found->second.end()) << where.DebugString();
      ASSERT_EQ(record->offset, where.offset());
      if (attempt.batch.records.empty()) continue;
      EXPECT_EQ(TagOf(*record), tag);
      EXPECT_EQ(record->value, attempt.batch.records[j].value());
    }
  }
  std::cout << publisher.attempts().size() << " calls; of those without a "
            << "reply " << unanswered_but_there << " were carried out"
            << std::endl;
}

}  // namespace
}  // namespace windproof
