// What stops a partition, and what it says then.
#include "services/window_hash/partition_worker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/pipeline/spec.h"
#include "services/window_hash/log_check.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

const PipelineSpec& Weather() { return *BuiltInSpec("weather"); }
const PipelineSource& Source() {
  static const auto* source =
      new PipelineSource{"weather", {"weather.00433", 0}};
  return *source;
}

bool Contains(const absl::Status& status, absl::string_view text) {
  return status.message().find(std::string(text)) != absl::string_view::npos;
}

class PartitionWorkerTest : public ::testing::Test {
 protected:
  // Twelve records, the second window open at the end.
  PartitionWorkerTest() : log_(WeatherLog({"00433"}, 2)) { log_.pop_back(); }

  TestStore store_;
  std::vector<OwnedRecord> log_;
};

TEST_F(PartitionWorkerTest, KeepsItsOriginBeforeAnythingIsRead) {
  WorkerRun run(Weather(), Source(), 5, log_, {}, store_);
  ASSERT_TRUE(run.OpenWorker().ok());
  run.DropStore();
  // Another origin the next time: the first one stays.
  WorkerRun again(Weather(), Source(), 7, log_, {}, store_);
  ASSERT_TRUE(again.OpenWorker().ok());
  EXPECT_EQ(again.worker().status().state.origin, 5);
  EXPECT_EQ(again.worker().next_offset(), 5);
}

TEST_F(PartitionWorkerTest, KnowsWhatIsOpen) {
  constexpr int64_t kFirst = 1'767'225'600'000;
  constexpr int64_t kHour = 3'600'000;
  WorkerRun run(Weather(), Source(), 0, log_, {}, store_);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_FALSE(run.worker().IsOpen("00433", kFirst));
  EXPECT_TRUE(run.worker().IsOpen("00433", kFirst + kHour));
  EXPECT_FALSE(run.worker().IsOpen("00427", kFirst + kHour));
  const PartitionStatus status = run.worker().status();
  EXPECT_EQ(status.open_windows, 1);
  EXPECT_EQ(status.keys, 1);
  EXPECT_EQ(status.checkpoints, 1);
  EXPECT_EQ(status.state.position, 12);
  EXPECT_EQ(status.state.low_water, 6);
  const PartitionCounters counters = run.worker().counters();
  EXPECT_EQ(counters.windows, 1);
  EXPECT_EQ(
      counters.records[static_cast<size_t>(WindowEngine::Class::kAccepted)],
      12);
}

TEST_F(PartitionWorkerTest, AnotherRecordAtTheLastOffsetStopsIt) {
  WorkerRun run(Weather(), Source(), 0, log_, {}, store_);
  ASSERT_TRUE(run.Run().ok());
  run.DropWorker();
  log_.back().value =
      R"({"station_id":"00433","timestamp":"2026-01-01T01:50:00Z"})";
  ASSERT_TRUE(run.OpenWorker().ok());
  const absl::Status stopped = run.FeedTo(12, 100);
  EXPECT_TRUE(absl::IsDataLoss(stopped)) << stopped;
  EXPECT_TRUE(Contains(stopped, "expected")) << stopped;
  EXPECT_TRUE(Contains(stopped, "found")) << stopped;
  EXPECT_EQ(run.worker().status().error, stopped);
  // It stays stopped, and what is stored stays as it was.
  RecordBatch batch;
  batch.next_offset = 20;
  EXPECT_EQ(run.worker().Process(batch), stopped);
  EXPECT_EQ(store_.store->LoadPartition(Source())->value().position, 12);
}

TEST_F(PartitionWorkerTest, ALostRecordOfAnOpenWindowStopsIt) {
  WorkerRun run(Weather(), Source(), 0, log_, {}, store_);
  ASSERT_TRUE(run.Run().ok());
  run.DropWorker();
  log_.erase(log_.begin() + 8);
  ASSERT_TRUE(run.OpenWorker().ok());
  const absl::Status stopped = run.FeedTo(12, 100);
  EXPECT_TRUE(absl::IsDataLoss(stopped)) << stopped;
  EXPECT_TRUE(Contains(stopped, "00433")) << stopped;
}

