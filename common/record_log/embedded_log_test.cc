#include "common/record_log/embedded_log.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/log_record.h"
#include "common/record_log/embedded_log_keys.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"

namespace windproof {
namespace {

constexpr std::chrono::milliseconds kLong = std::chrono::minutes(1);

NewRecord Numbered(int i) {
  NewRecord record;
  record.topic = "weather.00433";
  record.key = "00433";
  record.value = absl::StrCat("{\"n\":", i, "}");
  record.log_time_ms = 1000 + i;
  return record;
}

class EmbeddedLogTest : public ::testing::Test {
 protected:
  EmbeddedLogTest() {
    options_.path = absl::StrCat(
        ::testing::TempDir(), "/",
        ::testing::UnitTest::GetInstance()->current_test_info()->name(),
        "/data/log");
  }

  void Open() {
    log_.reset();
    auto log = EmbeddedLog::Open(options_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }

  void Append(int first, int count) {
    std::vector<NewRecord> records;
    for (int i = first; i < first + count; ++i) records.push_back(Numbered(i));
    const auto appended = log_->Append(records);
    ASSERT_TRUE(appended.ok()) << appended.status();
  }

  // The next batch of the topic, read from `offset` on.
  RecordBatch ReadFrom(int64_t offset, size_t max_records = 1000) {
    const auto reader = log_->NewReader();
    reader->Assign({"weather.00433", 0}, offset);
    auto batch = reader->Poll(max_records, kLong);
    EXPECT_TRUE(batch.ok() && batch->has_value());
    return **std::move(batch);
  }

  std::unique_ptr<rocksdb::DB> OpenRaw() {
    log_.reset();
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::Open(rocksdb::Options(), options_.path, &db);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::unique_ptr<rocksdb::DB>(db);
  }

  EmbeddedLog::Options options_;
  std::unique_ptr<EmbeddedLog> log_;
};

TEST_F(EmbeddedLogTest, StoresTheRawRecordUnderItsKey) {
  Open();
  Append(0, 2);
  const auto db = OpenRaw();
  std::string raw;
  ASSERT_TRUE(
      db->Get(rocksdb::ReadOptions(), RecordKey({"weather.00433", 0}, 1), &raw)
          .ok());
  LogRecord record;
  record.log_time_ms = 1001;
  record.key = "00433";
  record.value = "{\"n\":1}";
  EXPECT_EQ(Sha256Of(raw), RecordHash(record));
}

TEST_F(EmbeddedLogTest, SecondOpenSaysThatTheStoreIsInUse) {
  Open();
  for (const bool read_only : {false, true}) {
    EmbeddedLog::Options options = options_;
    options.read_only = read_only;
    const auto second = EmbeddedLog::Open(options);
    EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
    EXPECT_TRUE(absl::StrContains(second.status().message(),
                                  "the store is in use by another process"))
        << second.status();
  }
}

TEST_F(EmbeddedLogTest, ReadOnlyReadsAndTakesNothing) {
  options_.read_only = true;
  EXPECT_TRUE(absl::IsNotFound(EmbeddedLog::Open(options_).status()));
  options_.read_only = false;
  Open();
  Append(0, 3);
  log_.reset();

  options_.read_only = true;
  Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(log_->Append({Numbered(3)}).status()));
  const RecordBatch batch = ReadFrom(1);
  ASSERT_EQ(batch.records.size(), 2u);
  EXPECT_EQ(batch.records[0].value, "{\"n\":1}");
  log_.reset();

