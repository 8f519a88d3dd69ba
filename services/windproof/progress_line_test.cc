#include "services/windproof/progress_line.h"

#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(ProgressTextTest, NamesShareRateAndTimeToGo) {
  EXPECT_EQ(ProgressText("rows", 12'000, 26'400, 0.2),
            "12000 of 26400 rows, 45%, 60000 rows/s, 0:00 to go");
  EXPECT_EQ(ProgressText("rows", 100, 7'300, 1),
            "100 of 7300 rows, 1%, 100 rows/s, 1:12 to go");
  EXPECT_EQ(ProgressText("rows", 10, 10, 2),
            "10 of 10 rows, 100%, 5 rows/s, 0:00 to go");
}

TEST(ProgressTextTest, WhatIsNotKnownIsNotSaid) {
  EXPECT_EQ(ProgressText("records", 500, 0, 2), "500 records, 250 records/s");
  EXPECT_EQ(ProgressText("rows", 0, 10, 1), "0 of 10 rows, 0%, 0 rows/s");
  EXPECT_EQ(ProgressText("rows", 0, 10, 0), "0 of 10 rows, 0%, 0 rows/s");
}

TEST(ProgressBarTest, FitsTheTerminal) {
  EXPECT_EQ(ProgressBar("half", 5, 10, 80), "[############............] half");
  EXPECT_EQ(ProgressBar("half", 5, 10, 18), "[#####.....] half");
  EXPECT_EQ(ProgressBar("half", 5, 10, 13), "[##...] half");
  EXPECT_EQ(ProgressBar("half", 5, 10, 12), "half");
  EXPECT_EQ(ProgressBar("half", 5, 10, 4), "hal");
  EXPECT_EQ(ProgressBar("half", 5, 10, 0), "");
  EXPECT_EQ(ProgressBar("5 rows", 5, 0, 80), "5 rows");
  EXPECT_EQ(ProgressBar("more", 20, 10, 13), "[#####] more");
}

}  // namespace
}  // namespace windproof
