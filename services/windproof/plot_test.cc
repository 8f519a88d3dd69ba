#include "services/windproof/plot.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(PlotTest, RunsFromLeastToGreatest) {
  EXPECT_EQ(Plot({1, 2, 3, 4, 5, 6, 7, 8}, 80), "▁▂▃▄▅▆▇█");
}

TEST(PlotTest, ConstantValuesStandInTheMiddle) {
  EXPECT_EQ(Plot({3, 3}, 80), "▅▅");
}

TEST(PlotTest, WhatIsMissingIsASpace) {
  EXPECT_EQ(Plot({1, std::nullopt, 2}, 80), "▁ █");
}

TEST(PlotTest, ManyValuesShareABar) {
  EXPECT_EQ(Plot({0, 0, 10, 10}, 2), "▁█");
}

TEST(PlotTest, NothingGivesNothing) { EXPECT_EQ(Plot({}, 80), ""); }

}  // namespace
}  // namespace windproof
