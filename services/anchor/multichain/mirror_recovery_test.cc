// What MultiChainLedger knows of its stream outlives it, and can be lost: on
// the stand-in node.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/anchor/anchorer.h"
#include "services/anchor/multichain/multichain_ledger.h"
#include "services/anchor/multichain/testing/chain_fixture.h"
#include "services/anchor/testing/checkpoints.h"
#include "services/anchor/testing/temp_dir.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof {
namespace {

using fake_node::Fate;

// All that does not depend on positions.
using Shown = std::tuple<std::string, int64_t, std::string,
                         std::vector<std::string>, int64_t, std::string>;

std::vector<Shown> ShownOf(const std::vector<LedgerItem>& items) {
  std::vector<Shown> shown;
  for (const LedgerItem& item : items) {
    shown.emplace_back(item.txid, item.vout, item.data, item.keys,
                       item.confirmations, item.publisher);
  }
  std::sort(shown.begin(), shown.end());
  return shown;
}

class MirrorRecoveryTest : public ::testing::Test {
 protected:
  static LedgerDraft Draft(const std::string& data) {
    return ChainFixture::Draft(data);
  }
  void Publish(int count) {
    std::vector<LedgerDraft> drafts;
    for (int i = 0; i < count; ++i) {
      drafts.push_back(Draft(absl::StrCat("item ", published_++)));
    }
    const auto txids = fixture_.ledger().Publish(drafts);
    ASSERT_TRUE(txids.ok()) << txids.status();
  }
  FakeNode& node() { return fixture_.node(); }

  // What a ledger that knows nothing reads from the chain.
  std::vector<Shown> ReadAnew() {
    TempDir dir;
    MultiChainLedger::Options options;
    options.config = fixture_.config();
    options.config.address.clear();
    options.store_path = dir.path() + "/multichain";
    auto ledger = MultiChainLedger::Open(std::move(options));
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    EXPECT_TRUE((*ledger)->State().ok());
    LedgerQuery query;
    query.max_items = 1'000'000;
    query.max_bytes = int64_t{1} << 30;
    const auto page = (*ledger)->Read(query);
    EXPECT_TRUE(page.ok()) << page.status();
    return ShownOf(page->items);
  }

  ChainFixture fixture_;
  int published_ = 0;
};

TEST_F(MirrorRecoveryTest, ARestartGoesOnWhereTheLastOneWas) {
  ASSERT_TRUE(fixture_.ledger().State().ok());
  for (int i = 0; i < 5; ++i) {
    Publish(250);
    node().MineBlock();
  }
  Publish(3);
  const std::vector<LedgerItem> before = fixture_.All();
  ASSERT_EQ(before.size(), 1253u);
  fixture_.Close();
  const int64_t listed = fixture_.counts().Of("liststreamitems");
  fixture_.Open();
  // What is there needs no node.
  const auto page = fixture_.ledger().Read({});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->items.size(), 1000u);
  const std::vector<LedgerItem> after = fixture_.All();
  EXPECT_LE(fixture_.counts().Of("liststreamitems") - listed, 10);
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].txid, before[i].txid);
    EXPECT_EQ(after[i].data, before[i].data);
    EXPECT_EQ(after[i].position, before[i].position);
    EXPECT_EQ(after[i].confirmations, before[i].confirmations);
    EXPECT_EQ(after[i].signature, before[i].signature);
  }
}

TEST_F(MirrorRecoveryTest, ANewBlockIsReadWithoutWhatStillWaits) {
  fixture_.SetPollMs(3'600'000);
  fixture_.Open();
  ASSERT_TRUE(fixture_.ledger().State().ok());
  Publish(1000);
  node().MineBlock();
  ASSERT_TRUE(node().Reorg(1, Fate::kHeld).ok());
  ASSERT_TRUE(fixture_.ledger().State().ok());
  const int64_t listed = fixture_.counts().Of("liststreamitems");
  for (int i = 0; i < 5; ++i) {
    node().MineBlock();
    ASSERT_EQ(fixture_.ledger().State()->chain->unconfirmed, 1000);
  }
  // The thousand are not read again: what is settled, and what is new.
  EXPECT_EQ(fixture_.counts().Of("liststreamitems") - listed, 10);
  Publish(3);
  node().ReleaseHeld();
  node().MineBlock();
  EXPECT_EQ(fixture_.ledger().State()->chain->unconfirmed, 0);
  EXPECT_EQ(ShownOf(fixture_.All()), ReadAnew());
}

TEST_F(MirrorRecoveryTest, AReorganisationWhileItWasDownIsSeen) {
  ASSERT_TRUE(fixture_.ledger().State().ok());
  Publish(3);
  node().MineBlocks(3);
  Publish(2);
  node().MineBlocks(2);
  const std::vector<LedgerItem> before = fixture_.All();
  EXPECT_EQ(before[0].confirmations, 5);
  fixture_.Close();
  ASSERT_TRUE(node().Reorg(2, Fate::kHeld).ok());
  node().MineBlocks(3);
  fixture_.Open();
  const std::vector<LedgerItem> after = fixture_.All();
  ASSERT_EQ(after.size(), 5u);
  EXPECT_GT(after[0].confirmations, before[0].confirmations);
  EXPECT_EQ(ShownOf(after), ReadAnew());
  EXPECT_EQ(after[4].confirmations, 0);
  EXPECT_EQ(after[4].txid, before[4].txid);
  EXPECT_TRUE(fixture_.Warned("reorganised"));
  node().ReleaseHeld();
  node().MineBlock();
  EXPECT_EQ(fixture_.All()[4].confirmations, 1);
}

