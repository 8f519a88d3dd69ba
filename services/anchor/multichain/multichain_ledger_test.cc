// MultiChainLedger on the stand-in node: the contract, then what only a chain
// can do to a ledger.
#include "services/anchor/multichain/multichain_ledger.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger_contract.h"
#include "services/anchor/multichain/chain_bytes.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/testing/chain_fixture.h"
#include "services/anchor/testing/temp_dir.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof {
namespace {

using fake_node::Fate;

class ContractFixture : public LedgerFixture {
 public:
  // The contract reads without asking for the state first.
  ContractFixture() { EXPECT_TRUE(chain_.ledger().State().ok()); }
  Ledger& ledger() override { return chain_.ledger(); }
  void Confirm() override { chain_.node().MineBlock(); }

 private:
  ChainFixture chain_;
};

INSTANTIATE_TEST_SUITE_P(
    MultiChain, LedgerContractTest,
    ::testing::Values(LedgerFixtureFactory{
        "MultiChain", [] { return std::make_unique<ContractFixture>(); }}),
    [](const auto& info) { return info.param.name; });

class MultiChainLedgerTest : public ::testing::Test {
 protected:
  MultiChainLedgerTest() { EXPECT_TRUE(ledger().State().ok()); }
  static LedgerDraft Draft(const std::string& data) {
    return ChainFixture::Draft(data);
  }
  static bool Eventually(const std::function<bool()>& is_so) {
    return ChainFixture::Eventually(is_so);
  }

  Ledger& ledger() { return fixture_.ledger(); }
  FakeNode& node() { return fixture_.node(); }
  std::vector<LedgerItem> All(bool with_inclusion = false) {
    return fixture_.All(with_inclusion);
  }

  ChainFixture fixture_;
};

TEST_F(MultiChainLedgerTest, ConfirmationsGrowWithBlocks) {
  ASSERT_TRUE(ledger().Publish({Draft("a")}).ok());
  EXPECT_EQ(All()[0].confirmations, 0);
  EXPECT_EQ(ledger().State()->chain->unconfirmed, 1);
  node().MineBlock();
  EXPECT_EQ(All()[0].confirmations, 1);
  node().MineBlocks(2);
  EXPECT_EQ(All()[0].confirmations, 3);
  EXPECT_EQ(ledger().State()->chain->unconfirmed, 0);
}

TEST_F(MultiChainLedgerTest, EvidenceLeadsFromTheItemToTheBlock) {
  std::vector<LedgerDraft> drafts;
  for (int i = 0; i < 40; ++i) drafts.push_back(Draft(absl::StrCat(i)));
  ASSERT_TRUE(ledger().Publish(drafts).ok());
  node().MineBlock();
  const std::vector<LedgerItem> items = All(true);
  ASSERT_EQ(items.size(), 40u);
  for (const LedgerItem& item : items) {
    ASSERT_TRUE(item.chain.has_value());
    const ChainEvidence& chain = *item.chain;
    EXPECT_EQ(chain.genesis, node().genesis_hash());
    const Digest txid = DoubleSha256(chain.transaction);
    EXPECT_EQ(ShownHash(txid), item.txid);
    EXPECT_EQ(ShownHash(DoubleSha256(chain.header)), chain.block_hash);
    EXPECT_EQ(RootOfBlockBranch(txid, chain.index, chain.branch),
              *MerkleRootOfHeader(chain.header));
  }
  EXPECT_EQ(items[0].txid, items[31].txid);
  EXPECT_NE(items[31].txid, items[32].txid);
  EXPECT_EQ(items[31].vout, 31);
}

TEST_F(MultiChainLedgerTest, ALostReplyIsLookedUpBeforeThePublishIsRepeated) {
  node().LoseNextReply(1, "publishmultifrom");
  EXPECT_TRUE(absl::IsUnavailable(ledger().Publish({Draft("a")}).status()));
  const auto again = ledger().Publish({Draft("a")});
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ(All().size(), 1u);
  EXPECT_EQ(All()[0].txid, (*again)[0]);
  EXPECT_EQ(ledger().State()->chain->doubles, 0);
}

TEST_F(MultiChainLedgerTest, ARequestThatWasNeverReadIsPublishedLater) {
  node().DropNextRequest(1, "publishmultifrom");
  EXPECT_TRUE(absl::IsUnavailable(ledger().Publish({Draft("a")}).status()));
  EXPECT_TRUE(All().empty());
  ASSERT_TRUE(ledger().Publish({Draft("a")}).ok());
  EXPECT_EQ(All().size(), 1u);
}

TEST_F(MultiChainLedgerTest, TheNextStartFindsWhatTheLastOneMeant) {
  node().LoseNextReply(1, "publishmultifrom");
  EXPECT_TRUE(absl::IsUnavailable(ledger().Publish({Draft("a")}).status()));
  fixture_.Open();
  ASSERT_TRUE(ledger().State().ok());
  ASSERT_TRUE(ledger().Publish({Draft("a")}).ok());
  const std::vector<LedgerItem> items = All();
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].signature, std::string(64, 's'));
}