TEST_F(PartitionWorkerTest, NothingOfABatchThatFailsIsStored) {
  WorkerRun run(Weather(), Source(), 0, log_, {}, store_);
  ASSERT_TRUE(run.OpenWorker().ok());
  RecordBatch batch = BatchOf(Source().source, log_, 0, 12);
  batch.records.push_back(batch.records.front());  // an offset that falls
  EXPECT_TRUE(absl::IsInvalidArgument(run.worker().Process(batch)));
  EXPECT_TRUE(run.written().empty());
  run.DropStore();
  ASSERT_TRUE(run.Run().ok());
  EXPECT_EQ(run.written().size(), 1u);
}

TEST_F(PartitionWorkerTest, ABatchThatCannotBeReadStopsIt) {
  WorkerRun run(Weather(), Source(), 0, log_, {}, store_);
  ASSERT_TRUE(run.OpenWorker().ok());
  RecordBatch batch;
  batch.status = absl::OutOfRangeError("expired");
  EXPECT_TRUE(absl::IsOutOfRange(run.worker().Process(batch)));
  EXPECT_TRUE(absl::IsOutOfRange(run.worker().status().error));
}

TEST_F(PartitionWorkerTest, AnOpenWindowThatLagsIsStoredAndNeedsNoLog) {
  PartitionWorker::Options options;
  options.spill_max_lag = 2;
  WorkerRun run(Weather(), Source(), 0, log_, options, store_);
  ASSERT_TRUE(run.Run().ok());
  EXPECT_GT(run.worker().status().state.low_water, 6);
  const int64_t low_water = run.worker().status().state.low_water;
  run.DropStore();
  // The log has expired up to the low-water mark.
  std::vector<OwnedRecord> rest = WeatherLog({"00433"}, 2);
  rest.erase(rest.begin(), rest.begin() + low_water);
  WorkerRun again(Weather(), Source(), 0, rest, options, store_);
  const absl::Status ran = again.Run();
  ASSERT_TRUE(ran.ok()) << ran;
  ASSERT_EQ(again.written().size(), 1u);
  const auto outbox = store_.store->LoadOutbox();
  ASSERT_TRUE(outbox.ok());
  ASSERT_EQ(outbox->size(), 1u);
  EXPECT_EQ(outbox->front().end, 2);
  // What was stored of the window is gone with it.
  int spills = 0;
  ASSERT_TRUE(
      store_.store->LoadSpills(Source(), [&](const Spill&) { ++spills; }).ok());
  EXPECT_EQ(spills, 0);
}

TEST(LogCheckTest, NamesExpectedAndFound) {
  const PartitionState state{
      .origin = 0, .seen = 12, .position = 12, .low_water = 6};
  const auto fine = FirstOffsetToRead(Source(), state, 6, {0, 12});
  ASSERT_TRUE(fine.ok());
  EXPECT_EQ(*fine, 6);
  // The last record is below the low-water mark, and no longer kept.
  EXPECT_EQ(*FirstOffsetToRead(Source(), state, 3, {5, 12}), 5);

  const absl::Status expired =
      FirstOffsetToRead(Source(), state, 6, {7, 12}).status();
  EXPECT_TRUE(absl::IsDataLoss(expired));
  EXPECT_TRUE(Contains(expired, "begins at offset 7")) << expired;
  EXPECT_TRUE(Contains(expired, "from offset 6")) << expired;
  const absl::Status truncated =
      FirstOffsetToRead(Source(), state, 6, {0, 11}).status();
  EXPECT_TRUE(absl::IsDataLoss(truncated));
  EXPECT_TRUE(Contains(truncated, "ends at offset 11")) << truncated;
  EXPECT_TRUE(Contains(truncated, "up to offset 12")) << truncated;
}

}  // namespace
}  // namespace windproof
