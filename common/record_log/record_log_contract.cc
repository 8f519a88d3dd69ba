#include "common/record_log/record_log_contract.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/log_record.h"

namespace windproof {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RecordLogContractTest);

namespace {

// Long enough that a test which needs it has failed.
constexpr std::chrono::milliseconds kLong = std::chrono::minutes(1);
constexpr std::chrono::milliseconds kNoTime{0};

NewRecord Record(absl::string_view topic, std::optional<std::string> key,
                 std::optional<std::string> value) {
  NewRecord record;
  record.topic = std::string(topic);
  record.key = std::move(key);
  record.value = std::move(value);
  record.log_time_ms = 1'769'904'000'000;
  return record;
}

std::vector<NewRecord> Numbered(absl::string_view topic, int first, int count) {
  std::vector<NewRecord> records;
  for (int i = first; i < first + count; ++i) {
    records.push_back(Record(topic, "key", std::to_string(i)));
  }
  return records;
}

}  // namespace

void RecordLogContractTest::SetUp() {
  const std::optional<std::string> reason = factory_->Unavailable();
  if (reason.has_value()) GTEST_SKIP() << *reason;
}

void RecordLogContractTest::Open(int32_t partitions) {
  Close();
  auto log = factory_->Open(partitions);
  ASSERT_TRUE(log.ok()) << log.status();
  log_ = *std::move(log);
}

AppendedRecord RecordLogContractTest::AppendOne(const NewRecord& record) {
  const auto appended = log_->Append({record});
  EXPECT_TRUE(appended.ok()) << appended.status();
  if (!appended.ok() || appended->size() != 1) return {};
  return appended->front();
}

std::vector<RecordBatch> RecordLogContractTest::ReadAll(LogReader& reader,
                                                        size_t count) {
  std::vector<RecordBatch> batches;
  size_t found = 0;
  while (found < count) {
    auto batch = reader.Poll(1000, kLong);
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok() || !batch->has_value()) break;
    EXPECT_TRUE((*batch)->status.ok()) << (*batch)->status;
    if (!(*batch)->status.ok()) break;
    found += (*batch)->records.size();
    batches.push_back(**std::move(batch));
  }
  EXPECT_EQ(found, count);
  return batches;
}

TEST_P(RecordLogContractTest, OffsetsRiseFromZeroInTheOrderGiven) {
  Open();
  const std::string topic = Topic("order");
  int64_t expected = 0;
  for (const int size : {1, 3, 500}) {
    const auto appended =
        log_->Append(Numbered(topic, static_cast<int>(expected), size));
    ASSERT_TRUE(appended.ok()) << appended.status();
    ASSERT_EQ(appended->size(), static_cast<size_t>(size));
    for (const AppendedRecord& one : *appended) {
      EXPECT_EQ(one.partition, 0);
      EXPECT_EQ(one.offset, expected++);
    }
  }
  const auto bounds = log_->Bounds({topic, 0});
  ASSERT_TRUE(bounds.ok()) << bounds.status();
  EXPECT_EQ(bounds->begin, 0);
  EXPECT_EQ(bounds->end, expected);

  const auto reader = log_->NewReader();
  reader->Assign({topic, 0}, 0);
  int64_t next = 0;
  for (const RecordBatch& batch :
       ReadAll(*reader, static_cast<size_t>(expected))) {
    EXPECT_EQ(batch.source, (TopicPartition{topic, 0}));
    for (const LogRecord& record : batch.records) {
      EXPECT_EQ(record.offset, next);
      EXPECT_EQ(record.value, std::to_string(next));
      ++next;
    }
    EXPECT_EQ(batch.next_offset, next);
  }
}