TEST_F(MultiChainLedgerTest, ABusyNodeIsAskedAgain) {
  node().Refuse503(2, "publishmultifrom");
  ASSERT_TRUE(ledger().Publish({Draft("a")}).ok());
  EXPECT_EQ(All().size(), 1u);
}

TEST_F(MultiChainLedgerTest, ReorganisationsTakeConfirmationsAndGiveThemBack) {
  for (const uint32_t depth : {1u, 6u, 20u}) {
    const std::string data = absl::StrCat("depth ", depth);
    ASSERT_TRUE(ledger().Publish({Draft(data)}).ok());
    node().MineBlocks(depth);
    ASSERT_EQ(All().back().confirmations, depth);
    ASSERT_TRUE(node().Reorg(depth, Fate::kHeld).ok());
    EXPECT_EQ(All().back().data, data);
    EXPECT_EQ(All().back().confirmations, 0);
    node().MineBlocks(2);
    EXPECT_EQ(All().back().confirmations, 0);
    node().ReleaseHeld();
    node().MineBlock();
    EXPECT_EQ(All().back().confirmations, 1);
  }
  EXPECT_TRUE(fixture_.Warned("reorganised"));
  EXPECT_EQ(All().size(), 3u);
}

TEST_F(MultiChainLedgerTest, WhatTheChainLostIsPublishedAgain) {
  const auto first = ledger().Publish({Draft("a"), Draft("b")});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = ledger().Publish({Draft("c")});
  ASSERT_TRUE(second.ok());
  ASSERT_TRUE(node().ConflictTransaction((*first)[0]).ok());
  ASSERT_TRUE(Eventually([&] {
    const std::vector<LedgerItem> items = All();
    std::set<std::string> data;
    for (const LedgerItem& item : items) data.insert(item.data);
    return data == std::set<std::string>{"a", "b", "c"} && items.size() == 3u;
  }));
  for (const LedgerItem& item : All()) EXPECT_NE(item.txid, (*first)[0]);
  EXPECT_TRUE(fixture_.Warned("lost the item"));
  EXPECT_TRUE(Eventually([&] { return fixture_.Warned("published again"); }));
  EXPECT_EQ(ledger().State()->chain->doubles, 0);
}

TEST_F(MultiChainLedgerTest, PermissionsComeAndGo) {
  ASSERT_TRUE(ledger().Publish({Draft("a")}).ok());
  const std::string address = fixture_.config().address;
  for (const char* permission : {"checkpoints.write", "send"}) {
    ASSERT_TRUE(node().Revoke(address, permission).ok());
    const absl::Status status = ledger().Publish({Draft("b")}).status();
    EXPECT_FALSE(status.ok());
    const absl::Status state = ledger().State().status();
    EXPECT_TRUE(absl::IsUnavailable(state));
    EXPECT_TRUE(absl::StrContains(state.message(), permission)) << state;
    // What is there can be read all the same.
    EXPECT_TRUE(ledger().Read({}).ok());
    ASSERT_TRUE(node().Grant(address, permission).ok());
    EXPECT_TRUE(ledger().State().ok());
  }
  ASSERT_TRUE(ledger().Publish({Draft("b")}).ok());
  EXPECT_EQ(All().size(), 2u);
}