  options_.read_only = false;
  Open();
  Append(3, 1);
  EXPECT_EQ(log_->Bounds({"weather.00433", 0})->end, 4);
}

TEST_F(EmbeddedLogTest, RefusesAStoreOfAnotherFormat) {
  Open();
  const auto put = [this](absl::string_view value) {
    const auto db = OpenRaw();
    ASSERT_TRUE(db->Put(rocksdb::WriteOptions(),
                        rocksdb::Slice(kEmbeddedLogFormatKey.data(),
                                       kEmbeddedLogFormatKey.size()),
                        rocksdb::Slice(value.data(), value.size()))
                    .ok());
  };
  put("windproof record log 2");
  const absl::Status status = EmbeddedLog::Open(options_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "windproof record log 2"));
}

TEST_F(EmbeddedLogTest, OptionsOutOfRangeAreRefused) {
  for (const int32_t partitions : {0, -1, 10'001}) {
    options_.partitions_per_topic = partitions;
    EXPECT_TRUE(absl::IsInvalidArgument(EmbeddedLog::Open(options_).status()));
  }
}

TEST_F(EmbeddedLogTest, AFolderThatCannotBeMadeIsAnError) {
  const std::string file = ::testing::TempDir() + "/a-file";
  std::ofstream(file) << "x";
  options_.path = file + "/log";
  EXPECT_FALSE(EmbeddedLog::Open(options_).ok());
}

TEST_F(EmbeddedLogTest, DamagedRecordIsDataLossAfterTheGoodOnes) {
  Open();
  Append(0, 5);
  {
    const auto db = OpenRaw();
    ASSERT_TRUE(db->Put(rocksdb::WriteOptions(),
                        RecordKey({"weather.00433", 0}, 3), "too short")
                    .ok());
  }
  Open();
  const auto reader = log_->NewReader();
  reader->Assign({"weather.00433", 0}, 0);
  const auto good = reader->Poll(1000, kLong);
  ASSERT_TRUE(good.ok() && good->has_value());
  EXPECT_TRUE((*good)->status.ok());
  EXPECT_EQ((*good)->records.size(), 3u);
  EXPECT_EQ((*good)->next_offset, 3);
  const auto bad = reader->Poll(1000, kLong);
  ASSERT_TRUE(bad.ok() && bad->has_value());
  EXPECT_TRUE(absl::IsDataLoss((*bad)->status)) << (*bad)->status;
  EXPECT_TRUE((*bad)->records.empty());
  EXPECT_TRUE(absl::StrContains((*bad)->status.message(), "offset 3"));
  // What lies behind can be read by whoever asks for it.
  EXPECT_EQ(ReadFrom(4).records.size(), 1u);
}

TEST_F(EmbeddedLogTest, FlippedBitOnTheDiskIsDataLoss) {
  Open();
  Append(0, 2000);
  {
    const auto db = OpenRaw();
    ASSERT_TRUE(db->Flush(rocksdb::FlushOptions()).ok());
  }
  int flipped = 0;
  for (const auto& entry : std::filesystem::directory_iterator(options_.path)) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(3000);
    const char byte = static_cast<char>(file.get());
    file.seekp(3000);
    file.put(static_cast<char>(byte ^ 1));
    ++flipped;
  }
  ASSERT_EQ(flipped, 1);
  Open();
  bool found = false;
  for (int64_t offset = 0; offset < 2000 && !found;) {
    const RecordBatch batch = ReadFrom(offset);
    found = absl::IsDataLoss(batch.status);
    EXPECT_TRUE(found || batch.next_offset > offset);
    offset = batch.next_offset;
  }
  EXPECT_TRUE(found);
}

TEST_F(EmbeddedLogTest, AHoleIsSkippedAndNotFilled) {
  Open();
  Append(0, 6);
  {
    const auto db = OpenRaw();
    for (const int64_t offset : {0, 2, 3}) {
      ASSERT_TRUE(db->Delete(rocksdb::WriteOptions(),
                             RecordKey({"weather.00433", 0}, offset))
                      .ok());
    }
  }
  Open();
  EXPECT_EQ(log_->Bounds({"weather.00433", 0})->begin, 1);
  EXPECT_TRUE(absl::IsOutOfRange(ReadFrom(0).status));
  const RecordBatch first = ReadFrom(1, 1);
  ASSERT_EQ(first.records.size(), 1u);
  EXPECT_EQ(first.next_offset, 4);
  const RecordBatch rest = ReadFrom(2);
  ASSERT_EQ(rest.records.size(), 2u);
  EXPECT_EQ(rest.records[0].offset, 4);
  EXPECT_EQ(rest.next_offset, 6);
}

TEST_F(EmbeddedLogTest, UnfinishedWriteAtTheEndIsDropped) {
  Open();
  Append(0, 3);
  Append(3, 3);
  log_.reset();
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::directory_iterator(options_.path)) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) {
      newest = std::max(newest, entry.path());
    }
  }
  ASSERT_FALSE(newest.empty());
  std::filesystem::resize_file(newest, std::filesystem::file_size(newest) - 5);
  Open();
  EXPECT_EQ(log_->Bounds({"weather.00433", 0})->end, 3);
  Append(3, 1);
  EXPECT_EQ(ReadFrom(0).records.size(), 4u);
}

TEST_F(EmbeddedLogTest, BatchesStayWithinTheirBytes) {
  options_.batch_bytes_max = 100;
  Open();
  Append(0, 50);
  const auto reader = log_->NewReader();
  reader->Assign({"weather.00433", 0}, 0);
  int64_t next = 0;
  while (next < 50) {
    const auto batch = reader->Poll(1000, kLong);
    ASSERT_TRUE(batch.ok() && batch->has_value());
    ASSERT_GE((*batch)->records.size(), 1u);
    ASSERT_LE((*batch)->records.size(), 3u);
    next = (*batch)->next_offset;
  }
}

TEST_F(EmbeddedLogTest, PartitionThatComesLaterIsReadFromItsStart) {
  Open();
  const auto reader = log_->NewReader();
  reader->Assign({"weather.00433", 0}, 0);
  Append(0, 1);
  const auto batch = reader->Poll(1000, kLong);
  ASSERT_TRUE(batch.ok() && batch->has_value());
  EXPECT_EQ((*batch)->records.size(), 1u);
}

TEST_F(EmbeddedLogTest, BatchOutlivesReaderAndLog) {
  Open();
  Append(0, 100);
  const RecordBatch batch = ReadFrom(0);
  log_.reset();
  ASSERT_EQ(batch.records.size(), 100u);
  EXPECT_EQ(batch.records[99].value, "{\"n\":99}");
}

}  // namespace
}  // namespace windproof
