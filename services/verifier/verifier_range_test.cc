// Ranges: every window once, in order, with totals; and golden logs, all of
// whose windows must verify.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/proto/convert.h"
#include "gtest/gtest.h"
#include "services/verifier/testing/world.h"
#include "tests/vectors/golden_log.h"

namespace windproof {
namespace {

using Response = v1::VerifyWindowResponse;

constexpr int64_t kNoon = World::kBaseMs;
constexpr int64_t kMinute = 60'000;

v1::VerifyRangeRequest All(const World& world) {
  v1::VerifyRangeRequest request;
  request.set_pipeline(world.spec().name);
  return request;
}

std::string Summary(const World::RangeResult& result) {
  std::string text;
  for (const Response& window : result.windows) {
    absl::StrAppend(
        &text, text.empty() ? "" : " ",
        (*MillisFromProto(window.window().start(), "start") - kNoon) / kMinute,
        ":", Response::Verdict_Name(window.verdict()));
  }
  return text;
}

TEST(VerifyRangeTest, EveryWindowInOrderThenTotals) {
  World world;
  const auto result = world.VerifyRange(All(world));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result), "0:VERIFIED 1:VERIFIED 3:VERIFIED 4:VERIFIED");
  ASSERT_EQ(result->totals.size(), 1u);
  EXPECT_EQ(result->totals[0].windows(), 4);
  EXPECT_EQ(result->totals[0].verified(), 4);
  EXPECT_EQ(result->totals[0].records(), 4 + 3 + 2 + 1);
  ASSERT_FALSE(result->progress.empty());
  EXPECT_EQ(result->progress.back().windows_done(), 4);
  EXPECT_EQ(result->progress.back().windows(), 4);
}

// Whoever hides a pipeline, on one side, does not hide it from the verifier.
TEST(VerifyRangeTest, WithoutAPipelineAllThatEitherSideKnows) {
  World world;
  auto result = world.VerifyRange({});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result), "0:VERIFIED 1:VERIFIED 3:VERIFIED 4:VERIFIED");
  ASSERT_EQ(result->totals.size(), 1u);
  EXPECT_EQ(result->totals[0].windows(), 4);
  EXPECT_EQ(result->progress.back().windows_done(), 4);

  World hidden;
  hidden.progress.Clear();
  result = hidden.VerifyRange({});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->windows.size(), 4u);
  EXPECT_EQ(result->totals[0].failed(), 0);

  World not_anchored;
  not_anchored.items.clear();
  result = not_anchored.VerifyRange({});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->totals[0].failed(), 4) << "said to be anchored";

  World down;
  down.anchor_down = true;
  result = down.VerifyRange({});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->totals[0].incomplete(), 4);
  down.window_hash_down = true;
  result = down.VerifyRange({});
  EXPECT_TRUE(absl::IsUnavailable(result.status())) << result.status();
}

TEST(VerifyRangeTest, OneKeyAndBothBoundsListsEmptyWindows) {
  World world;
  v1::VerifyRangeRequest request = All(world);
  request.set_key("a");
  *request.mutable_start_time() = ToProtoMillis(kNoon - 2 * kMinute);
  *request.mutable_end_time() = ToProtoMillis(kNoon + 60 * kMinute);
  auto result = world.VerifyRange(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result),
            "-2:EMPTY -1:EMPTY 0:VERIFIED 1:VERIFIED 2:EMPTY 3:VERIFIED "
            "4:VERIFIED");
  EXPECT_EQ(result->totals[0].empty(), 3);

  // Half-open, and a start within a window passes that window over.
  *request.mutable_start_time() = ToProtoMillis(kNoon + 1);
  *request.mutable_end_time() = ToProtoMillis(kNoon + 3 * kMinute);
  result = world.VerifyRange(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result), "1:VERIFIED 2:EMPTY");

  request.clear_start_time();
  result = world.VerifyRange(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result), "0:VERIFIED 1:VERIFIED");
}

TEST(VerifyRangeTest, OneLieFailsOneWindow) {
  World world;
  world.windows[2].mutable_payload()->mutable_records(0)->set_canonical("{}");
  const auto result = world.VerifyRange(All(world));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result), "0:VERIFIED 1:VERIFIED 3:FAILED 4:VERIFIED");
  EXPECT_EQ(result->totals[0].failed(), 1);
}

