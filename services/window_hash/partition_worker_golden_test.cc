// The golden logs through worker and store: whatever the batches, and wherever
// it is restarted, the disk holds the same bytes in the end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/pipeline/checkpoint.h"
#include "proto/windproof/v1/window_hash.pb.h"
#include "services/window_hash/testing/worker_run.h"
#include "tests/vectors/golden_log.h"

namespace windproof {
namespace {

std::vector<GoldenLog> LogsIn(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<GoldenLog> logs;
  for (const std::filesystem::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    absl::StatusOr<GoldenLog> log = ParseGoldenLog(text.str());
    EXPECT_TRUE(log.ok()) << path << ": " << log.status();
    if (log.ok()) logs.push_back(*std::move(log));
  }
  return logs;
}

// Ours, and those that came with the formats where they are there.
const std::vector<GoldenLog>& Logs() {
  static const auto* logs = [] {
    auto* all = new std::vector<GoldenLog>(LogsIn("tests/vectors/logs"));
    if (const char* shared = std::getenv("WINDPROOF_SHARED")) {
      const auto folder = std::filesystem::path(shared) / "data" / "windproof";
      if (std::filesystem::exists(folder)) {
        for (GoldenLog& log : LogsIn(folder)) all->push_back(std::move(log));
      }
    }
    return all;
  }();
  return *logs;
}

int64_t EndOf(const GoldenLog& log) {
  return log.entries.empty() ? log.origin : log.entries.back().offset + 1;
}

class PartitionWorkerGoldenTest : public ::testing::Test {
 protected:
  WorkerRun RunOf(const GoldenLog& log, int64_t spill_max_lag) {
    PartitionWorker::Options options;
    options.spill_max_lag = spill_max_lag;
    return WorkerRun(
        log.spec, {absl::StrCat("run-", ++runs_), {log.topic, log.partition}},
        log.origin, log.entries, options, store_);
  }

  // One store for all runs of a test, each under a name of its own: opening
  // takes its time.
  TestStore store_;
  int runs_ = 0;
};

constexpr int64_t kNoSpills = std::numeric_limits<int64_t>::max();

// Everything that the store holds of a window, against what it must hold.
void CheckWindow(const GoldenLog::Written& expected, PayloadStore& store,
                 const PipelineSource& source) {
  const absl::StatusOr<Checkpoint> checkpoint =
      ParseCheckpoint(expected.checkpoint);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const WindowKey window{.pipeline = source.pipeline,
                         .key = checkpoint->key,
                         .start_ms = checkpoint->window_start_ms,
                         .revision = checkpoint->revision,
                         .source = source.source};
  const auto stored = store.ReadCheckpoint(window);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->checkpoint().checkpoint(), expected.checkpoint);
  EXPECT_EQ(stored->checkpoint().signer(), TestSigner().name);
  EXPECT_TRUE(TestSigner().key.PublicKey().Verify(
      expected.checkpoint, stored->checkpoint().signature()));

  const auto payload = store.ReadPayload(window);
  ASSERT_TRUE(payload.ok()) << payload.status();
  std::vector<std::pair<int64_t, std::string>> records;
  for (const v1::PayloadRecord& record : payload->records()) {
    records.emplace_back(record.offset(), record.canonical());
  }
  EXPECT_EQ(records, expected.records);

  std::vector<std::tuple<int64_t, int32_t, std::string>> dropped;
  const absl::Status listed = store.ListDrops(
      source, checkpoint->key, checkpoint->scan_begin, checkpoint->scan_end,
      [&](int64_t offset,
          const store::v1::StoredDrop& drop) -> absl::StatusOr<bool> {
        dropped.emplace_back(offset, drop.reason(),
                             HexOf(Sha256Of(drop.raw())));
        EXPECT_FALSE(drop.waiting());
        return true;
      });
  ASSERT_TRUE(listed.ok()) << listed;
  std::vector<std::tuple<int64_t, int32_t, std::string>> expected_dropped;
  for (const auto& drop : expected.dropped) {
    v1::DroppedRecord::Reason reason = v1::DroppedRecord::INVALID;
    if (drop.reason == "duplicate") reason = v1::DroppedRecord::DUPLICATE;
    if (drop.reason == "conflict") reason = v1::DroppedRecord::CONFLICT;
    if (drop.reason == "late") reason = v1::DroppedRecord::LATE;
    expected_dropped.emplace_back(drop.offset, reason, drop.record_hash);
  }
  EXPECT_EQ(dropped, expected_dropped);

