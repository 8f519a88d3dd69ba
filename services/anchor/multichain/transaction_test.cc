// Against a transaction and a block of a real node.
#include "services/anchor/multichain/transaction.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_value.h"
#include "gtest/gtest.h"
#include "services/anchor/multichain/chain_bytes.h"

namespace windproof {
namespace {

constexpr char kRaw[] =
    "010000000127ce6e45f1ca0ef6224e800d5c031c0ec68889920c58c4071599f423d73b07"
    "83010000006a47304402207b7250cc4a459c34006132aaecbf582b826c6ac050f385bd6a"
    "6f5dc2f31d7cbf0220586db0750c5ef7c4d593487d5f6101868b2f153900186bf74d2975"
    "9d1cffc05a012102dee1003b128991f84391addd31b49e03d8b7b897e42a453d82d04560"
    "2ff7783fffffffff0200000000000000008b1473706b65d1c78ef67f6784adcee89c278e"
    "d58a20750a73706b6b6b2d6a736f6e750573706b6602756a4c5f7b690677696e646f7769"
    "2a6904726f6f745369406162616261626162616261626162616261626162616261626162"
    "616261626162616261626162616261626162616261626162616261626162616261626162"
    "61626905636f756e744903e87d00000000000000001976a9146d82fde4800e71e8c80aeb"
    "4cb7e0b3e93b0a3cce88ac00000000";
constexpr char kTxid[] =
    "909fcda4eaa157368205cd791b346364a72c1df07f7ce85c0bf65bb59bfcc70a";
constexpr char kStream[] =
    "208ad58e279ce8cead84677ff68ec7d124b9ac8d1e9dc3f7b9911028badf734a";
constexpr char kPublisher[] = "1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk";

TEST(TransactionTest, ARecordedItemIsRead) {
  const std::string raw = *BytesFromHex(kRaw);
  EXPECT_EQ(ShownHash(DoubleSha256(raw)), kTxid);
  const auto transaction = ParseChainTransaction(raw);
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  ASSERT_EQ(transaction->outputs.size(), 2u);
  const auto item = ParseItemScript(transaction->outputs[0].script);
  ASSERT_TRUE(item.ok()) << item.status();
  EXPECT_EQ(item->stream, *StreamPrefixOf(kStream));
  EXPECT_EQ(item->keys, (std::vector<absl::string_view>{"k-json"}));
  EXPECT_EQ(item->format, ScriptItem::Format::kJson);
  // The change of the publisher.
  EXPECT_FALSE(ParseItemScript(transaction->outputs[1].script).ok());
  const auto signer = CheckedSigner(*transaction, 0);
  ASSERT_TRUE(signer.ok()) << signer.status();
  EXPECT_EQ(*signer, *AddressHash(kPublisher));
  EXPECT_FALSE(CheckedSigner(*transaction, 1).ok());
}

TEST(TransactionTest, WhoeverChangesAByteIsNotThePublisher) {
  const std::string raw = *BytesFromHex(kRaw);
  int parsed = 0;
  for (size_t i = 0; i < raw.size(); ++i) {
    std::string altered = raw;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    const auto transaction = ParseChainTransaction(altered);
    if (!transaction.ok()) continue;
    ++parsed;
    const auto signer = CheckedSigner(*transaction, 0);
    EXPECT_FALSE(signer.ok() && *signer == *AddressHash(kPublisher)) << i;
  }
  EXPECT_GT(parsed, 100);
}

TEST(TransactionTest, NothingButOneWholeTransactionIsAccepted) {
  const std::string raw = *BytesFromHex(kRaw);
  for (size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(ParseChainTransaction(raw.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ParseChainTransaction(raw + '\0').ok());
}

TEST(TransactionTest, AScriptThatIsNoItemIsRefused) {
  const std::string raw = *BytesFromHex(kRaw);
  const auto transaction = ParseChainTransaction(raw);
  ASSERT_TRUE(transaction.ok());
  const std::string script(transaction->outputs[0].script);
  for (size_t size = 0; size < script.size(); ++size) {
    const auto item = ParseItemScript(script.substr(0, size));
    // Without the push behind OP_RETURN it is an item without data.
    EXPECT_FALSE(item.ok() && !item->data.empty()) << size;
  }
  EXPECT_FALSE(ParseItemScript(script + '\0').ok());
}

TEST(ChainBytesTest, AddressesStandForTheHashOfAKey) {
  const std::string key = *BytesFromHex(
      "03dfadc8a027aaea469587aa1191862e5cdc0f91b15c0528e63dffd1aed4fdeb7e");
  EXPECT_EQ(*AddressHash("1SKHJzpmNRBZ2kEQRu7gzxrAdM3ddxGcMmVYpS"),
            Hash160(key));
  for (const char* none : {"", "1", "0OIl", "not an address",
                           "1SKHJzpmNRBZ2kEQRu7gzxrAdM3ddxGcMmVYpSxxxxxxxx"}) {
    EXPECT_FALSE(AddressHash(none).ok()) << none;
  }
}

TEST(ChainBytesTest, EachBranchLeadsToTheRootAndNoOther) {
  for (size_t size = 1; size <= 33; ++size) {
    std::vector<Digest> txids;
    for (size_t i = 0; i < size; ++i) {
      txids.push_back(Sha256Of(absl::StrCat(i)));
    }
    const Digest root = BlockMerkleRoot(txids);
    for (size_t i = 0; i < size; ++i) {
      std::vector<Digest> branch = BlockMerkleBranch(txids, i);
      EXPECT_EQ(RootOfBlockBranch(txids[i], i, branch), root);
      if (branch.empty()) continue;
      EXPECT_NE(RootOfBlockBranch(Sha256Of("x"), i, branch), root);
      branch.back()[0] ^= 1;
      EXPECT_NE(RootOfBlockBranch(txids[i], i, branch), root);
    }
  }
}

TEST(ChainBytesTest, ARecordedBlockLeadsToItsHeader) {
  const char* const shared = getenv("WINDPROOF_SHARED");
  const std::string folder =
      absl::StrCat(shared == nullptr ? "" : shared, "/multichain/rpc/");
  if (shared == nullptr || !std::filesystem::exists(folder)) {
    GTEST_SKIP() << "WINDPROOF_SHARED names no folder with multichain/rpc";
  }
  const auto result = [&](const char* name) {
    std::ifstream in(folder + name);
    std::stringstream text;
    text << in.rdbuf();
    const JsonValue recorded = *ParseJson(text.str());
    const JsonValue answer = *ParseJson(recorded.Find("response_body")->string);
    return *answer.Find("result");
  };
  // What was recorded of the block itself is not whole.
  const std::string header = *BytesFromHex(
      result("27-getblock-verbosity-0.json").string.substr(0, 160));
  const JsonValue shown = result("27-getblock-verbosity-1.json");
  EXPECT_EQ(ShownHash(DoubleSha256(header)), shown.Find("hash")->string);
  std::vector<Digest> txids;
  for (const JsonValue& txid : shown.Find("tx")->elements) {
    txids.push_back(*HashFromShown(txid.string));
  }
  ASSERT_EQ(txids.size(), 31u);
  EXPECT_EQ(BlockMerkleRoot(txids), *MerkleRootOfHeader(header));
  EXPECT_FALSE(MerkleRootOfHeader(header.substr(0, 79)).ok());
}

}  // namespace
}  // namespace windproof
