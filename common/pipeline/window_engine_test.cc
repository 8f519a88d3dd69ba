// The promises that the engine keeps, as properties over random logs, and what
// it says of a log that is not the one it has read before.
#include "common/pipeline/window_engine.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "common/pipeline/leaves.h"
#include "common/pipeline/testing/engine_run.h"
#include "common/pipeline/testing/random_log.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace windproof {
namespace {

constexpr int64_t kLogTimeMs = 1'893'456'000'000;

OwnedRecord Weather(int64_t offset, absl::string_view time, double temperature,
                    absl::string_view key = "00433") {
  OwnedRecord record;
  record.offset = offset;
  record.log_time_ms = kLogTimeMs;
  record.key = std::string(key);
  record.value = absl::StrFormat(
      R"({"station_id":"%s","timestamp":"%s","temperature":%.1f})", key, time,
      temperature);
  return record;
}

std::vector<std::string> BytesOf(const EngineRun& run) {
  std::vector<std::string> bytes;
  for (const WrittenWindow& window : run.written()) {
    bytes.push_back(window.bytes);
  }
  return bytes;
}

// Promise 1: root and aggregates depend on which records came, not on when.
RC_GTEST_PROP(WindowEngineTest, ContentIgnoresArrivalOrder, (uint32_t seed)) {
  PipelineSpec spec = *BuiltInSpec("weather");
  std::mt19937 random(seed);
  std::vector<OwnedRecord> records;
  for (int minute = 0; minute < 60; minute += 1 + static_cast<int>(seed % 7)) {
    records.push_back(Weather(0,
                              absl::StrFormat("2026-01-25T12:%02d:00Z", minute),
                              static_cast<double>(random() % 400) / 10.0 - 10));
  }
  std::tuple<Digest, std::vector<Checkpoint::Aggregate>, int64_t> first;
  for (int round = 0; round < 3; ++round) {
    EngineRun run(spec, "weather.00433", 0, 0);
    std::shuffle(records.begin(), records.end(), random);
    int64_t offset = 0;
    for (OwnedRecord& record : records) record.offset = offset++;
    RC_ASSERT(run.Feed(records).ok());
    RC_ASSERT(run.Feed({Weather(offset, "2026-01-25T13:20:00Z", 1)}).ok());
    run.Commit();
    RC_ASSERT(run.written().size() == 1U);
    const Checkpoint& checkpoint = run.written()[0].checkpoint;
    const std::tuple content(checkpoint.root, checkpoint.aggregates,
                             checkpoint.records);
    if (round == 0) first = content;
    RC_ASSERT(content == first);
  }
}

// Promise 2: the same log gives the same bytes, however it is cut into batches,
// wherever it stops, commits, crashes or spills.
RC_GTEST_PROP(WindowEngineTest, BytesIgnoreBatchesAndRestarts,
              (uint32_t seed)) {
  const PipelineSpec spec = RandomSpec(seed);
  const int64_t origin = seed % 3 == 0 ? 0 : int64_t{seed} << 24;
  const std::vector<OwnedRecord> log = RandomLog(seed, spec, 120, origin);
  EngineRun straight(spec, "random", 2, origin);
  RC_ASSERT(straight.Feed(log).ok());
  straight.Commit();

  EngineRun broken(spec, "random", 2, origin);
  std::mt19937 random(seed);
  if (seed % 2 == 0) broken.SpillOnCommit(random() % 20);
  size_t next = 0;
  while (next < log.size()) {
    const size_t count = std::min<size_t>(1 + random() % 12, log.size() - next);
    RC_ASSERT(broken.Feed(absl::MakeSpan(log).subspan(next, count)).ok());
    if (random() % 3 != 0) {
      broken.Commit();
      next += count;
      if (random() % 2 == 0) continue;
    } else {
      // What was fed and not committed is lost and comes again.
      next = static_cast<size_t>(
          std::lower_bound(log.begin(), log.end(), broken.state().position,
                           [](const OwnedRecord& record, int64_t position) {
                             return record.offset < position;
                           }) -
          log.begin());
    }
    const absl::Status status = broken.Restart(log);
    if (!status.ok()) RC_FAIL(std::string(status.message()));
  }
  broken.Commit();
  RC_ASSERT(BytesOf(broken) == BytesOf(straight));
  RC_ASSERT(broken.dropped() == straight.dropped());
  RC_ASSERT(broken.state().seen == straight.state().seen);
  RC_ASSERT(broken.state().last_record_hash ==
            straight.state().last_record_hash);
}

// Promise 3: every offset is accounted for, and what was dropped is under its
// root.
RC_GTEST_PROP(WindowEngineTest, EveryOffsetIsAccountedFor, (uint32_t seed)) {
  const PipelineSpec spec = RandomSpec(seed);
  const std::vector<OwnedRecord> log = RandomLog(seed, spec, 150, 10);
  EngineRun run(spec, "random", 0, 10);
  RC_ASSERT(run.Feed(log).ok());
  run.Commit();
  std::map<int64_t, Digest> hashes;
  for (const OwnedRecord& record : log) {
    hashes[record.offset] = RecordHash(record.View());
  }
  std::map<std::string, int64_t> ends;
  for (const WrittenWindow& window : run.written()) {
    const Checkpoint& checkpoint = window.checkpoint;
    RC_ASSERT(checkpoint.scan.Sum() ==
              checkpoint.scan_end - checkpoint.scan_begin);
    const auto [end, first] = ends.try_emplace(checkpoint.key, 10);
    RC_ASSERT(checkpoint.scan_begin == end->second);
    end->second = checkpoint.scan_end;

    std::vector<PendingDrop> drops;
    for (const auto& [id, reason] : run.dropped()) {
      if (id.first == checkpoint.key && id.second >= checkpoint.scan_begin &&
          id.second < checkpoint.scan_end) {
        drops.push_back({id.second, reason, hashes.at(id.second)});
      }
    }
    RC_ASSERT(DroppedRoot(drops) == checkpoint.dropped_root);
    const ScanCounts& scan = checkpoint.scan;
    RC_ASSERT(static_cast<int64_t>(drops.size()) ==
              scan.duplicate + scan.conflict + scan.late + scan.invalid);
  }
}

TEST(WindowEngineTest, AQuietStationMovesOnByControlRecords) {
  EngineRun run(*BuiltInSpec("weather"), "weather.00433", 0, 0);
  OwnedRecord control = Weather(1, "", 0);
  control.value = "2026-01-25T13:20:00Z";
  control.headers = {{"windproof-control", "watermark"}};
  ASSERT_TRUE(run.Feed({Weather(0, "2026-01-25T12:59:00Z", 1)}).ok());
  EXPECT_TRUE(run.engine().IsOpen("00433", 1'769'342'400'000));
  ASSERT_TRUE(run.Feed({control}).ok());
  EXPECT_FALSE(run.engine().IsOpen("00433", 1'769'342'400'000));
  run.Commit();
  ASSERT_EQ(run.written().size(), 1U);
  EXPECT_EQ(run.written()[0].checkpoint.scan.control, 1);
}

// The properties above say little if the logs hold little.
TEST(RandomLogTest, HoldsEveryKindOfRecord) {
  std::map<WindowEngine::Class, int> classes;
  int revisions = 0;
  int several_at_once = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const PipelineSpec spec = RandomSpec(seed);
    EngineRun run(spec, "random", 0, 0);
    for (const OwnedRecord& record : RandomLog(seed, spec, 120, 0)) {
      ASSERT_TRUE(run.Feed({record}).ok());
      classes[run.engine().last_class()] += 1;
    }
    run.Commit();
    for (const WrittenWindow& window : run.written()) {
      revisions += window.checkpoint.revision > 0 ? 1 : 0;
      several_at_once += window.checkpoint.scan.Sum() == 0 ? 1 : 0;
    }
  }
  using Class = WindowEngine::Class;
  for (const Class kind :
       {Class::kAccepted, Class::kConflict, Class::kControl, Class::kDuplicate,
        Class::kInvalid, Class::kLate, Class::kOther}) {
    EXPECT_GT(classes[kind], 50) << static_cast<int>(kind);
  }
  EXPECT_GT(revisions, 50);
  EXPECT_GT(several_at_once, 50);
}

