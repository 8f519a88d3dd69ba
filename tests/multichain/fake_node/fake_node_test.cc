#include "tests/multichain/fake_node/fake_node.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/multichain/fake_node/block.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/json.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/mining.h"
#include "tests/multichain/fake_node/node_state.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/transaction.h"

namespace windproof::fake_node {
namespace {

Json Params(std::vector<Json> values) {
  Json params = Json::Array();
  for (Json& value : values) params.Append(std::move(value));
  return params;
}

Json Text(const std::string& text) { return Json::String(text); }

class FakeNodeTest : public ::testing::Test {
 protected:
  void SetUp() override { Begin({}); }

  void Begin(FakeNode::Options options) {
    node_.reset();
    auto node = FakeNode::Start(std::move(options));
    ASSERT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
  }

  void CreateStream() {
    Get(*node_, "create", {Text("stream"), Text("s"), Json::Bool(false)});
    Get(*node_, "subscribe", {Text("s")});
    node_->MineBlock();
  }

  static Json Get(FakeNode& node, const std::string& method,
                  std::vector<Json> params) {
    const RpcResult result = node.Call(method, Params(std::move(params)));
    EXPECT_TRUE(result.ok()) << method << ": " << result.error->message;
    return result.value;
  }

  std::string Publish(const std::string& key) {
    return Get(*node_, "publish",
               {Text("s"), Text(key), *ParseJson(R"({"text":"x"})")})
        .AsString();
  }

  static Json Items(FakeNode& node, const std::string& key) {
    return Get(node, "liststreamkeyitems",
               {Text("s"), Text(key), Json::Bool(true)});
  }

  static int64_t Member(const Json& item, const char* name) {
    return item.Find(name)->AsInt();
  }

