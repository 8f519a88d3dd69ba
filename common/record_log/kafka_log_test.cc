// KafkaLog on a real broker: what the contract suite does not cover.
#include "common/record_log/kafka_log.h"

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/log_record.h"
#include "gtest/gtest.h"
#include "tests/kafka/testing/kafka_broker.h"
#include "tests/kafka/testing/kafka_tools.h"

namespace windproof {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(1);
constexpr int64_t kTimeMs = 1'769'904'000'000;

class KafkaLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::Unavailable()) {
      GTEST_SKIP() << *reason;
    }
    const auto broker = KafkaBroker::Shared();
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = *broker;
    tools_ = std::make_unique<KafkaTools>(broker_->bootstrap());
    topic_ = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    log_ = Open({});
  }

  std::unique_ptr<KafkaLog> Open(std::vector<KafkaProperty> properties,
                                 bool create_topics = true) {
    KafkaLog::Options options;
    options.properties.entries = std::move(properties);
    options.properties.entries.push_back(
        {"bootstrap.servers", broker_->bootstrap()});
    options.create_topics = create_topics;
    auto log = KafkaLog::Open(options);
    EXPECT_TRUE(log.ok()) << log.status();
    return log.ok() ? *std::move(log) : nullptr;
  }

  NewRecord Record(absl::string_view value) {
    NewRecord record;
    record.topic = topic_;
    record.key = "key";
    record.value = std::string(value);
    record.log_time_ms = kTimeMs;
    return record;
  }

  void Append(int first, int count, int32_t partition = 0,
              absl::string_view prefix = "") {
    std::vector<NewRecord> records;
    for (int i = first; i < first + count; ++i) {
      records.push_back(Record(absl::StrCat(prefix, i)));
      records.back().partition = partition;
    }
    const auto appended = log_->Append(records);
    ASSERT_TRUE(appended.ok()) << appended.status();
  }

  // The next batch that has records or an error.
  static RecordBatch Next(LogReader& reader, size_t max_records = 1000) {
    while (true) {
      auto batch = reader.Poll(max_records, kLong);
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || !batch->has_value()) {
        ADD_FAILURE() << "nothing came";
        return RecordBatch();
      }
      if (!(*batch)->records.empty() || !(*batch)->status.ok()) {
        return **std::move(batch);
      }
    }
  }

  // Reads from `from` until the position is `end`; the values found.
  std::vector<std::string> ReadTo(LogReader& reader, int64_t end) {
    std::vector<std::string> values;
    int64_t position = 0;
    while (position < end) {
      auto batch = reader.Poll(1000, kLong);
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || !batch->has_value() || !(*batch)->status.ok()) {
        ADD_FAILURE() << "at " << position;
        return values;
      }
      for (const LogRecord& record : (*batch)->records) {
        EXPECT_GE(record.offset, position);
        position = record.offset + 1;
        values.emplace_back(*record.value);
      }
      EXPECT_GE((*batch)->next_offset, position);
      position = (*batch)->next_offset;
    }
    EXPECT_EQ(position, end);
    return values;
  }

  int64_t End(int32_t partition = 0) {
    const auto bounds = log_->Bounds({topic_, partition});
    EXPECT_TRUE(bounds.ok()) << bounds.status();
    return bounds.ok() ? bounds->end : -1;
  }

  KafkaBroker* broker_ = nullptr;
  std::unique_ptr<KafkaTools> tools_;
  std::string topic_;
  std::unique_ptr<KafkaLog> log_;
};

TEST_F(KafkaLogTest, EveryCodecIsReadBack) {
  std::vector<std::string> expected;
  for (const char* const codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    log_ = Open({{"compression.type", codec}});
    std::vector<NewRecord> records;
    for (int i = 0; i < 50; ++i) {
      expected.push_back(absl::StrCat(codec, std::string(300, 'x'), i));
      records.push_back(Record(expected.back()));
    }
    ASSERT_TRUE(log_->Append(records).ok());
  }
  const auto reader = log_->NewReader();
  reader->Assign({topic_, 0}, 0);
  EXPECT_EQ(ReadTo(*reader, static_cast<int64_t>(expected.size())), expected);
}

