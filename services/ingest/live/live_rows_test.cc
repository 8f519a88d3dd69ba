#include "services/ingest/live/live_rows.h"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ingest/dwd/dwd_file.h"

namespace windproof {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNoFloor = std::numeric_limits<int64_t>::min();
constexpr int64_t kNow = 1'000'000;

struct TestRow {
  int64_t time_s;
  const char* temperature;
};

DwdStation Station(const std::vector<TestRow>& rows) {
  DwdStation station(433);
  for (const TestRow& given : rows) {
    DwdRow row;
    row.cadence = DwdCadence::kTenMinutes;
    row.station = 433;
    row.time_s = given.time_s;
    row.values[0] = given.temperature;
    station.Add(row);
  }
  station.Sort();
  return station;
}

// Sends as a source would, and remembers.
class Feed {
 public:
  LivePlan See(LiveFileKind kind, const std::vector<TestRow>& rows,
               int64_t floor_s = kNoFloor) {
    std::vector<LiveKnownRow> known;
    for (const auto& [time_s, row] : known_) known.push_back(row);
    LivePlan plan = PlanLiveRows(Station(rows), kind, known, floor_s, kNow);
    for (const LiveRowToSend& row : plan.send)
      known_[row.known.time_s] = row.known;
    for (const LiveKnownRow& row : plan.confirmed) known_[row.time_s] = row;
    return plan;
  }

 private:
  std::map<int64_t, LiveKnownRow> known_;
};

std::vector<int64_t> Times(const LivePlan& plan) {
  std::vector<int64_t> times;
  for (const LiveRowToSend& row : plan.send) times.push_back(row.known.time_s);
  return times;
}

TEST(LiveRowsTest, AtFirstEverythingInOrderOfTime) {
  Feed feed;
  const LivePlan plan =
      feed.See(LiveFileKind::kNow, {{1200, "2"}, {600, "1"}, {1800, "3"}});
  EXPECT_THAT(Times(plan), ElementsAre(600, 1200, 1800));
  EXPECT_EQ(plan.send[0].record,
            R"({"station_id":"00433","timestamp":"1970-01-01T00:10:00Z",)"
            R"("temperature":1})");
  EXPECT_FALSE(plan.send[0].changed);
}

TEST(LiveRowsTest, AGrownFileGivesItsNewRowsAlone) {
  Feed feed;
  feed.See(LiveFileKind::kNow, {{600, "1"}, {1200, "2"}});
  const LivePlan plan =
      feed.See(LiveFileKind::kNow, {{600, "1"}, {1200, "2"}, {1800, "3"}});
  EXPECT_THAT(Times(plan), ElementsAre(1800));
  EXPECT_EQ(plan.unchanged, 2);
}

TEST(LiveRowsTest, TheSameAgainIsNothing) {
  Feed feed;
  feed.See(LiveFileKind::kNow, {{600, "1"}});
  EXPECT_THAT(feed.See(LiveFileKind::kNow, {{600, "1"}}).send, IsEmpty());
}

TEST(LiveRowsTest, AChangedRowIsSentAgainAndAlsoBack) {
  Feed feed;
  feed.See(LiveFileKind::kNow, {{600, "1"}, {1200, "2"}});
  LivePlan plan = feed.See(LiveFileKind::kNow, {{600, "1.5"}, {1200, "2"}});
  EXPECT_THAT(Times(plan), ElementsAre(600));
  EXPECT_TRUE(plan.send[0].changed);
  plan = feed.See(LiveFileKind::kNow, {{600, "1"}, {1200, "2"}});
  EXPECT_THAT(Times(plan), ElementsAre(600));
  EXPECT_TRUE(plan.send[0].changed);
}

TEST(LiveRowsTest, AHoleThatIsFilledLaterIsSent) {
  Feed feed;
  feed.See(LiveFileKind::kNow, {{600, "1"}, {1800, "3"}});
  const LivePlan plan =
      feed.See(LiveFileKind::kNow, {{600, "1"}, {1200, "2"}, {1800, "3"}});
  EXPECT_THAT(Times(plan), ElementsAre(1200));
  EXPECT_FALSE(plan.send[0].changed);
}

TEST(LiveRowsTest, AMissingValueThatComesLaterIsAChange) {
  Feed feed;
  feed.See(LiveFileKind::kNow, {{600, ""}});
  EXPECT_THAT(Times(feed.See(LiveFileKind::kNow, {{600, "1"}})),
              ElementsAre(600));
}

TEST(LiveRowsTest, RecentAndNowDoNotTakeTurns) {
  Feed feed;
  feed.See(LiveFileKind::kNow, {{600, "1"}});
  EXPECT_THAT(Times(feed.See(LiveFileKind::kRecent, {{600, "1.1"}})),
              ElementsAre(600));
  const LivePlan plan = feed.See(LiveFileKind::kNow, {{600, "1"}});
  EXPECT_THAT(plan.send, IsEmpty());
  EXPECT_EQ(plan.outranked, 1);
}

TEST(LiveRowsTest, WhatRecentConfirmsNowCannotChange) {
  Feed feed;
  feed.See(LiveFileKind::kNow, {{600, "1"}});
  const LivePlan plan = feed.See(LiveFileKind::kRecent, {{600, "1"}});
  EXPECT_THAT(plan.send, IsEmpty());
  EXPECT_EQ(plan.confirmed.size(), 1u);
  EXPECT_EQ(feed.See(LiveFileKind::kNow, {{600, "2"}}).outranked, 1);
  // Confirmed once is enough.
  EXPECT_THAT(feed.See(LiveFileKind::kRecent, {{600, "1"}}).confirmed,
              IsEmpty());
}

TEST(LiveRowsTest, ATimeThatIsThereTwiceIsItsLastRow) {
  Feed feed;
  const std::vector<TestRow> rows = {{600, "1"}, {600, "2"}};
  const LivePlan plan = feed.See(LiveFileKind::kNow, rows);
  ASSERT_THAT(Times(plan), ElementsAre(600));
  EXPECT_THAT(plan.send[0].record, ::testing::HasSubstr(":2}"));
  EXPECT_THAT(feed.See(LiveFileKind::kNow, rows).send, IsEmpty());
}

TEST(LiveRowsTest, BeforeTheFloorNothingIsCompared) {
  Feed feed;
  const LivePlan plan = feed.See(LiveFileKind::kRecent,
                                 {{600, "1"}, {1200, "2"}, {1800, "3"}}, 1200);
  EXPECT_THAT(Times(plan), ElementsAre(1200, 1800));
  EXPECT_EQ(plan.settled, 1);
}

TEST(LiveRowsTest, TheFutureIsHeldBack) {
  Feed feed;
  const LivePlan plan =
      feed.See(LiveFileKind::kNow, {{kNow, "1"}, {kNow + 1, "2"}});
  EXPECT_THAT(Times(plan), ElementsAre(kNow));
  EXPECT_EQ(plan.future, 1);
}

}  // namespace
}  // namespace windproof
