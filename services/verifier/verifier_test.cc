// What VerifyWindow answers of a world in which nobody lies, but something may
// be missing, open, away or unknown.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger_entry.h"
#include "services/verifier/testing/memory_log.h"
#include "services/verifier/testing/said.h"
#include "services/verifier/testing/world.h"

namespace windproof {
namespace {

using Response = v1::VerifyWindowResponse;

TEST(VerifierTest, VerifiesWhatIsTrue) {
  for (const bool amend : {false, true}) {
    World world(amend ? AmendSpec() : World::TestSpec());
    MemoryLog log({world.topic(), 0}, world.log);
    world.verifier_log = &log;
    for (const int64_t minute : {0, 1, 3, 4}) {
      const Response response = Verify(world, kNoon + minute * kMinute);
      EXPECT_EQ(response.verdict(), Response::VERIFIED)
          << response.DebugString();
      EXPECT_EQ(response.checks_size(), 7);
      for (const v1::Check& check : response.checks()) {
        EXPECT_EQ(check.result(), v1::Check::PASS);
        EXPECT_EQ(check.findings_size(), 0);
      }
      EXPECT_EQ(response.revision(), amend && minute == 0 ? 1 : 0);
    }
  }
}

TEST(VerifierTest, AsksForThePayloadWhereTheListComesWithoutIt) {
  World world;
  world.payload_in_lists = false;
  EXPECT_EQ(Verify(world).verdict(), Response::VERIFIED);
}

TEST(VerifierTest, NamesTheRecordThatWasAlteredInChunksToo) {
  World world;
  world.payload_in_lists = false;
  world.windows[0].mutable_payload()->mutable_records(1)->set_canonical("{}");
  const Response response = Verify(world);
  EXPECT_EQ(response.verdict(), Response::FAILED);
  const v1::Check* const check = Find(response, v1::Check::COMPLETENESS);
  ASSERT_EQ(check->findings_size(), 1);
  EXPECT_EQ(check->findings(0).code(), "RECORD_ALTERED");
  EXPECT_EQ(check->findings(0).record(), 1);
}

// Records that are wrong are read again to be named: right ones, then, make
// nothing good.
TEST(VerifierTest, RecordsThatChangeBetweenTwoReadingsAreNoPass) {
  World world;
  world.payload_in_lists = false;
  world.first_payload_lies = true;
  const Response response = Verify(world);
  EXPECT_EQ(response.verdict(), Response::FAILED);
  const v1::Check* const check = Find(response, v1::Check::COMPLETENESS);
  ASSERT_EQ(check->findings_size(), 1);
  EXPECT_EQ(check->findings(0).code(), "RECORDS_CHANGED");
  EXPECT_EQ(Verify(world).verdict(), Response::VERIFIED);
}

TEST(VerifierTest, EmptyWithTheClosingsAroundAsEvidence) {
  World world;
  const Response between = Verify(world, kNoon + 2 * kMinute);
  EXPECT_EQ(between.verdict(), Response::EMPTY) << between.DebugString();
  EXPECT_EQ(between.revision(), -1);
  EXPECT_EQ(std::vector<int64_t>(between.evidence().begin(),
                                 between.evidence().end()),
            (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(Find(between, v1::Check::COMPLETENESS), nullptr);
  EXPECT_EQ(Find(between, v1::Check::CHAIN)->result(), v1::Check::PASS);

  const Response before = Verify(world, kNoon - 60 * kMinute);
  EXPECT_EQ(before.verdict(), Response::EMPTY);
  EXPECT_EQ(
      std::vector<int64_t>(before.evidence().begin(), before.evidence().end()),
      (std::vector<int64_t>{0}));
}

TEST(VerifierTest, EmptyIsNotBelievedWhereItsEvidenceIsBad) {
  World withheld;
  withheld.dropped.clear();
  ExpectFound(
      Verify(withheld, kNoon + 2 * kMinute),
      {v1::Check::ACCOUNTING, "DROPPED_COUNT", {}, {}, "late 1", "late 0"});
  World removed;
  removed.items.erase(removed.items.begin() + 1);
  ExpectFound(Verify(removed, kNoon + 2 * kMinute),
              {v1::Check::CHAIN, "SEQ_GAP", {}, {}, "1"});
}

TEST(VerifierTest, WhatIsNotThereIsAnError) {
  World world;
  EXPECT_TRUE(absl::IsFailedPrecondition(
      world.Verify("a", kNoon + 100 * kMinute).status()));
  EXPECT_TRUE(absl::IsNotFound(world.Verify("b", kNoon).status()));
  world.no_window = grpc::StatusCode::FAILED_PRECONDITION;
  EXPECT_TRUE(absl::IsFailedPrecondition(world.Verify("b", kNoon).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(world.Verify("a", kNoon + 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(world.Verify("", kNoon).status()));
}

TEST(VerifierTest, WhatCannotBeAskedIsSkippedAndNeverPasses) {
  World no_ledger;
  no_ledger.anchor_down = true;
  const Response without_ledger = Verify(no_ledger);
  EXPECT_EQ(without_ledger.verdict(), Response::INCOMPLETE);
  for (const v1::Check::Name name :
       {v1::Check::ANCHOR, v1::Check::CHAIN, v1::Check::ACCOUNTING}) {
    EXPECT_EQ(Find(without_ledger, name)->result(), v1::Check::SKIPPED);
    EXPECT_FALSE(Find(without_ledger, name)->reason().empty());
  }

  World no_window_hash;
  no_window_hash.window_hash_down = true;
  const Response without_records = Verify(no_window_hash);
  EXPECT_EQ(without_records.verdict(), Response::INCOMPLETE);
  for (const v1::Check::Name name :
       {v1::Check::ANCHOR, v1::Check::COMPLETENESS, v1::Check::CANONICAL,
        v1::Check::ANALYTICS, v1::Check::ACCOUNTING}) {
    EXPECT_EQ(Find(without_records, name)->result(), v1::Check::SKIPPED);
  }
  EXPECT_EQ(Find(without_records, v1::Check::SIGNATURE)->result(),
            v1::Check::PASS);

  World neither;
  neither.anchor_down = true;
  neither.window_hash_down = true;
  EXPECT_TRUE(absl::IsUnavailable(neither.Verify("a", kNoon).status()));
}

TEST(VerifierTest, NotYetAnchoredIsIncomplete) {
  World world;
  world.items.pop_back();
  world.SealLedger();
  world.windows.back().mutable_receipt()->set_state(v1::Receipt::PENDING);
  const Response response = Verify(world, kNoon + 4 * kMinute);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE) << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::ANCHOR)->result(), v1::Check::SKIPPED);
  EXPECT_EQ(Find(response, v1::Check::COMPLETENESS)->result(), v1::Check::PASS);
  EXPECT_EQ(Find(response, v1::Check::SIGNATURE)->result(), v1::Check::PASS);
}

TEST(VerifierTest, NotYetConfirmedIsIncomplete) {
  World world;
  const std::string last = world.items.back().checkpoint();
  world.items.pop_back();
  world.SealLedger();
  world.AppendItem(last);  // beyond the head
  world.items.back().set_txid(
      HexOf(LedgerEntryHash(world.items.back().entry())));
  const Response response = Verify(world, kNoon + 4 * kMinute);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE) << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::ANCHOR)->result(), v1::Check::SKIPPED);
}

TEST(VerifierTest, AnUnknownVersionIsUnsupported) {
  World world;
  const std::string other = absl::StrReplaceAll(
      world.written[0].bytes, {{"\"version\":1", "\"version\":2"}});
  world.written[0].bytes = other;
  world.Publish();
  const Response response = Verify(world);
  EXPECT_EQ(response.verdict(), Response::UNSUPPORTED)
      << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::COMPLETENESS)->result(),
            v1::Check::SKIPPED);
  // Its neighbour cannot be linked to it.
  const Response next = Verify(world, kNoon + kMinute);
  EXPECT_EQ(next.verdict(), Response::INCOMPLETE) << next.DebugString();
  EXPECT_EQ(Find(next, v1::Check::CHAIN)->result(), v1::Check::SKIPPED);
}