TEST_F(KafkaLogTest, TheBrokersTimeIsTheLogTimeWhereTheTopicSaysSo) {
  tools_->CreateTopic(topic_, 1, {{"message.timestamp.type", "LogAppendTime"}});
  Append(0, 1);
  const auto reader = log_->NewReader();
  reader->Assign({topic_, 0}, 0);
  const RecordBatch batch = Next(*reader);
  ASSERT_EQ(batch.records.size(), 1u);
  EXPECT_GT(batch.records[0].log_time_ms, kTimeMs);
}

TEST_F(KafkaLogTest, AbortedTransactionsAndMarkersAreGaps) {
  tools_->CreateTopic(topic_, 1);
  KafkaTransactions transactions(broker_->bootstrap(), topic_);
  transactions.Begin();
  transactions.Write(topic_, 0, {"a", "b"});  // 0, 1
  transactions.Commit();                      // 2
  transactions.Begin();
  transactions.Write(topic_, 0, {"x", "y"});  // 3, 4
  transactions.Abort();                       // 5
  Append(0, 1);                               // 6
  transactions.Begin();
  transactions.Write(topic_, 0, {"z"});  // 7
  transactions.Abort();                  // 8

  EXPECT_EQ(End(), 9);
  for (const int64_t from : {0, 2, 3, 6, 7, 8, 9}) {
    const auto reader = log_->NewReader();
    reader->Assign({topic_, 0}, from);
    if (from == 9) {
      const auto nothing = reader->Poll(10, std::chrono::milliseconds(0));
      EXPECT_TRUE(nothing.ok() && !nothing->has_value());
      continue;
    }
    std::vector<std::string> expected = {"a", "b", "0"};
    if (from >= 2) expected = {"0"};
    if (from >= 7) expected = {};
    EXPECT_EQ(ReadTo(*reader, 9), expected) << from;
  }
}

TEST_F(KafkaLogTest, AnOpenTransactionIsTheEnd) {
  tools_->CreateTopic(topic_, 1);
  Append(0, 2);
  KafkaTransactions transactions(broker_->bootstrap(), topic_);
  transactions.Begin();
  transactions.Write(topic_, 0, {"x"});  // 2
  Append(3, 1);                          // 3
  EXPECT_EQ(End(), 2);
  const auto reader = log_->NewReader();
  reader->Assign({topic_, 0}, 0);
  EXPECT_EQ(ReadTo(*reader, 2), (std::vector<std::string>{"0", "1"}));
  transactions.Commit();  // 4
  EXPECT_EQ(ReadTo(*reader, 5), (std::vector<std::string>{"x", "3"}));
}

TEST_F(KafkaLogTest, APositionThatRetentionOvertookIsOutOfRange) {
  Append(0, 20);
  const auto reader = log_->NewReader();
  tools_->DeleteRecords(topic_, 0, 10);
  const auto bounds = log_->Bounds({topic_, 0});
  ASSERT_TRUE(bounds.ok()) << bounds.status();
  EXPECT_EQ(bounds->begin, 10);
  EXPECT_EQ(bounds->end, 20);
  reader->Assign({topic_, 0}, 4);
  const RecordBatch batch = Next(*reader);
  EXPECT_TRUE(absl::IsOutOfRange(batch.status)) << batch.status;
  for (const std::string& part :
       {absl::StrCat(topic_, "/0"), std::string("offset 4"),
        std::string("10 to 20")}) {
    EXPECT_TRUE(absl::StrContains(batch.status.message(), part))
        << batch.status;
  }
  reader->Assign({topic_, 0}, 10);
  EXPECT_EQ(Next(*reader).records.size(), 10u);
}

