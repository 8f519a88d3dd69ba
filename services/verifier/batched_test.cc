// ANCHOR in batched mode: the small world's ledger is a log whose head stands
// on the chain of a stand-in node; and every way to lie about that.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/signed_note.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"
#include "services/anchor/anchor_codec.h"
#include "services/anchor/ledger_keys.h"
#include "services/anchor/multichain/multichain_ledger.h"
#include "services/anchor/testing/temp_dir.h"
#include "services/verifier/testing/said.h"
#include "services/verifier/testing/world.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof {
namespace {

constexpr char kLog[] = "windproof/ledger-test";

// A world whose heads are put on a chain.
class Chained {
 public:
  Chained() {
    node_ = *fake_node::FakeNode::Start({});
    MultiChainLedger::Options options;
    MultiChainConfig& config = options.config;
    config.urls = {node_->url()};
    config.chain = node_->options().chain_name;
    config.genesis = node_->genesis_hash();
    config.stream = "checkpoints";
    config.address = node_->address();
    config.publishers = {node_->address()};
    config.user = node_->options().user;
    config.password = node_->options().password;
    config.create_stream = true;
    options.store_path = dir_.path() + "/multichain";
    options.poll_ms = 20;
    world.trust.ledger_kind = "multichain";
    world.trust.chain = ChainTrust{config.chain, config.genesis, config.stream,
                                   config.publishers, 1};
    chain_ = *MultiChainLedger::Open(std::move(options));
    EXPECT_TRUE(chain_->State().ok());
  }

  // Puts the world's head on the chain and shows it with its place there.
  void PutHead(const std::string& key = LedgerHeadsKey(kLog), int blocks = 1) {
    world.head.clear_item();
    *world.head.mutable_item() = Put(world.head.note(), key, blocks);
  }

  v1::LedgerItem Put(const std::string& data, const std::string& key,
                     int blocks) {
    const auto txids = chain_->Publish({LedgerDraft{{key}, data, "", ""}});
    EXPECT_TRUE(txids.ok()) << txids.status();
    node_->MineBlocks(blocks);
    EXPECT_TRUE(chain_->State().ok());
    LedgerQuery query;
    query.with_inclusion = true;
    const auto page = chain_->Find(key, query);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok() || page->items.empty()) return v1::LedgerItem();
    return ToProto(page->items.back());
  }

  World world;

 private:
  TempDir dir_;
  std::unique_ptr<fake_node::FakeNode> node_;
  std::unique_ptr<MultiChainLedger> chain_;
};

std::string ReasonOf(const v1::VerifyWindowResponse& response) {
  const v1::Check* anchor = Find(response, v1::Check::ANCHOR);
  return anchor == nullptr ? "" : anchor->reason();
}

void ExpectSkipped(const v1::VerifyWindowResponse& response,
                   absl::string_view reason) {
  EXPECT_EQ(response.verdict(), v1::VerifyWindowResponse::INCOMPLETE);
  const v1::Check* anchor = Find(response, v1::Check::ANCHOR);
  ASSERT_NE(anchor, nullptr);
  EXPECT_EQ(anchor->result(), v1::Check::SKIPPED) << anchor->DebugString();
  EXPECT_TRUE(absl::StrContains(anchor->reason(), reason)) << anchor->reason();
}

TEST(BatchedTest, AWindowUnderAHeadOnTheChainIsVerified) {
  Chained chained;
  chained.PutHead();
  const v1::VerifyWindowResponse response = Verify(chained.world);
  EXPECT_EQ(response.verdict(), v1::VerifyWindowResponse::VERIFIED)
      << response.DebugString();
}

TEST(BatchedTest, AHeadWithTooFewConfirmationsIsNotEnough) {
  {
    Chained chained;
    chained.PutHead(LedgerHeadsKey(kLog), 0);
    ExpectSkipped(Verify(chained.world), "0 of 1 blocks");
  }
  Chained chained;
  chained.world.trust.chain->confirmations = 3;
  chained.PutHead(LedgerHeadsKey(kLog), 2);
  ExpectSkipped(Verify(chained.world), "2 of 3 blocks");
}

TEST(BatchedTest, WhatNoHeadCoversIsNotConfirmed) {
  {
    Chained chained;
    chained.world.head_there = false;
    for (v1::LedgerItem& item : chained.world.items) item.clear_inclusion();
    ExpectSkipped(Verify(chained.world), "no head");
  }
  Chained chained;
  chained.PutHead();
  chained.world.head.clear_item();
  ExpectSkipped(Verify(chained.world), "without its place on the chain");
}

struct Lie {
  const char* name;
  std::function<void(Chained&)> tell;
  Said said;
};

class BatchedLieTest : public testing::TestWithParam<Lie> {};

TEST_P(BatchedLieTest, IsNamed) {
  Chained chained;
  chained.PutHead();
  GetParam().tell(chained);
  ExpectFound(Verify(chained.world), GetParam().said);
}

Said Anchor(const char* code) { return {v1::Check::ANCHOR, code, {}, {}}; }

