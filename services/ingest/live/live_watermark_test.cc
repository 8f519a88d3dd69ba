#include "services/ingest/live/live_watermark.h"

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr LiveRules kWeather{.window_ms = kHour, .grace_ms = 20 * kMinute};

// The last row was at 12:50, windows of an hour and 20 minutes of grace.
constexpr int64_t kLast = 12 * kHour + 50 * kMinute;

std::optional<int64_t> Due(const LiveSilence& silence,
                           int64_t silent_after = 3 * kHour) {
  return WatermarkDue(silence, silent_after, {&kWeather, 1});
}

TEST(LiveWatermarkTest, NothingWhileTheStationIsNotSilent) {
  EXPECT_EQ(Due({.last_row_ms = kLast, .checked_ms = kLast}), std::nullopt);
  EXPECT_EQ(Due({.last_row_ms = kLast, .checked_ms = kLast + 3 * kHour}),
            std::nullopt);
}

TEST(LiveWatermarkTest, OnceWhenItFallsSilentAWholeSecond) {
  EXPECT_EQ(Due({.last_row_ms = kLast, .checked_ms = kLast + 3 * kHour + 999}),
            std::nullopt);
  EXPECT_EQ(
      Due({.last_row_ms = kLast, .checked_ms = kLast + 3 * kHour + 1'999}),
      kLast + 1'000);
}

TEST(LiveWatermarkTest, NotAgainUntilItClosesAnotherWindow) {
  const int64_t stated = kLast + kMinute;
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .stated_ms = stated,
                 .checked_ms = stated + 5 * kMinute + 3 * kHour}),
            std::nullopt);
  // The window [12:00, 13:00) closes at 13:20.
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .stated_ms = stated,
                 .checked_ms = 13 * kHour + 20 * kMinute - 1 + 3 * kHour}),
            std::nullopt);
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .stated_ms = stated,
                 .checked_ms = 13 * kHour + 20 * kMinute + 3 * kHour}),
            13 * kHour + 20 * kMinute);
}

TEST(LiveWatermarkTest, NothingMoreOnceAllWindowsAreClosed) {
  const int64_t stated = 13 * kHour + 20 * kMinute;
  for (int hours = 0; hours < 100; ++hours) {
    EXPECT_EQ(Due({.last_row_ms = kLast,
                   .stated_ms = stated,
                   .checked_ms = stated + (3 + hours) * kHour}),
              std::nullopt);
  }
}

TEST(LiveWatermarkTest, TheSlowestPipelineCountsToo) {
  const std::vector<LiveRules> rules = {
      kWeather, {.window_ms = 24 * kHour, .grace_ms = 2 * kHour}};
  const int64_t stated = 13 * kHour + 20 * kMinute;
  EXPECT_EQ(WatermarkDue({.last_row_ms = kLast,
                          .stated_ms = stated,
                          .checked_ms = 26 * kHour - 1 + 3 * kHour},
                         3 * kHour, rules),
            std::nullopt);
  EXPECT_EQ(WatermarkDue({.last_row_ms = kLast,
                          .stated_ms = stated,
                          .checked_ms = 26 * kHour + 3 * kHour},
                         3 * kHour, rules),
            26 * kHour);
}

TEST(LiveWatermarkTest, CorrectionsOfASilentStationAreSettled) {
  const int64_t stated = 20 * kHour;
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .stated_ms = stated,
                 .sent_since_stated = true,
                 .checked_ms = 30 * kHour}),
            27 * kHour);
  // Also where the clock went back since.
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .stated_ms = stated,
                 .sent_since_stated = true,
                 .checked_ms = 22 * kHour}),
            stated);
}

TEST(LiveWatermarkTest, ANewRowBeginsANewSilence) {
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .stated_ms = kLast - kHour,
                 .sent_since_stated = true,
                 .checked_ms = kLast + 2 * kHour}),
            std::nullopt);
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .stated_ms = kLast - kHour,
                 .sent_since_stated = true,
                 .checked_ms = kLast + 4 * kHour}),
            kLast + kHour);
}

TEST(LiveWatermarkTest, OldRowsThatComeNowAreASignOfLife) {
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .last_seen_ms = 1'000 * kHour,
                 .checked_ms = 1'003 * kHour - 1}),
            std::nullopt);
  EXPECT_EQ(Due({.last_row_ms = kLast,
                 .last_seen_ms = 1'000 * kHour,
                 .checked_ms = 1'003 * kHour}),
            1'000 * kHour);
}

TEST(LiveWatermarkTest, BeforeTheEpochToo) {
  EXPECT_EQ(Due({.last_row_ms = -100 * kHour,
                 .last_seen_ms = -100 * kHour,
                 .checked_ms = -90 * kHour - 1}),
            -93 * kHour - 1'000);
}

TEST(LiveWatermarkTest, TheServersDateCountsWhereItIsEarlier) {
  EXPECT_EQ(CheckedAt(1'000, std::nullopt), 1'000);
  EXPECT_EQ(CheckedAt(1'000, 400), 400);
  EXPECT_EQ(CheckedAt(1'000, 2'000), 1'000);
}

// Whatever the delays, up to silent_after, and whenever the server is looked
// at: no row is ever found behind a watermark that was stated before it.
TEST(LiveWatermarkTest, NeverMakesARowLateThatIsOnTime) {
  std::mt19937_64 random(20'260'125);
  int stated_count = 0;
  for (int run = 0; run < 200; ++run) {
    const int64_t silent_after =
        static_cast<int64_t>(1 + random() % 40) * 10 * kMinute;
    struct Row {
      int64_t time_ms;
      int64_t shown_ms;
      bool sent = false;
    };
    std::vector<Row> rows;
    int64_t time_ms = 0;
    for (int i = 0; i < 100; ++i) {
      // Now and then the station is silent for hours.
      time_ms += 10 * kMinute +
                 (random() % 10 == 0
                      ? static_cast<int64_t>(random() % 60) * 10 * kMinute
                      : 0);
      rows.push_back(
          {time_ms,
           time_ms + static_cast<int64_t>(
                         random() % static_cast<uint64_t>(silent_after + 1))});
    }
    std::optional<int64_t> last_row, stated;
    int64_t last_seen = 0;
    bool since = false;
    for (int64_t now = 0; now < time_ms + 2 * silent_after;
         now += static_cast<int64_t>(1 + random() % 40) * kMinute) {
      for (Row& row : rows) {
        if (row.sent || row.shown_ms > now) continue;
        row.sent = true;
        since = true;
        ASSERT_GE(row.time_ms, stated.value_or(row.time_ms));
        if (row.time_ms > last_row.value_or(-1)) {
          last_row = row.time_ms;
          last_seen = now;
        }
      }
      if (!last_row.has_value()) continue;
      const auto due = WatermarkDue({.last_row_ms = *last_row,
                                     .last_seen_ms = last_seen,
                                     .stated_ms = stated,
                                     .sent_since_stated = since,
                                     .checked_ms = now},
                                    silent_after, {&kWeather, 1});
      if (!due.has_value()) continue;
      ASSERT_GE(*due, stated.value_or(*due));
      stated = due;
      since = false;
      ++stated_count;
    }
  }
  EXPECT_GT(stated_count, 200);
}

}  // namespace
}  // namespace windproof