TEST_F(KafkaLogTest, ADeletedTopicIsNotFoundAndNoLongerListed) {
  Append(0, 5);
  const auto reader = log_->NewReader();
  reader->Assign({topic_, 0}, 0);
  ReadTo(*reader, 5);
  tools_->DeleteTopic(topic_);
  const RecordBatch batch = Next(*reader);
  EXPECT_TRUE(absl::IsNotFound(batch.status)) << batch.status;
  EXPECT_TRUE(absl::StrContains(batch.status.message(), topic_ + "/0"));
  EXPECT_TRUE(absl::IsNotFound(log_->Bounds({topic_, 0}).status()));
  const auto partitions = log_->ListPartitions();
  ASSERT_TRUE(partitions.ok()) << partitions.status();
  for (const TopicPartition& source : *partitions) {
    EXPECT_NE(source.topic, topic_);
  }
}

// Deleted and made anew with as many records as before and more: an offset
// alone does not show it.
TEST_F(KafkaLogTest, ATopicMadeAnewIsNeverReadOn) {
  for (const int after : {0, 3, 5, 6, 500}) {
    topic_ = absl::StrCat("anew-", after);
    tools_->CreateTopic(topic_, 1);
    Append(0, 5);
    const auto reader = log_->NewReader();
    reader->Assign({topic_, 0}, 0);
    ReadTo(*reader, 5);
    // One that has read nothing yet: it looks for what comes.
    const auto idle = log_->NewReader();
    idle->Assign({topic_, 0}, 5);
    auto nothing = idle->Poll(10, std::chrono::milliseconds(700));
    ASSERT_TRUE(nothing.ok() && !nothing->has_value());
    tools_->DeleteTopic(topic_);
    tools_->CreateTopic(topic_, 1);
    if (after > 0) {
      std::vector<NewRecord> records;
      for (int i = 0; i < after; ++i) {
        records.push_back(Record(absl::StrCat("new ", i)));
      }
      const auto appended = Open({})->Append(records);
      ASSERT_TRUE(appended.ok()) << appended.status();
    }
    for (LogReader* const one : {reader.get(), idle.get()}) {
      const RecordBatch batch = Next(*one);
      EXPECT_TRUE(absl::IsOutOfRange(batch.status) ||
                  absl::IsDataLoss(batch.status) ||
                  absl::IsNotFound(batch.status))
          << after << ": " << batch.status;
      EXPECT_TRUE(batch.records.empty()) << after;
      EXPECT_TRUE(absl::StrContains(batch.status.message(), topic_))
          << batch.status;
    }
  }
}

TEST_F(KafkaLogTest, ReadsOnWhereOnlyTheBrokerWasStartedAnew) {
  Append(0, 5);
  const auto reader = log_->NewReader();
  reader->Assign({topic_, 0}, 0);
  ReadTo(*reader, 5);
  for (const bool killed : {false, true}) {
    if (killed) {
      broker_->Kill9();
    } else {
      broker_->Stop();
    }
    // Away is no error of the partition.
    const auto nothing = reader->Poll(10, std::chrono::milliseconds(1500));
    ASSERT_TRUE(nothing.ok()) << nothing.status();
    EXPECT_FALSE(nothing->has_value());
    EXPECT_TRUE(absl::IsUnavailable(log_->Health())) << log_->Health();
    const absl::Status restarted = broker_->Restart();
    ASSERT_TRUE(restarted.ok()) << restarted;
    const int64_t end = End();
    Append(static_cast<int>(end), 3);
    const RecordBatch batch = Next(*reader);
    ASSERT_TRUE(batch.status.ok()) << batch.status;
    EXPECT_EQ(batch.records[0].offset, end);
    int64_t position = batch.next_offset;
    while (position < end + 3) position = Next(*reader).next_offset;
    EXPECT_TRUE(log_->Health().ok()) << log_->Health();
  }
}

TEST_F(KafkaLogTest, AppendThatTheBrokerDoesNotAnswerIsUnavailable) {
  Append(0, 1);
  const auto log = Open({{"delivery.timeout.ms", "1500"}});
  ASSERT_TRUE(log->Append({Record("1")}).ok());
  broker_->Pause();
  const std::vector<NewRecord> records(3, Record("2"));
  const auto appended = log->Append(records);
  broker_->Continue();
  EXPECT_TRUE(absl::IsUnavailable(appended.status())) << appended.status();
  EXPECT_TRUE(absl::StrContains(appended.status().message(),
                                "3 of 3 records were not written (indices 0-2"))
      << appended.status();
  EXPECT_EQ(AppendOutcome(appended.status()).size(), 3u);
  EXPECT_TRUE(log->Append({Record("3")}).ok());
}