  std::unique_ptr<FakeNode> node_;
};

TEST_F(FakeNodeTest, AnItemIsSeenAtOnceAndConfirmedByABlock) {
  CreateStream();
  const std::string txid = Publish("k");
  ASSERT_EQ(Items(*node_, "k").size(), 1u);
  EXPECT_EQ(Member(Items(*node_, "k").at(0), "confirmations"), 0);
  EXPECT_EQ(Items(*node_, "k").at(0).Find("blockhash"), nullptr);
  node_->MineBlock();
  EXPECT_EQ(Member(Items(*node_, "k").at(0), "confirmations"), 1);
  EXPECT_EQ(Items(*node_, "k").at(0).Find("txid")->AsString(), txid);
}

TEST_F(FakeNodeTest, ABlocksHeaderCommitsToItsTransactions) {
  CreateStream();
  for (int i = 0; i < 6; ++i) Publish("k");
  node_->MineBlock();
  const Json height = Json::Int(node_->height());
  const std::string raw =
      *FromHex(Get(*node_, "getblock", {height, Json::Int(0)}).AsString());
  const Json block = Get(*node_, "getblock", {height});
  EXPECT_EQ(ShownHash(DoubleSha256(raw.substr(0, kHeaderSize))),
            block.Find("hash")->AsString());
  std::vector<Digest> ids;
  for (const Json& id : block.Find("tx")->elements()) {
    ids.push_back(*HashFromShown(id.AsString()));
  }
  ASSERT_EQ(ids.size(), 7u);
  const Digest root = ParseHeader(raw.substr(0, kHeaderSize))->merkle_root;
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(RootOfBranch(ids[i], i, MerkleBranch(ids, i)), root) << i;
  }
}

class ReorgTest : public FakeNodeTest,
                  public ::testing::WithParamInterface<uint32_t> {};

TEST_P(ReorgTest, HeldItemsWaitUntilTold) {
  CreateStream();
  Publish("k");
  node_->MineBlocks(GetParam());
  ASSERT_EQ(Member(Items(*node_, "k").at(0), "confirmations"), GetParam());
  const uint32_t height = node_->height();
  ASSERT_TRUE(node_->Reorg(GetParam(), Fate::kHeld).ok());
  EXPECT_EQ(node_->height(), height + 1);
  node_->MineBlocks(3);
  ASSERT_EQ(Items(*node_, "k").size(), 1u);
  EXPECT_EQ(Member(Items(*node_, "k").at(0), "confirmations"), 0);
  EXPECT_TRUE(Items(*node_, "k").at(0).Find("valid")->AsBool());
  node_->ReleaseHeld();
  node_->MineBlock();
  EXPECT_EQ(Member(Items(*node_, "k").at(0), "confirmations"), 1);
}

TEST_P(ReorgTest, MinedAgainItemsAreInTheOtherBranch) {
  CreateStream();
  Publish("k");
  node_->MineBlocks(GetParam());
  const Json before = Items(*node_, "k").at(0);
  ASSERT_TRUE(node_->Reorg(GetParam(), Fate::kMinedAgain).ok());
  const Json after = Items(*node_, "k").at(0);
  EXPECT_EQ(Member(after, "confirmations"), GetParam() + 1);
  EXPECT_EQ(after.Find("txid")->AsString(), before.Find("txid")->AsString());
  EXPECT_NE(after.Find("blockhash")->AsString(),
            before.Find("blockhash")->AsString());
}

TEST_P(ReorgTest, ConflictingItemsVanish) {
  CreateStream();
  const std::string txid = Publish("k");
  node_->MineBlocks(GetParam());
  ASSERT_TRUE(node_->Reorg(GetParam(), Fate::kConflict).ok());
  EXPECT_EQ(Items(*node_, "k").size(), 0u);
  const Json item =
      Get(*node_, "getstreamitem", {Text("s"), Text(txid), Json::Bool(true)});
  EXPECT_FALSE(item.Find("valid")->AsBool());
  const RpcResult raw = node_->Call("getrawtransaction", Params({Text(txid)}));
  ASSERT_FALSE(raw.ok());
  EXPECT_EQ(raw.error->code, kErrorTxNotFound);
  // The wallet goes on.
  Publish("again");
  node_->MineBlock();
  EXPECT_EQ(Member(Items(*node_, "again").at(0), "confirmations"), 1);
}

INSTANTIATE_TEST_SUITE_P(Depths, ReorgTest, ::testing::Values(1, 6, 20));

TEST_F(FakeNodeTest, AConflictTakesOneItemAndWhatDependsOnIt) {
  CreateStream();
  Publish("first");
  node_->MineBlock();
  const std::string second = Publish("second");
  Publish("third");
  ASSERT_TRUE(node_->ConflictTransaction(second).ok());
  EXPECT_EQ(Items(*node_, "first").size(), 1u);
  EXPECT_EQ(Items(*node_, "second").size(), 0u);
  EXPECT_EQ(Items(*node_, "third").size(), 0u);
}

TEST_F(FakeNodeTest, AConflictLeavesWhatItDependsOnAndTheWalletGoesOn) {
  CreateStream();
  Publish("first");  // in no block yet
  const std::string second = Publish("second");
  ASSERT_TRUE(node_->ConflictTransaction(second).ok());
  EXPECT_EQ(Items(*node_, "second").size(), 0u);
  Publish("second");
  EXPECT_EQ(Member(Items(*node_, "first").at(0), "confirmations"), 1);
  EXPECT_EQ(Member(Items(*node_, "second").at(0), "confirmations"), 0);
}

TEST_F(FakeNodeTest, TwoViewsMeetInTheLongerOne) {
  CreateStream();
  auto other = node_->Fork({.wallet_seed = "other"});
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ((*other)->genesis_hash(), node_->genesis_hash());
  Publish("k");
  node_->MineBlock();
  (*other)->MineBlocks(2);
  EXPECT_EQ(Member(Items(*node_, "k").at(0), "confirmations"), 1);
  ASSERT_TRUE(node_->SyncFrom(**other).ok());
  EXPECT_EQ(node_->height(), (*other)->height());
  EXPECT_EQ(Member(Items(*node_, "k").at(0), "confirmations"), 0);
}

TEST_F(FakeNodeTest, TheStateSurvivesAnEnd) {
  FakeNode::Options options;
  options.data_dir = ::testing::TempDir();
  Begin(options);
  CreateStream();
  Publish("k");
  node_->MineBlock();
  Publish("k");
  const Json before = Items(*node_, "k");
  Begin(options);
  EXPECT_EQ(JsonText(Items(*node_, "k")), JsonText(before));
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(Member(before.at(0), "confirmations"), 1);
  EXPECT_EQ(Member(before.at(1), "confirmations"), 0);
}

TEST_F(FakeNodeTest, AnAddressIsTheRealNodesForItsKey) {
  // Public key and address of the recorded chain's administrator.
  const std::string key = *FromHex(
      "02dee1003b128991f84391addd31b49e03d8b7b897e42a453d82d045602ff7783f");
  EXPECT_EQ(AddressOf(Hash160(key)), "1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk");
  EXPECT_EQ(HashOfAddress("1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk"),
            Hash160(key));
  EXPECT_FALSE(
      HashOfAddress("1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYA").has_value());
}

TEST(MiningTest, NoBlockAfterTenEmptyOnesUntilThereIsATransaction) {
  NodeState state;
  const Key& key = state.NewKey();
  state.chain.Init("c", key.hash(), 1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(WantsBlock(state)) << i;
    MineBlock(&state);
  }
  EXPECT_FALSE(WantsBlock(state));
  const std::string raw = SignedTransaction(
      state.chain.Unspent(key.hash()).back(), key, {PayToScript(key.hash())});
  ASSERT_TRUE(state.chain.AddTransaction(raw, 2, 2).has_value());
  EXPECT_TRUE(WantsBlock(state));
}

}  // namespace
}  // namespace windproof::fake_node