TEST_F(MultiChainLedgerTest, TheStartSaysWhatIsNotAsConfigured) {
  ASSERT_TRUE(ledger().State().ok());
  const MultiChainConfig good = fixture_.config();
  struct Row {
    const char* name;
    std::function<void(MultiChainConfig&)> change;
    const char* says;
  };
  for (const Row& row : {
           Row{"Chain", [](MultiChainConfig& c) { c.chain = "other"; },
               "Wrong chain name"},
           Row{"Genesis",
               [](MultiChainConfig& c) { c.genesis = std::string(64, '0'); },
               "genesis is configured as"},
           Row{"Stream",
               [](MultiChainConfig& c) {
                 c.stream = "missing";
                 c.create_stream = false;
               },
               "has no stream missing"},
           Row{"Confirmations",
               [](MultiChainConfig& c) { c.confirmations = 11; },
               "mine-empty-rounds"},
           Row{"Password", [](MultiChainConfig& c) { c.password = "x"; },
               "refuses user or password"},
       }) {
    fixture_.config() = good;
    row.change(fixture_.config());
    fixture_.Open();
    const absl::Status status = fixture_.ledger().State().status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << row.name;
    EXPECT_TRUE(absl::StrContains(status.message(), row.says))
        << row.name << status;
    EXPECT_TRUE(
        absl::IsUnavailable(fixture_.ledger().Publish({Draft("x")}).status()));
  }
  fixture_.config() = good;
  fixture_.config().confirmations = 11;
  fixture_.config().any_confirmations = true;
  fixture_.Open();
  EXPECT_TRUE(fixture_.ledger().State().ok());
}

TEST_F(MultiChainLedgerTest, ANodeThatIsAwayIsWaitedFor) {
  ASSERT_TRUE(ledger().Publish({Draft("a")}).ok());
  node().Down();
  EXPECT_TRUE(absl::IsUnavailable(ledger().State().status()));
  EXPECT_TRUE(absl::IsUnavailable(ledger().Publish({Draft("b")}).status()));
  EXPECT_TRUE(ledger().Read({}).ok());
  ASSERT_TRUE(node().Up().ok());
  ASSERT_TRUE(Eventually([&] { return ledger().State().ok(); }));
  ASSERT_TRUE(ledger().Publish({Draft("b")}).ok());
  EXPECT_EQ(All().size(), 2u);
}

TEST_F(MultiChainLedgerTest, TwoLedgersOnOneStreamSeeEachOther) {
  ASSERT_TRUE(ledger().Publish({Draft("a")}).ok());
  MultiChainLedger::Options options;
  options.config = fixture_.config();
  TempDir dir;
  options.store_path = dir.path() + "/multichain";
  auto second = MultiChainLedger::Open(std::move(options));
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)->State()->size, 1);
  ASSERT_TRUE((*second)->Publish({Draft("a")}).ok());
  // Harmless, and reported.
  EXPECT_EQ(ledger().State()->size, 2);
  EXPECT_EQ(ledger().State()->chain->doubles, 1);
}

TEST_F(MultiChainLedgerTest, LargeItemsComeBackWhole) {
  const std::string large(100'000, 'x');
  ASSERT_TRUE(ledger().Publish({{{"k"}, large, "", ""}}).ok());
  fixture_.Open();
  ASSERT_TRUE(fixture_.ledger().State().ok());
  EXPECT_EQ(All()[0].data, large);
}

}  // namespace
}  // namespace windproof