TEST_F(KafkaLogTest, WhatIsUnderWayIsBounded) {
  const auto log = Open({{"queue.buffering.max.kbytes", "64"}});
  ASSERT_TRUE(log->Append({Record("1")}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      log->Append({Record(std::string(65 << 10, 'x'))}).status()));
  // Of two that do not fit together one is refused while the other is under
  // way.
  broker_->Pause();
  const auto append = [&] {
    return log->Append({Record(std::string(60 << 10, 'x'))}).status();
  };
  std::vector<std::future<absl::Status>> writers;
  for (int i = 0; i < 2; ++i) {
    writers.push_back(std::async(std::launch::async, append));
  }
  const auto ready = [&](size_t i) {
    return writers[i].wait_for(std::chrono::milliseconds(5)) ==
           std::future_status::ready;
  };
  while (!ready(0) && !ready(1)) {
  }
  const size_t first = ready(0) ? 0 : 1;
  const absl::Status refused = writers[first].get();
  broker_->Continue();
  const absl::Status written = writers[1 - first].get();
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_TRUE(AppendOutcome(refused).empty());
  EXPECT_TRUE(written.ok()) << written;
}

TEST_F(KafkaLogTest, OfAPartlyFailedBatchTheRestIsTold) {
  tools_->CreateTopic(topic_ + ".small", 1, {{"max.message.bytes", "500"}});
  Append(0, 1);
  std::vector<NewRecord> records(5, Record("v"));
  records[1].topic = records[2].topic = records[4].topic = topic_ + ".small";
  std::mt19937 random(1);  // does not compress
  std::string big;
  for (int i = 0; i < 4000; ++i) big.push_back(static_cast<char>(random()));
  records[1].value = records[2].value = records[4].value = big;
  const auto appended = log_->Append(records);
  EXPECT_TRUE(absl::IsInvalidArgument(appended.status())) << appended.status();
  EXPECT_TRUE(
      absl::StrContains(appended.status().message(),
                        "3 of 5 records were not written (indices 1-2, 4)"))
      << appended.status();
  const auto outcome = AppendOutcome(appended.status());
  ASSERT_EQ(outcome.size(), 5u);
  EXPECT_EQ(outcome[0].offset, 1);
  EXPECT_EQ(outcome[1].offset, -1);
  EXPECT_EQ(outcome[2].offset, -1);
  EXPECT_EQ(outcome[3].offset, 2);
  EXPECT_EQ(outcome[4].offset, -1);
}

TEST_F(KafkaLogTest, AMissingTopicIsRefusedWhereNoneMayBeMade) {
  const auto log = Open({}, /*create_topics=*/false);
  const absl::Status refused = log->Append({Record("1")}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), topic_)) << refused;
  EXPECT_TRUE(absl::IsFailedPrecondition(log->EnsureTopic({topic_, 1})));
  EXPECT_TRUE(absl::IsNotFound(log->Bounds({topic_, 0}).status()));
  tools_->CreateTopic(topic_, 1);
  const auto appended = log->Append({Record("1")});
  EXPECT_TRUE(appended.ok()) << appended.status();
}

TEST_F(KafkaLogTest, TopicsAndPartitionsOfOthersAreFound) {
  const auto before = log_->ListPartitions();
  ASSERT_TRUE(before.ok()) << before.status();
  tools_->CreateTopic(topic_, 1);
  log_->WaitForPartitions(before->size(), kLong);
  auto after = log_->ListPartitions();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->size(), before->size() + 1);
  ASSERT_TRUE(Open({})->EnsureTopic({topic_, 3}).ok());
  log_->WaitForPartitions(after->size(), kLong);
  after = log_->ListPartitions();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->size(), before->size() + 3);
}