TEST(VerifyRangeTest, WhatOnlyOneSideHasIsListedToo) {
  World world;
  world.windows.erase(world.windows.begin());  // window-hash lost 12:00
  world.items.pop_back();                      // the ledger lost 12:04
  world.SealLedger();
  const auto result = world.VerifyRange(All(world));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result), "0:FAILED 1:VERIFIED 3:VERIFIED 4:FAILED");
}

TEST(VerifyRangeTest, OneSideAwayIsIncomplete) {
  World no_records;
  no_records.window_hash_down = true;
  auto result = no_records.VerifyRange(All(no_records));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Summary(*result),
            "0:INCOMPLETE 1:INCOMPLETE 3:INCOMPLETE 4:INCOMPLETE");
  World no_ledger;
  no_ledger.anchor_down = true;
  result = no_ledger.VerifyRange(All(no_ledger));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->totals[0].incomplete(), 4);
  World neither;
  neither.anchor_down = true;
  neither.window_hash_down = true;
  EXPECT_TRUE(absl::IsUnavailable(neither.VerifyRange(All(neither)).status()));
}

TEST(VerifyRangeTest, AListOutOfOrderIsNotFollowed) {
  World world;
  std::swap(world.windows[0], world.windows[1]);
  const auto result = world.VerifyRange(All(world));
  ASSERT_TRUE(result.ok()) << result.status();
  // The first was not served in its place; nothing after the second is.
  EXPECT_EQ(Summary(*result), "0:FAILED 1:VERIFIED 3:INCOMPLETE 4:INCOMPLETE");
}

TEST(VerifyRangeTest, RefusesWhatIsNoRange) {
  World world;
  v1::VerifyRangeRequest request = All(world);
  request.set_pipeline("unheard-of");
  EXPECT_TRUE(absl::IsInvalidArgument(world.VerifyRange(request).status()));
  request = All(world);
  *request.mutable_start_time() = ToProtoMillis(kNoon);
  *request.mutable_end_time() = ToProtoMillis(kNoon - 1);
  EXPECT_TRUE(absl::IsInvalidArgument(world.VerifyRange(request).status()));
}

// Every window of the log verifies, in all its revisions, over all keys.
void ExpectAllVerified(const GoldenLog& golden) {
  World world(golden.spec, golden.topic, golden.partition, golden.origin,
              golden.entries);
  world.page_size = 1000;
  std::set<std::pair<std::string, int64_t>> windows;
  for (const WrittenWindow& written : world.written) {
    windows.insert(
        {written.checkpoint.key, written.checkpoint.window_start_ms});
  }
  ASSERT_EQ(world.written.size(), golden.written.size());
  const auto result = world.VerifyRange(All(world));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->totals.size(), 1u);
  EXPECT_EQ(result->totals[0].windows(), static_cast<int64_t>(windows.size()));
  EXPECT_EQ(result->totals[0].verified(), static_cast<int64_t>(windows.size()));
  for (const Response& window : result->windows) {
    if (window.verdict() != Response::VERIFIED) {
      ADD_FAILURE() << window.DebugString();
      return;
    }
  }
}

int VerifyFolder(const std::filesystem::path& folder) {
  int logs = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    SCOPED_TRACE(file.path().filename().string());
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const absl::StatusOr<GoldenLog> golden = ParseGoldenLog(text.str());
    EXPECT_TRUE(golden.ok()) << golden.status();
    if (!golden.ok()) continue;
    ExpectAllVerified(*golden);
    ++logs;
  }
  return logs;
}

TEST(VerifyRangeTest, GoldenLogsVerify) {
  EXPECT_GT(VerifyFolder("tests/vectors/logs"), 0);
}

TEST(VerifyRangeTest, SharedGoldenLogsVerify) {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  const std::filesystem::path folder =
      std::filesystem::path(shared == nullptr ? "" : shared) / "data/windproof";
  if (shared == nullptr || !std::filesystem::exists(folder)) {
    GTEST_SKIP() << "WINDPROOF_SHARED names no folder with data/windproof";
  }
  EXPECT_GT(VerifyFolder(folder), 0);
}

}  // namespace
}  // namespace windproof