TEST_F(MirrorRecoveryTest, WhatWasLostWhileItWasDownIsPublishedAgain) {
  ASSERT_TRUE(fixture_.ledger().State().ok());
  Publish(2);
  const std::string txid = fixture_.All()[0].txid;
  fixture_.Close();
  ASSERT_TRUE(node().ConflictTransaction(txid).ok());
  fixture_.Open();
  ASSERT_TRUE(ChainFixture::Eventually([&] {
    const std::vector<LedgerItem> items = fixture_.All();
    return items.size() == 2 && items[0].txid != txid;
  }));
  EXPECT_EQ(fixture_.All()[0].data, "item 0");
  EXPECT_EQ(fixture_.All()[1].data, "item 1");
}

TEST_F(MirrorRecoveryTest, ALostStoreIsRebuiltFromTheChain) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 40);
  std::vector<Submission> all;
  for (const Checkpoint& checkpoint : chain) {
    all.push_back({EncodeCheckpoint(checkpoint), std::string(64, 's'), "p"});
  }
  const auto submit = [&](size_t count) {
    Anchorer anchorer({}, fixture_.ledger());
    const auto receipts =
        anchorer.Submit(absl::MakeConstSpan(all).subspan(0, count));
    EXPECT_TRUE(receipts.ok()) << receipts.status();
  };
  submit(10);
  node().MineBlock();
  submit(25);
  const std::vector<Shown> before = ShownOf(fixture_.All());
  for (const char* lost : {"/mirror", ""}) {
    fixture_.Close();
    ASSERT_GT(std::filesystem::remove_all(fixture_.folder() + lost), 0u);
    fixture_.Open();
    EXPECT_EQ(ShownOf(fixture_.All()), before) << lost;
    submit(25);
    EXPECT_EQ(ShownOf(fixture_.All()), before) << lost;
    EXPECT_EQ(fixture_.ledger().State()->chain->doubles, 0);
  }
  submit(40);
  EXPECT_EQ(fixture_.All().size(), 40u);
}

TEST_F(MirrorRecoveryTest, AFolderOfAnotherChainIsRefusedAndKept) {
  ASSERT_TRUE(fixture_.ledger().State().ok());
  Publish(1);
  const MultiChainConfig ours = fixture_.config();
  FakeNode::Options options;
  options.chain_name = "otherchain";
  auto other = FakeNode::Start(options);
  ASSERT_TRUE(other.ok()) << other.status();
  fixture_.config() = ChainFixture::ConfigOf(**other);
  for (const bool mirror_lost : {false, true}) {
    fixture_.Close();
    if (mirror_lost) {
      std::filesystem::remove_all(fixture_.folder() + "/mirror");
    }
    fixture_.Open();
    const absl::Status status = fixture_.ledger().State().status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), ours.genesis)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "another data folder"));
    EXPECT_FALSE(fixture_.ledger().Read({}).ok());
    EXPECT_FALSE(fixture_.ledger().Publish({Draft("x")}).ok());
  }
  fixture_.config() = ours;
  fixture_.Open();
  EXPECT_EQ(fixture_.All().size(), 1u);
}

TEST_F(MirrorRecoveryTest, OtherAllowedPublishersAreReadAnew) {
  ASSERT_TRUE(fixture_.ledger().State().ok());
  const std::string old = fixture_.config().address;
  Publish(2);
  FakeNode::Options options;
  options.wallet_seed = "another";
  auto other = node().Fork(options);
  ASSERT_TRUE(other.ok()) << other.status();
  const std::string fresh = (*other)->address();
  fixture_.config().publishers = {fresh};
  fixture_.Open();
  EXPECT_TRUE(fixture_.All().empty());
  EXPECT_EQ(fixture_.ledger().State()->chain->foreign, 2);
  EXPECT_TRUE(fixture_.Warned("read again"));
  fixture_.config().publishers = {fresh, old};
  fixture_.Open();
  EXPECT_EQ(fixture_.All().size(), 2u);
  EXPECT_EQ(fixture_.ledger().State()->chain->foreign, 0);
}

// Whatever the chain does, what is known of it step by step is what somebody
// reads who comes afterwards.
TEST_F(MirrorRecoveryTest, AnyHistoryLeavesWhatTheChainSays) {
  for (const unsigned seed : {1u, 2u}) {
    std::mt19937 random(seed);
    for (int step = 0; step < 25; ++step) {
      switch (random() % 7) {
        case 0:
        case 1:
          Publish(static_cast<int>(random() % 40 + 1));
          break;
        case 2:
        case 3:
          node().MineBlocks(random() % 3 + 1);
          break;
        case 4:
          ASSERT_TRUE(
              node()
                  .Reorg(
                      std::min(node().height() - 1, uint32_t(random() % 4 + 1)),
                      random() % 2 == 0 ? Fate::kHeld : Fate::kMinedAgain)
                  .ok());
          break;
        case 5:
          node().ReleaseHeld();
          break;
        default:
          if (random() % 2 == 0) fixture_.Close();
          fixture_.Open();
      }
      if (random() % 2 == 0) {
        ASSERT_EQ(ShownOf(fixture_.All()), ReadAnew())
            << "seed " << seed << " step " << step;
      }
    }
    ASSERT_EQ(ShownOf(fixture_.All()), ReadAnew()) << "seed " << seed;
  }
  node().ReleaseHeld();
  node().MineBlocks(5);
  std::set<std::string> data;
  for (const LedgerItem& item : fixture_.All()) data.insert(item.data);
  EXPECT_EQ(static_cast<int>(data.size()), published_);
}

}  // namespace
}  // namespace windproof
