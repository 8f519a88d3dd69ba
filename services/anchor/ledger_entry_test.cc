#include "services/anchor/ledger_entry.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

LedgerEntry Sample() {
  LedgerEntry entry;
  entry.prev = kZeroDigest;
  entry.position = 0;
  entry.time_ms = 1'769'904'000'000;
  entry.publisher = "log";
  entry.keys = {"a", "a/b"};
  entry.data = "{}";
  entry.signer = "p";
  entry.signature = "sig";
  return entry;
}

// Drawn in docs/formats/ledger.md.
TEST(LedgerEntryTest, TheBytesOfTheDocumentation) {
  const std::string bytes = EncodeLedgerEntry(Sample());
  EXPECT_EQ(absl::BytesToHexString(bytes),
            "01"
            "0000000000000000000000000000000000000000000000000000000000000000"
            "0000000000000000"
            "0000019c167fcc00"
            "0003"
            "6c6f67"
            "0002"
            "0001"
            "61"
            "0003"
            "612f62"
            "00000002"
            "7b7d"
            "0001"
            "70"
            "0003"
            "736967");
  EXPECT_EQ(LedgerEntryHash(bytes), HashLeaf(bytes));
}

TEST(LedgerEntryTest, GoesThereAndBack) {
  LedgerEntry entry = Sample();
  entry.prev = Sha256Of("before");
  entry.position = INT64_MAX;
  entry.keys = {};
  entry.signer = entry.signature = "";
  const std::string long_data(100'000, '\0');
  entry.data = long_data;
  const std::string bytes = EncodeLedgerEntry(entry);
  const absl::StatusOr<LedgerEntry> parsed = ParseLedgerEntry(bytes);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->prev, entry.prev);
  EXPECT_EQ(parsed->position, entry.position);
  EXPECT_EQ(parsed->time_ms, entry.time_ms);
  EXPECT_EQ(parsed->publisher, "log");
  EXPECT_TRUE(parsed->keys.empty());
  EXPECT_EQ(parsed->data, long_data);
  EXPECT_EQ(EncodeLedgerEntry(*parsed), bytes);
}

TEST(LedgerEntryTest, EveryCutAndEveryTrailingByteIsRefused) {
  const std::string bytes = EncodeLedgerEntry(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        ParseLedgerEntry(bytes.substr(0, size)).status()))
        << size;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseLedgerEntry(bytes + '\0').status()));
}

// Whatever bytes come, what parses encodes to them again: there is one
// spelling.
TEST(LedgerEntryTest, EveryChangedByteIsRefusedOrKept) {
  const std::string bytes = EncodeLedgerEntry(Sample());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const absl::StatusOr<LedgerEntry> parsed = ParseLedgerEntry(changed);
      if (!parsed.ok()) continue;
      EXPECT_EQ(EncodeLedgerEntry(*parsed), changed) << i;
    }
  }
}

TEST(LedgerEntryTest, MessagesNameTheField) {
  std::string bytes = EncodeLedgerEntry(Sample());
  bytes[0] = 2;
  EXPECT_EQ(ParseLedgerEntry(bytes).status().message(),
            "ledger entry: version is 2; 1 is accepted");
  bytes[0] = 1;
  bytes[33] = '\x80';
  EXPECT_EQ(ParseLedgerEntry(bytes).status().message(),
            "ledger entry: position is 9223372036854775808; below 2^63 is "
            "accepted");
}

}  // namespace
}  // namespace windproof