// A head of the world's size with another root.
v1::LedgerHead OtherHead(const World& world) {
  v1::LedgerHead head = world.head;
  head.set_note(world.HeadNote(world.head.tree_size(), HashLeaf("another")));
  head.set_root(std::string(BytesOf(HashLeaf("another"))));
  return head;
}

INSTANTIATE_TEST_SUITE_P(
    All, BatchedLieTest,
    testing::Values(
        Lie{"HeadByAnotherKey",
            [](Chained& c) {
              c.world.trust.ledger =
                  MakeVerifierKey(kLog, c.world.producer().PublicKey());
            },
            Anchor("HEAD_INVALID")},
        Lie{"HeadThatIsNotTheItem",
            [](Chained& c) {
              const v1::LedgerItem item = c.world.head.item();
              c.world.AppendItem(absl::StrReplaceAll(c.world.written[0].bytes,
                                                     {{"3.483333", "3.5"}}));
              c.world.SealLedger();
              *c.world.head.mutable_item() = item;
            },
            Anchor("HEAD_NOT_ON_CHAIN")},
        Lie{"HeadUnderAnotherKey",
            [](Chained& c) { c.PutHead("head:elsewhere"); },
            Anchor("HEAD_HIDDEN")},
        Lie{"HeadByAForeignPublisher",
            [](Chained& c) {
              c.world.trust.chain->publishers = {
                  "1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk"};
            },
            Anchor("PUBLISHER_UNTRUSTED")},
        Lie{"HeadOnAnotherChain",
            [](Chained& c) {
              c.world.trust.chain->genesis = std::string(64, '0');
            },
            Anchor("CHAIN_MISMATCH")},
        Lie{"TransactionAltered",
            [](Chained& c) {
              std::string* bytes = c.world.head.mutable_item()
                                       ->mutable_chain()
                                       ->mutable_transaction();
              bytes->at(bytes->size() / 2) ^= 1;
            },
            Anchor("TRANSACTION_MISMATCH")},
        Lie{"BlockOfAnotherTransaction",
            [](Chained& c) {
              c.world.head.mutable_item()->mutable_chain()->set_index(5);
            },
            Anchor("PROOF_INVALID")},
        Lie{"ProofOfAnotherEntry",
            [](Chained& c) {
              *c.world.items[0].mutable_inclusion()->mutable_siblings(0) =
                  std::string(32, 'x');
            },
            Anchor("PROOF_INVALID")},
        Lie{"AHeadOnTheChainThatIsOfAnotherLog",
            [](Chained& c) {
              v1::LedgerHead other = OtherHead(c.world);
              *other.mutable_item() =
                  c.Put(other.note(), LedgerHeadsKey(kLog), 1);
              c.world.conflicts = {other};
            },
            Anchor("HEAD_FORK")}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(BatchedTest, AConflictThatTheLogsKeyHasNotSignedIsNone) {
  Chained chained;
  chained.PutHead();
  v1::LedgerHead other = OtherHead(chained.world);
  other.set_note(absl::StrReplaceAll(other.note(), {{"\n\n", "\n \n"}}));
  chained.world.conflicts = {other};
  EXPECT_EQ(Verify(chained.world).verdict(),
            v1::VerifyWindowResponse::VERIFIED);
}

// The verifier lives on between the requests of these.

TEST(BatchedTest, HeadsAreHeldAgainstThoseSeenBefore) {
  Chained chained;
  World& world = chained.world;
  chained.PutHead();
  ASSERT_EQ(Verify(world).verdict(), v1::VerifyWindowResponse::VERIFIED);
  // The log grows.
  const std::string again = world.written[0].bytes;
  world.AppendItem(again);
  world.SealLedger();
  chained.PutHead();
  EXPECT_EQ(Verify(world).verdict(), v1::VerifyWindowResponse::VERIFIED)
      << ReasonOf(Verify(world));
  world.AppendItem(again);
  world.SealLedger();
  chained.PutHead();
  world.proves_consistency = false;
  ExpectSkipped(Verify(world), "cannot be told");
  world.proves_consistency = true;
  EXPECT_EQ(Verify(world).verdict(), v1::VerifyWindowResponse::VERIFIED);
  // It was written anew, and does not begin with what it had.
  world.items.pop_back();
  world.AppendItem("{}");
  world.AppendItem("{}");
  world.SealLedger();
  chained.PutHead();
  ExpectFound(Verify(world), Anchor("HEAD_FORK"));
}

TEST(BatchedTest, TwoHeadsOfOneSizeAreAFork) {
  Chained chained;
  World& world = chained.world;
  chained.PutHead();
  ASSERT_EQ(Verify(world).verdict(), v1::VerifyWindowResponse::VERIFIED);
  world.items.pop_back();
  world.AppendItem("{}");
  world.SealLedger();
  chained.PutHead();
  ExpectFound(Verify(world), Anchor("HEAD_FORK"));
}

}  // namespace
}  // namespace windproof