  const auto item = store.ReadOutbox(
      {.source = source, .key = checkpoint->key, .number = checkpoint->seq});
  ASSERT_TRUE(item.ok()) << item.status();
  EXPECT_EQ(item->window, window);
}

void CheckAll(const GoldenLog& log, WorkerRun& run) {
  std::vector<std::string> expected;
  for (const GoldenLog::Written& written : log.written) {
    expected.push_back(written.checkpoint);
    CheckWindow(written, run.store(), run.source());
  }
  EXPECT_EQ(run.written(), expected);
}

TEST_F(PartitionWorkerGoldenTest, AnyBatchesGiveTheSameBytes) {
  for (const GoldenLog& log : Logs()) {
    for (const int64_t batch : {1, 7, 1'000'000}) {
      for (const int64_t spill : {kNoSpills, int64_t{2}}) {
        SCOPED_TRACE(absl::StrCat(log.name, ", batches of ", batch,
                                  ", spills beyond ", spill));
        WorkerRun run = RunOf(log, spill);
        ASSERT_TRUE(run.OpenWorker().ok());
        const absl::Status fed = run.FeedTo(EndOf(log), batch);
        ASSERT_TRUE(fed.ok()) << fed;
        CheckAll(log, run);
      }
    }
  }
}

TEST_F(PartitionWorkerGoldenTest, ARestartAtAnyPositionChangesNothing) {
  for (const GoldenLog& log : Logs()) {
    for (const int64_t spill : {kNoSpills, int64_t{2}}) {
      SCOPED_TRACE(absl::StrCat(log.name, ", spills beyond ", spill));
      WorkerRun run = RunOf(log, spill);
      ASSERT_TRUE(run.OpenWorker().ok());
      int count = 0;
      for (const OwnedRecord& record : log.entries) {
        const absl::Status fed = run.FeedTo(record.offset + 1, 3);
        ASSERT_TRUE(fed.ok()) << record.offset << ": " << fed;
        run.DropWorker();
        // Now and then the database too: it takes its time.
        if (++count % 50 == 0) run.DropStore();
        const absl::Status opened = run.OpenWorker();
        ASSERT_TRUE(opened.ok()) << record.offset << ": " << opened;
      }
      CheckAll(log, run);
    }
  }
}

TEST_F(PartitionWorkerGoldenTest, PositionsAndLowWaterMarksAreAsTheyMustBe) {
  for (const GoldenLog& log : Logs()) {
    SCOPED_TRACE(log.name);
    WorkerRun run = RunOf(log, kNoSpills);
    ASSERT_TRUE(run.OpenWorker().ok());
    for (const GoldenLog::Position& position : log.positions) {
      const absl::Status fed = run.FeedTo(position.position, 5);
      ASSERT_TRUE(fed.ok()) << position.position << ": " << fed;
      const PartitionStatus status = run.worker().status();
      EXPECT_EQ(status.state.position, position.position);
      EXPECT_EQ(status.state.low_water, position.low_water)
          << "at " << position.position;
      EXPECT_EQ(static_cast<int64_t>(run.written().size()), position.written)
          << "at " << position.position;
      run.DropWorker();
      ASSERT_TRUE(run.OpenWorker().ok());
    }
  }
}

TEST_F(PartitionWorkerGoldenTest, RandomBatchesAndCrashes) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (const GoldenLog& log : Logs()) {
    SCOPED_TRACE(log.name);
    WorkerRun run = RunOf(log, random() % 3 == 0 ? kNoSpills : random() % 20);
    ASSERT_TRUE(run.OpenWorker().ok());
    for (const OwnedRecord& record : log.entries) {
      if (random() % 4 != 0) continue;
      const absl::Status fed = run.FeedTo(record.offset + 1, 1 + random() % 10);
      ASSERT_TRUE(fed.ok()) << record.offset << ": " << fed;
      if (random() % 2 != 0) continue;
      run.DropWorker();
      if (random() % 20 == 0) run.DropStore();
      ASSERT_TRUE(run.OpenWorker().ok());
    }
    ASSERT_TRUE(run.FeedTo(EndOf(log), 4).ok());
    CheckAll(log, run);
  }
}

}  // namespace
}  // namespace windproof
