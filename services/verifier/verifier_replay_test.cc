// REPLAY through the service: on request alone, what it makes of the verdict,
// and which record it names.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/verifier/testing/memory_log.h"
#include "services/verifier/testing/world.h"

namespace windproof {
namespace {

using Response = v1::VerifyWindowResponse;

constexpr int64_t kNoon = World::kBaseMs;
constexpr int64_t kMinute = 60'000;

PipelineSpec AmendSpec() {
  PipelineSpec spec = World::TestSpec();
  spec.late_policy = LatePolicy::kAmend;
  spec.amend_ms = 600'000;
  return spec;
}

const v1::Check* ReplayOf(const Response& response) {
  for (const v1::Check& check : response.checks()) {
    if (check.name() == v1::Check::REPLAY) return &check;
  }
  return nullptr;
}

const v1::Finding* Find(const Response& response, absl::string_view code) {
  const v1::Check* check = ReplayOf(response);
  if (check == nullptr) return nullptr;
  for (const v1::Finding& finding : check->findings()) {
    if (finding.code() == code) return &finding;
  }
  return nullptr;
}

Response Verify(World& world, int64_t start_ms = kNoon, bool replay = true) {
  const absl::StatusOr<Response> response =
      world.Verify(World::kKey, start_ms, replay);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? *response : Response();
}

// A world whose verifier has the record log.
struct LogWorld {
  explicit LogWorld(const PipelineSpec& spec = World::TestSpec())
      : world(spec), log({world.topic(), 0}, world.log) {
    world.verifier_log = &log;
  }
  World world;
  MemoryLog log;
};

TEST(VerifierReplayTest, RunsOnRequestAlone) {
  LogWorld w;
  Response response = Verify(w.world, kNoon, /*replay=*/false);
  EXPECT_EQ(response.verdict(), Response::VERIFIED);
  EXPECT_EQ(ReplayOf(response), nullptr);
  response = Verify(w.world);
  EXPECT_EQ(response.verdict(), Response::VERIFIED) << response.DebugString();
  ASSERT_NE(ReplayOf(response), nullptr);
  EXPECT_EQ(ReplayOf(response)->result(), v1::Check::PASS);
}

TEST(VerifierReplayTest, EveryWindowOfARangeWithItsRevisions) {
  for (const bool amend : {false, true}) {
    LogWorld w(amend ? AmendSpec() : World::TestSpec());
    v1::VerifyRangeRequest request;
    request.set_pipeline(w.world.spec().name);
    request.set_replay(true);
    const auto result = w.world.VerifyRange(request);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->windows.size(), 4u);
    for (const Response& response : result->windows) {
      EXPECT_EQ(response.verdict(), Response::VERIFIED)
          << response.DebugString();
      ASSERT_NE(ReplayOf(response), nullptr);
      EXPECT_EQ(ReplayOf(response)->result(), v1::Check::PASS);
    }
    EXPECT_EQ(result->windows[0].revision(), amend ? 1 : 0);
  }
}

TEST(VerifierReplayTest, AnEmptyWindowIsReplayedToo) {
  LogWorld w;
  const Response response = Verify(w.world, kNoon + 2 * kMinute);
  EXPECT_EQ(response.verdict(), Response::EMPTY) << response.DebugString();
  ASSERT_NE(ReplayOf(response), nullptr);
  EXPECT_EQ(ReplayOf(response)->result(), v1::Check::PASS);
}

TEST(VerifierReplayTest, WithoutALogItIsIncomplete) {
  World world;
  const Response response = Verify(world);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE);
  ASSERT_NE(ReplayOf(response), nullptr);
  EXPECT_EQ(ReplayOf(response)->result(), v1::Check::SKIPPED);
  EXPECT_TRUE(absl::StrContains(ReplayOf(response)->reason(), "record log"));
}

