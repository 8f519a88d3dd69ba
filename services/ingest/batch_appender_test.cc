#include "services/ingest/batch_appender.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// Remembers what is appended; can be held back, and can fail.
class FakeLog : public RecordLog {
 public:
  absl::StatusOr<std::vector<AppendedRecord>> Append(
      absl::Span<const NewRecord> records) override {
    MutexLock lock(mutex_);
    ++appends_;
    changed_.NotifyAll();
    while (held_) changed_.Wait(mutex_);
    if (appends_ == fail_at_) return absl::UnavailableError("away");
    std::vector<AppendedRecord> appended;
    for (const NewRecord& record : records) {
      appended.push_back({0, static_cast<int64_t>(values_.size())});
      values_.push_back(*record.value);
    }
    return appended;
  }

  std::unique_ptr<LogReader> NewReader() override { return nullptr; }
  absl::StatusOr<LogBounds> Bounds(const TopicPartition&) override {
    return absl::NotFoundError("none");
  }
  absl::StatusOr<std::vector<TopicPartition>> ListPartitions() override {
    return std::vector<TopicPartition>();
  }
  void WaitForPartitions(size_t, std::chrono::milliseconds) override {}
  absl::Status EnsureTopic(const TopicNeed&) override {
    return absl::OkStatus();
  }
  absl::Status Health() override { return absl::OkStatus(); }

  void Hold() {
    MutexLock lock(mutex_);
    held_ = true;
  }
  void Release() {
    MutexLock lock(mutex_);
    held_ = false;
    changed_.NotifyAll();
  }
  void WaitForAppends(int count) {
    MutexLock lock(mutex_);
    while (appends_ < count) changed_.Wait(mutex_);
  }
  void FailAt(int append) {
    MutexLock lock(mutex_);
    fail_at_ = append;
  }
  int appends() {
    MutexLock lock(mutex_);
    return appends_;
  }
  std::vector<std::string> values() {
    MutexLock lock(mutex_);
    return values_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool held_ = false;
  int appends_ = 0;
  int fail_at_ = -1;
  std::vector<std::string> values_;
};

std::vector<NewRecord> Batch(int first, int count) {
  std::vector<NewRecord> batch(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    batch[static_cast<size_t>(i)].value = std::to_string(first + i);
  }
  return batch;
}

TEST(BatchAppenderTest, KeepsTheOrderAndCounts) {
  FakeLog log;
  BatchAppender appender(log);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(appender.Submit(Batch(3 * i, 3), 10).ok());
  }
  ASSERT_TRUE(appender.Finish().ok());
  EXPECT_EQ(appender.totals().batches, 100);
  EXPECT_EQ(appender.totals().records, 300);
  EXPECT_EQ(appender.totals().bytes, 1000);
  const std::vector<std::string> values = log.values();
  ASSERT_EQ(values.size(), 300u);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i], std::to_string(i));
  }
}

TEST(BatchAppenderTest, WhatWaitsGoesTogether) {
  FakeLog log;
  log.Hold();
  BatchAppender appender(log);
  ASSERT_TRUE(appender.Submit(Batch(0, 1), 1).ok());
  log.WaitForAppends(1);
  for (int i = 1; i < 10; ++i) {
    ASSERT_TRUE(appender.Submit(Batch(i, 1), 1).ok());
  }
  EXPECT_EQ(appender.totals().batches, 0);
  log.Release();
  ASSERT_TRUE(appender.Finish().ok());
  EXPECT_EQ(log.appends(), 2);
  EXPECT_EQ(log.values().size(), 10u);
}

TEST(BatchAppenderTest, AnErrorEndsItAndNothingComesAfter) {
  FakeLog log;
  log.FailAt(2);
  BatchAppender appender(log);
  ASSERT_TRUE(appender.Submit(Batch(0, 5), 5).ok());
  log.WaitForAppends(1);
  absl::Status status;
  while (status.ok()) status = appender.Submit(Batch(5, 5), 5);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(absl::IsUnavailable(appender.Finish()));
  EXPECT_EQ(appender.totals().batches, 1);
  EXPECT_EQ(log.values().size(), 5u);
}

TEST(BatchAppenderTest, NothingSubmittedIsFine) {
  FakeLog log;
  BatchAppender appender(log);
  EXPECT_TRUE(appender.Finish().ok());
  EXPECT_EQ(log.appends(), 0);
}

TEST(BatchAppenderTest, EndingItKeepsWhatWasSubmitted) {
  FakeLog log;
  {
    BatchAppender appender(log);
    ASSERT_TRUE(appender.Submit(Batch(0, 5), 5).ok());
  }
  EXPECT_EQ(log.values().size(), 5u);
}

}  // namespace
}  // namespace windproof