class DamagedLogTest : public testing::Test {
 protected:
  DamagedLogTest() : run_(*BuiltInSpec("weather"), "weather.00433", 0, 0) {
    for (int i = 0; i < 5; ++i) {
      log_.push_back(
          Weather(i, absl::StrFormat("2026-01-25T12:%02d:00Z", 10 * i), i));
    }
    EXPECT_TRUE(run_.Feed(log_).ok());
    run_.Commit();
  }

  EngineRun run_;
  std::vector<OwnedRecord> log_;
};

TEST_F(DamagedLogTest, TheSameLogGoesOn) {
  EXPECT_TRUE(run_.Restart(log_).ok());
  EXPECT_FALSE(run_.engine().rereading());
}

TEST_F(DamagedLogTest, AnotherLastRecordStopsThePartition) {
  log_.back() = Weather(4, "2026-01-25T12:40:00Z", 39);
  const absl::Status status = run_.Restart(log_);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("another record at offset 4"),
            absl::string_view::npos);
}

TEST_F(DamagedLogTest, ALostRecordStopsThePartition) {
  log_.erase(log_.begin() + 2);
  const absl::Status status = run_.Restart(log_);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find("has 4 records of key 00433 in open windows; "
                                  "expected are 5"),
            absl::string_view::npos)
      << status;
}