TEST(VerifierTest, RulesAreTakenFromWhoeverShowsThemByTheirHash) {
  World shown;
  shown.configured.clear();
  EXPECT_EQ(Verify(shown).verdict(), Response::VERIFIED);

  World wrong;
  wrong.configured.clear();
  PipelineSpec other = World::TestSpec();
  other.grace_ms = 0;
  wrong.progress.mutable_pipelines(0)->set_canonical_spec(CanonicalSpec(other));
  const Response response = Verify(wrong);
  EXPECT_EQ(response.verdict(), Response::INCOMPLETE) << response.DebugString();
  EXPECT_EQ(Find(response, v1::Check::CANONICAL)->result(), v1::Check::SKIPPED);
  EXPECT_EQ(Find(response, v1::Check::COMPLETENESS)->result(), v1::Check::PASS);
}

TEST(VerifierTest, AnAlteredLedgerEntryLeavesItsNeighbourIncomplete) {
  World world;
  for (std::string* bytes :
       {world.items[0].mutable_checkpoint(), world.items[0].mutable_entry()}) {
    *bytes = absl::StrReplaceAll(*bytes, {{"3.483333", "3.483334"}});
  }
  const Response next = Verify(world, kNoon + kMinute);
  EXPECT_EQ(next.verdict(), Response::INCOMPLETE) << next.DebugString();
  EXPECT_EQ(Find(next, v1::Check::CHAIN)->result(), v1::Check::SKIPPED);
  EXPECT_EQ(Verify(world, kNoon + 4 * kMinute).verdict(), Response::VERIFIED);
}

