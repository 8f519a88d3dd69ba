// What MultiChainLedger publishes once more, when, and in which order: on the
// stand-in node.
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/anchor/multichain/stream_publisher.h"
#include "services/anchor/multichain/testing/chain_fixture.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof {
namespace {

using fake_node::Fate;

constexpr int64_t kHourMs = 3'600'000;

class RepublishTest : public ::testing::Test {
 protected:
  RepublishTest() { EXPECT_TRUE(fixture_.ledger().State().ok()); }

  absl::Status Publish(const std::string& data) {
    return fixture_.ledger().Publish({ChainFixture::Draft(data)}).status();
  }
  FakeNode& node() { return fixture_.node(); }
  int64_t Published() { return fixture_.counts().Of("publishmultifrom"); }
  // Lets the ledger look at the stream some times.
  void LetItLook() {
    const int64_t looked = fixture_.counts().Of("liststreams");
    ASSERT_TRUE(ChainFixture::Eventually(
        [&] { return fixture_.counts().Of("liststreams") >= looked + 4; }));
  }

  ChainFixture fixture_;
};

TEST_F(RepublishTest, ARefusedRepublicationIsTriedAgainAfterAWhile) {
  ASSERT_TRUE(Publish("a").ok());
  node().FailNext(-704, "no permission", 1, "publishmultifrom");
  ASSERT_TRUE(node().ConflictTransaction(fixture_.All()[0].txid).ok());
  ASSERT_TRUE(ChainFixture::Eventually(
      [&] { return fixture_.Warned("cannot be published again yet"); }));
  const int64_t tried = Published();
  LetItLook();
  fixture_.steady().Advance(kUnknownMaxMs - 1);
  LetItLook();
  EXPECT_EQ(Published(), tried);
  EXPECT_TRUE(fixture_.All().empty());
  fixture_.steady().Advance(1);
  ASSERT_TRUE(
      ChainFixture::Eventually([&] { return fixture_.All().size() == 1; }));
  EXPECT_EQ(fixture_.All()[0].data, "a");
  EXPECT_EQ(Published(), tried + 1);
}

TEST_F(RepublishTest, ARefusedRepublicationOutlivesTheProcess) {
  ASSERT_TRUE(Publish("a").ok());
  node().FailNext(-704, "no permission", -1, "publishmultifrom");
  ASSERT_TRUE(node().ConflictTransaction(fixture_.All()[0].txid).ok());
  ASSERT_TRUE(ChainFixture::Eventually(
      [&] { return fixture_.Warned("cannot be published again yet"); }));
  fixture_.Close();
  node().ClearFaults();
  fixture_.Open();
  EXPECT_TRUE(fixture_.All().empty());
  LetItLook();
  fixture_.steady().Advance(kUnknownMaxMs);
  ASSERT_TRUE(
      ChainFixture::Eventually([&] { return fixture_.All().size() == 1; }));
}

TEST_F(RepublishTest, JumpsOfTheWallClockLoseNothingAndDoubleNothing) {
  for (const int64_t jump_ms : {kHourMs, -2 * kHourMs}) {
    const std::string name = absl::StrCat("jump ", jump_ms, " ");
    const size_t before = fixture_.All().size();
    node().LoseNextReply(1, "publishmultifrom");
    EXPECT_TRUE(absl::IsUnavailable(Publish(name + "lost reply")));
    node().DropNextRequest(1, "publishmultifrom");
    EXPECT_TRUE(absl::IsUnavailable(Publish(name + "lost request")));
    const int64_t tried = Published();
    fixture_.wall().Advance(jump_ms);
    node().AdvanceClock(jump_ms / 1000);
    LetItLook();
    EXPECT_EQ(Published(), tried);
    ASSERT_TRUE(Publish(name + "lost reply").ok());
    EXPECT_EQ(Published(), tried);
    ASSERT_TRUE(Publish(name + "lost request").ok());
    ASSERT_TRUE(Publish(name + "other").ok());
    node().MineBlock();
    fixture_.wall().Advance(-jump_ms);
    LetItLook();
    std::set<std::string> data;
    const std::vector<LedgerItem> items = fixture_.All();
    for (const LedgerItem& item : items) data.insert(item.data);
    EXPECT_EQ(items.size(), before + 3);
    EXPECT_EQ(data.size(), items.size());
    EXPECT_EQ(items.back().confirmations, 1);
  }
  EXPECT_FALSE(fixture_.Warned("has had no block"));
}

TEST_F(RepublishTest, WhatNobodyAsksForAgainIsPublishedAllTheSame) {
  node().DropNextRequest(1, "publishmultifrom");
  EXPECT_TRUE(absl::IsUnavailable(Publish("a")));
  LetItLook();
  EXPECT_TRUE(fixture_.All().empty());
  fixture_.steady().Advance(kUnknownMaxMs);
  ASSERT_TRUE(
      ChainFixture::Eventually([&] { return fixture_.All().size() == 1; }));
  const auto again = fixture_.ledger().Publish({ChainFixture::Draft("a")});
  ASSERT_TRUE(again.ok());
  // It was known to be there: this is the caller's own second one.
  EXPECT_EQ(fixture_.All().size(), 2u);
}

TEST_F(RepublishTest, WhatWaitsForABlockIsWarnedOfBySteadyTime) {
  ASSERT_TRUE(Publish("a").ok());
  fixture_.wall().Advance(24 * kHourMs);
  LetItLook();
  EXPECT_FALSE(fixture_.Warned("has had no block"));
  fixture_.steady().Advance(fixture_.config().alarm_after_s * 1000);
  EXPECT_TRUE(ChainFixture::Eventually(
      [&] { return fixture_.Warned("has had no block for 600 s"); }));
  EXPECT_EQ(fixture_.ledger().State()->chain->oldest_unconfirmed_ms, 600'000);
  node().MineBlock();
  EXPECT_EQ(fixture_.ledger().State()->chain->oldest_unconfirmed_ms, 0);
}

TEST_F(RepublishTest, AStreamThatTheChainLostIsMadeAgainWithItsItems) {
  ASSERT_TRUE(Publish("a").ok());
  ASSERT_TRUE(Publish("b").ok());
  node().MineBlock();
  ASSERT_EQ(fixture_.All()[1].confirmations, 1);
  // The stream is of the same block.
  ASSERT_TRUE(node().Reorg(1, Fate::kConflict).ok());
  ASSERT_TRUE(ChainFixture::Eventually([&] {
    return fixture_.ledger().State().ok() && fixture_.All().size() == 2;
  }));
  const std::vector<LedgerItem> items = fixture_.All();
  EXPECT_EQ(items[0].data, "a");
  EXPECT_EQ(items[1].data, "b");
  EXPECT_GE(items[0].position, 2);
  EXPECT_TRUE(fixture_.Warned("lost the stream"));
  ASSERT_TRUE(Publish("c").ok());
  EXPECT_EQ(fixture_.All().size(), 3u);
}

TEST_F(RepublishTest, ManyLostItemsComeBackInTheirOrder) {
  node().MineBlock();
  std::vector<LedgerDraft> drafts;
  for (int i = 0; i < 70; ++i) {
    drafts.push_back(ChainFixture::Draft(absl::StrCat("item ", i)));
  }
  ASSERT_TRUE(fixture_.ledger().Publish(drafts).ok());
  node().MineBlock();
  ASSERT_EQ(fixture_.All()[0].confirmations, 1);
  ASSERT_TRUE(node().Reorg(1, Fate::kConflict).ok());
  ASSERT_TRUE(ChainFixture::Eventually([&] {
    const std::vector<LedgerItem> items = fixture_.All();
    return items.size() == 70 && items[0].position >= 70;
  }));
  const std::vector<LedgerItem> items = fixture_.All();
  for (int i = 0; i < 70; ++i) EXPECT_EQ(items[i].data, drafts[i].data);
  EXPECT_EQ(fixture_.ledger().State()->chain->lost, 70);
}

}  // namespace
}  // namespace windproof