TEST(VerifierReplayTest, ExpiredRecordsAreIncomplete) {
  LogWorld w;
  w.log.Expire(1);
  const Response response = Verify(w.world);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE);
  ASSERT_NE(ReplayOf(response), nullptr);
  EXPECT_EQ(ReplayOf(response)->result(), v1::Check::SKIPPED);
  EXPECT_TRUE(absl::StrContains(ReplayOf(response)->reason(), "expired"));
  EXPECT_EQ(Verify(w.world, kNoon + 4 * kMinute).verdict(), Response::VERIFIED);
}

// Window-hash, ledger and signatures are all in order, and the log is not.
TEST(VerifierReplayTest, AnAlteredRecordOfTheLogIsNamed) {
  LogWorld w;
  std::string& value = *w.world.log[1].value;
  ASSERT_TRUE(absl::StrContains(value, "3.9"));
  value.replace(value.find("3.9"), 3, "4.9");
  EXPECT_EQ(Verify(w.world, kNoon, false).verdict(), Response::VERIFIED);
  const Response response = Verify(w.world);
  EXPECT_EQ(response.verdict(), Response::FAILED);
  const v1::Finding* finding = Find(response, "LOG_RECORD_ALTERED");
  ASSERT_NE(finding, nullptr) << response.DebugString();
  EXPECT_EQ(finding->offset(), 1);
  EXPECT_EQ(finding->record(), 2);
  EXPECT_TRUE(absl::StrContains(finding->expected(), "3.9"));
  EXPECT_TRUE(absl::StrContains(finding->found(), "4.9"));
  EXPECT_NE(Find(response, "REPLAY_DIFFERS"), nullptr);
  EXPECT_EQ(Verify(w.world, kNoon + 3 * kMinute).verdict(), Response::VERIFIED);
}

TEST(VerifierReplayTest, AnAlteredHeaderOfADroppedRecordIsNamed) {
  LogWorld w;
  ASSERT_EQ(w.world.log[4].offset, 4);  // a conflict; offset 3 a duplicate
  w.world.log[4].headers.emplace_back("added", "1");
  const Response response = Verify(w.world);
  EXPECT_EQ(response.verdict(), Response::FAILED);
  const v1::Finding* finding = Find(response, "LOG_RECORD_ALTERED");
  ASSERT_NE(finding, nullptr) << response.DebugString();
  EXPECT_EQ(finding->offset(), 4);
  EXPECT_TRUE(absl::StartsWith(finding->expected(), "conflict "));
}

// How many were accepted only the log can tell: every other check passes.
TEST(VerifierReplayTest, AProducerThatCountsWrongIsFound) {
  LogWorld w;
  w.world.written[0].checkpoint.scan.accepted -= 1;
  w.world.written[0].checkpoint.scan.other += 1;
  w.world.Relink();
  w.world.Publish();
  EXPECT_EQ(Verify(w.world, kNoon, false).verdict(), Response::VERIFIED);
  const Response response = Verify(w.world);
  EXPECT_EQ(response.verdict(), Response::FAILED);
  const v1::Finding* finding = Find(response, "REPLAY_DIFFERS");
  ASSERT_NE(finding, nullptr) << response.DebugString();
  EXPECT_TRUE(absl::StartsWith(finding->message(), "scan.accepted: "))
      << finding->message();
  EXPECT_EQ(Verify(w.world, kNoon + kMinute).verdict(), Response::VERIFIED);
}

TEST(VerifierReplayTest, NothingIsAskedOfWindowHash) {
  LogWorld w;
  w.world.configured = {w.world.spec()};
  w.world.window_hash_down = true;
  const Response response = Verify(w.world);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE);
  ASSERT_NE(ReplayOf(response), nullptr);
  EXPECT_EQ(ReplayOf(response)->result(), v1::Check::PASS);
}

TEST(VerifierReplayTest, WhatIsNotOnTheLedgerIsSkipped) {
  LogWorld w;
  w.world.anchor_down = true;
  const Response response = Verify(w.world);
  ASSERT_NE(ReplayOf(response), nullptr) << response.DebugString();
  EXPECT_EQ(ReplayOf(response)->result(), v1::Check::SKIPPED);
}

}  // namespace
}  // namespace windproof