TEST(VerifierTest, ALogThatHasExpiredIsSaidSo) {
  World world;
  MemoryLog log({world.topic(), 0}, world.log);
  log.Expire(1);
  world.verifier_log = &log;
  SetBytes(RecordOf(world, 1), CanonicalRecord("00:10", "9.9"), true);
  const Response response = Verify(world);
  ExpectFound(response, {v1::Check::COMPLETENESS, "ROOT_MISMATCH", {}, {}});
  EXPECT_NE(Find(response, v1::Check::COMPLETENESS)->reason().find("offsets"),
            std::string::npos);
}

TEST(VerifierTest, VeryManyFindingsAreCounted) {
  std::vector<OwnedRecord> log;
  for (int i = 0; i < 300; ++i) {
    OwnedRecord record;
    record.offset = i;
    record.log_time_ms = kNoon;
    record.key = "a";
    record.value = absl::StrCat(
        "{\"station\":\"a\",\"t\":1,\"time\":", kNoon - kMinute + i, "}");
    log.push_back(record);
  }
  OwnedRecord last;
  last.offset = 300;
  last.log_time_ms = kNoon + 10 * kMinute;
  last.key = "a";
  last.value =
      absl::StrCat("{\"station\":\"a\",\"time\":", kNoon + 2 * kMinute, "}");
  log.push_back(last);
  World world(World::TestSpec(), "test.a", 0, 0, log);
  for (v1::PayloadRecord& record :
       *world.windows[0].mutable_payload()->mutable_records()) {
    record.mutable_canonical()->push_back(' ');
  }
  const Response response = Verify(world, kNoon - kMinute);
  const v1::Check* check = Find(response, v1::Check::CANONICAL);
  EXPECT_EQ(check->findings_size(), 101);
  EXPECT_EQ(Find(*check, "MORE_FINDINGS")->found(), "200");
}

}  // namespace
}  // namespace windproof
