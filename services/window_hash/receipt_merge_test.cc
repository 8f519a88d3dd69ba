#include "services/window_hash/receipt_merge.h"

#include <gtest/gtest.h>

#include <string>

#include "services/window_hash/store.pb.h"

namespace windproof {
namespace {

store::v1::StoredCheckpoint Stored(const std::string& checkpoint) {
  store::v1::StoredCheckpoint stored;
  stored.mutable_checkpoint()->set_checkpoint(checkpoint);
  stored.mutable_checkpoint()->set_signature("signature");
  stored.mutable_checkpoint()->set_signer("signer");
  return stored;
}

v1::Receipt Receipt(v1::Receipt::State state) {
  v1::Receipt receipt;
  receipt.set_checkpoint_sha256(std::string(32, 'h'));
  receipt.set_state(state);
  receipt.set_ledger("ledger");
  return receipt;
}

std::string Merged(const std::string* existing, const std::string& operand) {
  const auto merge = NewReceiptMerge();
  const rocksdb::Slice before =
      existing != nullptr ? rocksdb::Slice(*existing) : rocksdb::Slice();
  std::string merged = "left over";
  EXPECT_TRUE(static_cast<rocksdb::AssociativeMergeOperator&>(*merge).Merge(
      "key", existing != nullptr ? &before : nullptr, operand, &merged,
      nullptr));
  return merged;
}

std::string Operand(v1::Receipt::State state) {
  std::string operand;
  AppendReceipt(Receipt(state), &operand);
  return operand;
}

TEST(ReceiptMergeTest, TheValueIsWhatWouldHaveBeenWritten) {
  // Sizes of one, two and three bytes.
  for (const size_t size : {0, 1, 100, 1200, 20'000}) {
    store::v1::StoredCheckpoint stored = Stored(std::string(size, 'c'));
    const std::string without = stored.SerializeAsString();
    *stored.mutable_receipt() = Receipt(v1::Receipt::ANCHORED);
    const std::string with = stored.SerializeAsString();
    EXPECT_EQ(Merged(&without, Operand(v1::Receipt::ANCHORED)), with) << size;
    // One that it had is replaced.
    *stored.mutable_receipt() = Receipt(v1::Receipt::PUBLISHED);
    stored.mutable_receipt()->set_txid("another");
    const std::string had = stored.SerializeAsString();
    EXPECT_EQ(Merged(&had, Operand(v1::Receipt::ANCHORED)), with) << size;
  }
}

TEST(ReceiptMergeTest, OfTwoReceiptsTheLastOneCounts) {
  const std::string first = Operand(v1::Receipt::PUBLISHED);
  const std::string second = Operand(v1::Receipt::ANCHORED);
  EXPECT_EQ(Merged(&first, second), second);
  EXPECT_EQ(Merged(nullptr, second), second);
}

TEST(ReceiptMergeTest, WhatIsNoStoredCheckpointStaysDamaged) {
  const std::string whole = Stored("checkpoint").SerializeAsString();
  const std::string operand = Operand(v1::Receipt::ANCHORED);
  for (const std::string& damaged :
       {whole.substr(0, whole.size() - 1), whole + "x", std::string("\x0a"),
        std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        std::string("rubbish")}) {
    EXPECT_EQ(Merged(&damaged, operand), damaged + operand);
  }
}

}  // namespace
}  // namespace windproof