TEST_F(DamagedLogTest, AForeignRecordStopsThePartition) {
  log_[1] = Weather(1, "2026-01-25T12:10:00Z", 1, "00427");
  EXPECT_TRUE(absl::IsDataLoss(run_.Restart(log_)));
}

TEST_F(DamagedLogTest, AGapAtTheLastRecordIsFine) {
  // A compacted log may lose a record that no open window needs.
  OwnedRecord invalid = Weather(5, "yesterday", 1);
  ASSERT_TRUE(run_.Feed({invalid}).ok());
  run_.Commit();
  EXPECT_TRUE(run_.Restart(log_).ok());
}

TEST_F(DamagedLogTest, OffsetsMustRise) {
  const absl::Status status =
      run_.Feed({Weather(4, "2026-01-25T12:50:00Z", 1)});
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST(WindowEngineTest, ASpillLetsTheLowWaterMarkPass) {
  EngineRun run(*BuiltInSpec("weather"), "weather.mixed", 0, 0);
  run.SpillOnCommit(3);
  std::vector<OwnedRecord> log = {
      Weather(0, "2026-01-25T12:00:00Z", 1, "quiet")};
  for (int i = 1; i < 12; ++i) {
    log.push_back(
        Weather(i, absl::StrFormat("2026-01-25T%02d:00:00Z", 11 + i), i));
  }
  for (const OwnedRecord& record : log) {
    ASSERT_TRUE(run.Feed({record}).ok());
    run.Commit();
    EXPECT_LE(run.state().position - run.state().low_water, 4);
  }
  // The quiet key's window is whole again after a restart from there.
  const std::vector<OwnedRecord> kept(log.begin() + run.state().low_water,
                                      log.end());
  ASSERT_TRUE(run.Restart(kept).ok());
  ASSERT_TRUE(run.Feed({Weather(12, "2026-01-25T14:00:00Z", 2, "quiet")}).ok());
  run.Commit();
  const auto& written = run.written().back().checkpoint;
  EXPECT_EQ(written.key, "quiet");
  EXPECT_EQ(written.records, 1);
  EXPECT_EQ(written.offsets_begin, 0);
}

}  // namespace
}  // namespace windproof