TEST_P(RecordLogContractTest, RecordsComeBackByteForByte) {
  Open();
  const std::string topic = Topic("bytes");
  std::vector<NewRecord> records = {
      Record(topic, std::nullopt, std::nullopt),
      Record(topic, "", ""),
      Record(topic, std::string("\0k\0", 3), std::string("\0v\xff", 3)),
      Record(topic, "key", std::string(1 << 20, 'x')),
      Record(topic, "key", "v"),
  };
  records[1].log_time_ms = factory_->EarliestLogTimeMs();
  records[4].headers = {{"a", "1"}, {"b", ""}, {"a", std::string("\0", 1)}};
  ASSERT_TRUE(log_->Append(records).ok());

  for (const bool reopened : {false, true}) {
    if (reopened) Open();
    const auto reader = log_->NewReader();
    reader->Assign({topic, 0}, 0);
    std::vector<LogRecord> found;
    const auto batches = ReadAll(*reader, records.size());
    for (const RecordBatch& batch : batches) {
      found.insert(found.end(), batch.records.begin(), batch.records.end());
    }
    ASSERT_EQ(found.size(), records.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].log_time_ms, records[i].log_time_ms) << i;
      EXPECT_TRUE(found[i].key == records[i].key) << i;
      EXPECT_TRUE(found[i].value == records[i].value) << i;
      ASSERT_EQ(found[i].headers.size(), records[i].headers.size()) << i;
      for (size_t j = 0; j < found[i].headers.size(); ++j) {
        EXPECT_EQ(found[i].headers[j].name, records[i].headers[j].first);
        EXPECT_EQ(found[i].headers[j].value, records[i].headers[j].second);
      }
    }
  }
}

TEST_P(RecordLogContractTest, GoesOnWhereItEndedWhenOpenedAgain) {
  Open();
  const std::string topic = Topic("again");
  for (int round = 0; round < 4; ++round) {
    const auto appended = log_->Append(Numbered(topic, round * 3, 3));
    ASSERT_TRUE(appended.ok()) << appended.status();
    EXPECT_EQ(appended->back().offset, round * 3 + 2);
    Open();
    const auto bounds = log_->Bounds({topic, 0});
    ASSERT_TRUE(bounds.ok()) << bounds.status();
    EXPECT_EQ(bounds->end, round * 3 + 3);
  }
}

TEST_P(RecordLogContractTest, ReadsFromAnyPositionInBatchesOfAnySize) {
  Open();
  const std::string topic = Topic("positions");
  ASSERT_TRUE(log_->Append(Numbered(topic, 0, 20)).ok());
  for (int64_t from = 0; from < 20; ++from) {
    for (const size_t max : {1, 3, 100}) {
      const auto reader = log_->NewReader();
      reader->Assign({topic, 0}, from);
      int64_t next = from;
      while (next < 20) {
        const auto batch = reader->Poll(max, kLong);
        ASSERT_TRUE(batch.ok()) << batch.status();
        ASSERT_TRUE(batch->has_value());
        ASSERT_LE((*batch)->records.size(), max);
        for (const LogRecord& record : (*batch)->records) {
          ASSERT_EQ(record.offset, next++);
        }
      }
    }
  }
}

TEST_P(RecordLogContractTest, AtTheEndItWaitsForWhatComes) {
  Open();
  const std::string topic = Topic("tail");
  ASSERT_TRUE(log_->Append(Numbered(topic, 0, 2)).ok());
  const auto reader = log_->NewReader();
  reader->Assign({topic, 0}, 2);
  const auto nothing = reader->Poll(10, kNoTime);
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_FALSE(nothing->has_value());

  // Whether the append comes before the Poll or in the middle of it, the
  // record is given.
  std::thread writer([&] { AppendOne(Record(topic, "key", "2")); });
  const auto batches = ReadAll(*reader, 1);
  writer.join();
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].records[0].offset, 2);
}

TEST_P(RecordLogContractTest, BeyondTheEndIsOutOfRangeAndNoLongerAssigned) {
  Open();
  const std::string topic = Topic("beyond");
  ASSERT_TRUE(log_->Append(Numbered(topic, 0, 2)).ok());
  const auto reader = log_->NewReader();
  for (const int64_t offset : {int64_t{3}, int64_t{1} << 40}) {
    reader->Assign({topic, 0}, offset);
    const auto batch = reader->Poll(10, kLong);
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_TRUE(batch->has_value());
    EXPECT_TRUE(absl::IsOutOfRange((*batch)->status)) << (*batch)->status;
    EXPECT_EQ((*batch)->source, (TopicPartition{topic, 0}));
    EXPECT_TRUE((*batch)->records.empty());
    const auto after = reader->Poll(10, kNoTime);
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_FALSE(after->has_value());
  }
}

TEST_P(RecordLogContractTest, AnAssignmentMovesAndEnds) {
  Open();
  const std::string topic = Topic("moves");
  ASSERT_TRUE(log_->Append(Numbered(topic, 0, 10)).ok());
  const auto reader = log_->NewReader();
  reader->Assign({topic, 0}, 0);
  ReadAll(*reader, 10);
  reader->Assign({topic, 0}, 7);
  const auto batches = ReadAll(*reader, 3);
  ASSERT_FALSE(batches.empty());
  EXPECT_EQ(batches[0].records[0].offset, 7);
  reader->Assign({topic, 0}, 0);
  reader->Unassign({topic, 0});
  const auto nothing = reader->Poll(10, kNoTime);
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_FALSE(nothing->has_value());
}