// Positions hold whatever is assigned, unassigned and moved while much is
// fetched ahead: nothing is skipped, nothing comes twice.
TEST_F(KafkaLogTest, AssignmentsUnderLoadSkipAndRepeatNothing) {
  constexpr int kPartitions = 4;
  constexpr int kRecords = 20'000;
  ASSERT_TRUE(log_->EnsureTopic({topic_, kPartitions}).ok());
  for (int32_t i = 0; i < kPartitions; ++i) Append(0, kRecords, i);

  const auto reader = log_->NewReader();
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  std::array<int64_t, kPartitions> next;
  next.fill(-1);  // not assigned
  size_t records = 0;
  for (int round = 0; round < 1500; ++round) {
    const size_t which = random() % kPartitions;
    const TopicPartition source{topic_, static_cast<int32_t>(which)};
    if (random() % 4 == 0) {
      reader->Unassign(source);
      next[which] = -1;
    } else if (random() % 2 == 0) {
      next[which] = static_cast<int64_t>(random() % kRecords);
      reader->Assign(source, next[which]);
    }
    for (int polls = static_cast<int>(random() % 6); polls > 0; --polls) {
      const auto batch =
          reader->Poll(1 + random() % 700,
                       std::chrono::milliseconds(random() % 8 == 0 ? 20 : 0));
      ASSERT_TRUE(batch.ok()) << batch.status();
      if (!batch->has_value()) continue;
      ASSERT_TRUE((*batch)->status.ok()) << (*batch)->status;
      int64_t& expected =
          next.at(static_cast<size_t>((*batch)->source.partition));
      ASSERT_GE(expected, 0) << "of a partition that is not assigned";
      for (const LogRecord& record : (*batch)->records) {
        ASSERT_EQ(record.offset, expected);
        ASSERT_EQ(record.value, std::to_string(expected));
        ++expected;
        ++records;
      }
      ASSERT_EQ((*batch)->next_offset, expected);
    }
  }
  EXPECT_GT(records, 10'000u);
}

TEST_F(KafkaLogTest, BatchOutlivesReaderAndLog) {
  Append(0, 3);
  auto reader = log_->NewReader();
  reader->Assign({topic_, 0}, 0);
  const RecordBatch batch = Next(*reader);
  reader.reset();
  log_.reset();
  for (const LogRecord& record : batch.records) {
    EXPECT_EQ(record.value, std::to_string(record.offset));
  }
}

TEST_F(KafkaLogTest, SettingsAreCheckedAtTheStart) {
  KafkaLog::Options options;
  options.properties = {
      "k.properties",
      {{"bootstrap.servers", "127.0.0.1:1", 1}, {"ssl.ca.locatoin", "/x", 2}}};
  absl::Status status = KafkaLog::Open(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "k.properties:2: ssl.ca"))
      << status;
  options.properties.entries.pop_back();
  options.partitions = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(KafkaLog::Open(options).status()));
  options.partitions = 1;
  // Nobody is there: it opens, and says that nobody answers.
  options.request_timeout = std::chrono::milliseconds(300);
  const auto log = KafkaLog::Open(options);
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_TRUE(absl::IsUnavailable((*log)->Health()));
  EXPECT_TRUE(absl::IsUnavailable((*log)->ListPartitions().status()));
  EXPECT_TRUE(absl::IsUnavailable((*log)->Bounds({"t", 0}).status()));
}

// A process that ends waits neither for a broker that does not answer nor for
// the time that a record has to be delivered.
TEST_F(KafkaLogTest, TheEndDoesNotWaitForABrokerThatIsAway) {
  auto log = Open({{"delivery.timeout.ms", "600000"}});
  ASSERT_TRUE(log->Append({{Record("0")}}).ok());
  broker_->Pause();
  auto append = std::async(std::launch::async,
                           [&] { return log->Append({{Record("1")}}); });
  log->EndBy(std::chrono::steady_clock::now());
  EXPECT_TRUE(absl::IsUnavailable(append.get().status()));
  log.reset();
  broker_->Continue();
}

}  // namespace
}  // namespace windproof
