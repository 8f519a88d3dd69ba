#include "services/ingest/live/live_backoff.h"

#include <limits>

#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(LiveBackoffTest, DoublesUpToTheCap) {
  LiveBackoff backoff({.first_ms = 1'000, .max_ms = 10'000});
  EXPECT_EQ(backoff.Failed(1.0, 0), 1'000);
  EXPECT_EQ(backoff.Failed(1.0, 0), 2'000);
  EXPECT_EQ(backoff.Failed(1.0, 0), 4'000);
  EXPECT_EQ(backoff.Failed(1.0, 0), 8'000);
  EXPECT_EQ(backoff.Failed(1.0, 0), 10'000);
  EXPECT_EQ(backoff.Failed(1.0, 0), 10'000);
  EXPECT_EQ(backoff.failures(), 6);
}

TEST(LiveBackoffTest, JitterTakesUpToHalfAway) {
  EXPECT_EQ(LiveBackoff({.first_ms = 1'000}).Failed(0.0, 0), 500);
  EXPECT_EQ(LiveBackoff({.first_ms = 1'000}).Failed(0.5, 0), 750);
  EXPECT_EQ(LiveBackoff({.first_ms = 1'000}).Failed(0.999, 0), 999);
}

TEST(LiveBackoffTest, SuccessBeginsAnew) {
  LiveBackoff backoff({.first_ms = 1'000, .max_ms = 10'000});
  backoff.Failed(1.0, 0);
  backoff.Failed(1.0, 0);
  backoff.Succeeded();
  EXPECT_EQ(backoff.failures(), 0);
  EXPECT_EQ(backoff.Failed(1.0, 0), 1'000);
}

TEST(LiveBackoffTest, WhatTheServerAsksForIsTheLeast) {
  LiveBackoff backoff({.first_ms = 1'000, .max_ms = 10'000});
  EXPECT_EQ(backoff.Failed(1.0, 60'000), 60'000);
  EXPECT_EQ(backoff.Failed(1.0, 500), 2'000);
  EXPECT_EQ(backoff.Failed(1.0, std::numeric_limits<int64_t>::max()),
            LiveBackoff::kRetryAfterMaxMs);
}

TEST(LiveBackoffTest, VeryManyFailuresDoNotOverflow) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max() / 4;
  LiveBackoff backoff({.first_ms = 1, .max_ms = kMax});
  int64_t before = 0;
  for (int i = 0; i < 1'000; ++i) {
    const int64_t wait = backoff.Failed(0.0, 0);
    ASSERT_GE(wait, before);
    ASSERT_LE(wait, kMax);
    before = wait;
  }
}

}  // namespace
}  // namespace windproof