TEST_P(RecordLogContractTest, WakeEndsAWait) {
  Open();
  const auto reader = log_->NewReader();
  // Before the Poll or in the middle of it: neither is lost.
  std::thread waker([&] { reader->Wake(); });
  const auto batch = reader->Poll(10, kLong);
  waker.join();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_FALSE(batch->has_value());
}

TEST_P(RecordLogContractTest, AssignIsSeenByAPollThatWaits) {
  Open();
  const std::string topic = Topic("assign");
  ASSERT_TRUE(log_->Append(Numbered(topic, 0, 1)).ok());
  const auto reader = log_->NewReader();
  std::thread assigner([&] { reader->Assign({topic, 0}, 0); });
  const auto batches = ReadAll(*reader, 1);
  assigner.join();
  EXPECT_EQ(batches.size(), 1u);
}

TEST_P(RecordLogContractTest, PartitionsTakeTurns) {
  Open();
  std::vector<std::string> topics;
  for (const char* name : {"turn-a", "turn-b", "turn-c"}) {
    topics.push_back(Topic(name));
    ASSERT_TRUE(log_->Append(Numbered(topics.back(), 0, 100)).ok());
  }
  const auto reader = log_->NewReader();
  for (const std::string& topic : topics) reader->Assign({topic, 0}, 0);
  std::map<std::string, size_t> taken;
  for (int i = 0; i < 30; ++i) {
    const auto batch = reader->Poll(10, kLong);
    ASSERT_TRUE(batch.ok()) << batch.status();
    ASSERT_TRUE(batch->has_value());
    taken[(*batch)->source.topic] += (*batch)->records.size();
    // Nobody is more than a few batches ahead of another.
    size_t least = 100;
    size_t most = 0;
    for (const std::string& topic : topics) {
      least = std::min(least, taken[topic]);
      most = std::max(most, taken[topic]);
    }
    EXPECT_LE(most - least, 30u);
  }
}

TEST_P(RecordLogContractTest, AKeyStaysInOnePartition) {
  Open(4);
  const std::string topic = Topic("keys");
  std::map<std::string, int32_t> partition_of;
  std::set<int32_t> used;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 40; ++i) {
      const std::string key = absl::StrCat("key-", i);
      const AppendedRecord appended = AppendOne(Record(topic, key, "v"));
      ASSERT_GE(appended.partition, 0);
      ASSERT_LT(appended.partition, 4);
      used.insert(appended.partition);
      const auto [it, is_new] = partition_of.emplace(key, appended.partition);
      EXPECT_EQ(it->second, appended.partition) << key;
    }
    // A topic keeps its number of partitions.
    Open(round == 0 ? 1 : 4);
  }
  EXPECT_EQ(used.size(), 4u);

  const auto partitions = log_->ListPartitions();
  ASSERT_TRUE(partitions.ok()) << partitions.status();
  EXPECT_EQ(std::count_if(partitions->begin(), partitions->end(),
                          [&](const TopicPartition& source) {
                            return source.topic == topic;
                          }),
            4);
  EXPECT_TRUE(std::is_sorted(partitions->begin(), partitions->end()));
}

TEST_P(RecordLogContractTest, APartitionCanBeNamed) {
  Open();
  const std::string topic = Topic("named");
  const absl::Status ensured = log_->EnsureTopic({topic, 3});
  ASSERT_TRUE(ensured.ok()) << ensured;
  std::vector<NewRecord> records = Numbered(topic, 0, 4);
  records[0].partition = 2;
  records[1].partition = 0;
  records[2].partition = 2;
  records[3].partition = 1;
  const auto appended = log_->Append(records);
  ASSERT_TRUE(appended.ok()) << appended.status();
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ((*appended)[i].partition, *records[i].partition) << i;
    EXPECT_EQ((*appended)[i].offset, i == 2 ? 1 : 0) << i;
  }
  for (const int32_t wrong : {-1, 3, 1 << 30}) {
    records[3].partition = wrong;
    EXPECT_TRUE(absl::IsInvalidArgument(log_->Append(records).status()))
        << wrong;
  }
  const auto bounds = log_->Bounds({topic, 2});
  ASSERT_TRUE(bounds.ok()) << bounds.status();
  EXPECT_EQ(bounds->end, 2);
}

TEST_P(RecordLogContractTest, AnEnsuredTopicHasAtLeastItsPartitions) {
  Open();
  const std::string topic = Topic("ensured");
  for (const int32_t partitions : {2, 1, 5, 5}) {
    const absl::Status ensured = log_->EnsureTopic({topic, partitions, true});
    ASSERT_TRUE(ensured.ok()) << ensured;
    const int32_t expected = std::max(partitions, 2);
    EXPECT_TRUE(log_->Bounds({topic, expected - 1}).ok()) << partitions;
    std::vector<NewRecord> record = Numbered(topic, 0, 1);
    record[0].partition = partitions - 1;
    EXPECT_TRUE(log_->Append(record).ok()) << partitions;
    if (partitions == 1) Open(3);
  }
  EXPECT_TRUE(absl::IsNotFound(log_->Bounds({topic, 5}).status()));
  for (const int32_t partitions : {0, -1}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(log_->EnsureTopic({topic, partitions})));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(log_->EnsureTopic({"not a topic", 1})));
  EXPECT_TRUE(log_->Health().ok());
}

TEST_P(RecordLogContractTest, NewPartitionsAreNoticed) {
  Open();
  const auto before = log_->ListPartitions();
  ASSERT_TRUE(before.ok()) << before.status();
  log_->WaitForPartitions(before->size(), kNoTime);  // returns all the same
  std::thread writer([&] { AppendOne(Record(Topic("new"), "key", "v")); });
  log_->WaitForPartitions(before->size(), kLong);
  const auto after = log_->ListPartitions();
  writer.join();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_GT(after->size(), before->size());
}

TEST_P(RecordLogContractTest, UnknownPartitionIsNotFound) {
  Open();
  EXPECT_TRUE(
      absl::IsNotFound(log_->Bounds({Topic("no-such-topic"), 0}).status()));
}

TEST_P(RecordLogContractTest, ABadTopicRefusesTheBatchWhole) {
  Open();
  const std::string topic = Topic("whole");
  ASSERT_TRUE(log_->Append(Numbered(topic, 0, 1)).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      log_->Append({Record(topic, "key", "1"), Record("not a topic", "k", "v")})
          .status()));
  const auto bounds = log_->Bounds({topic, 0});
  ASSERT_TRUE(bounds.ok()) << bounds.status();
  EXPECT_EQ(bounds->end, 1);
  const auto nothing = log_->Append({});
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_TRUE(nothing->empty());
}

TEST_P(RecordLogContractTest, AppendsAtTheSameTimeKeepTheirOrderAndAllCome) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 25;
  constexpr int kPerBatch = 4;
  Open();
  const std::string topic = Topic("threads");
  // A reader that follows while they write.
  std::atomic<bool> in_order = true;
  std::thread follower([&] {
    const auto reader = log_->NewReader();
    reader->Assign({topic, 0}, 0);
    int64_t next = 0;
    while (next < kThreads * kBatches * kPerBatch) {
      const auto batch = reader->Poll(7, kLong);
      if (!batch.ok() || !batch->has_value() || !(*batch)->status.ok()) break;
      for (const LogRecord& record : (*batch)->records) {
        if (record.offset != next++) in_order = false;
      }
    }
    if (next != kThreads * kBatches * kPerBatch) in_order = false;
  });
  std::vector<std::thread> writers;
  for (int thread = 0; thread < kThreads; ++thread) {
    writers.emplace_back([&, thread] {
      for (int batch = 0; batch < kBatches; ++batch) {
        std::vector<NewRecord> records;
        for (int i = 0; i < kPerBatch; ++i) {
          records.push_back(Record(
              topic, "key", absl::StrCat(thread, ":", batch * kPerBatch + i)));
        }
        const auto appended = log_->Append(records);
        EXPECT_TRUE(appended.ok()) << appended.status();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  follower.join();
  EXPECT_TRUE(in_order);

  Open();
  const auto reader = log_->NewReader();
  reader->Assign({topic, 0}, 0);
  std::vector<int> next(kThreads, 0);
  for (const RecordBatch& batch :
       ReadAll(*reader, kThreads * kBatches * kPerBatch)) {
    for (const LogRecord& record : batch.records) {
      const size_t thread = static_cast<size_t>(record.value->front() - '0');
      ASSERT_LT(thread, next.size());
      EXPECT_EQ(*record.value, absl::StrCat(thread, ":", next[thread]++));
    }
  }
}

}  // namespace windproof
