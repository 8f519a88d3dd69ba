#include "services/window_hash/payload_packing.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string Message(int records) {
  std::string message;
  for (int i = 0; i < records; ++i) {
    absl::StrAppend(&message, "\x0a", "{\"humidity\":", i, ".5,\"t\":3.", i,
                    "}");
  }
  return message;
}

std::string Packed(absl::string_view message) {
  std::string scratch = "of before";
  return std::string(PackPayload(message, &scratch));
}

std::string Unpacked(absl::string_view stored) {
  std::string scratch = "of before";
  const auto message = UnpackPayload(stored, &scratch);
  EXPECT_TRUE(message.ok()) << message.status();
  return message.ok() ? std::string(*message) : "";
}

TEST(PayloadPackingTest, GivesTheMessageBack) {
  for (const int records : {0, 1, 2, 60, 1000, 100'000}) {
    EXPECT_EQ(Unpacked(Packed(Message(records))), Message(records));
  }
}

TEST(PayloadPackingTest, PacksWhatGetsSmaller) {
  EXPECT_LT(Packed(Message(60)).size(), Message(60).size() / 2);
  EXPECT_EQ(Packed(Message(60)).front(), '\0');
  EXPECT_EQ(Packed(Message(1)), Message(1));
}

// As stores of before have it, or who overwrites a payload.
TEST(PayloadPackingTest, TakesAMessageThatIsNotPacked) {
  EXPECT_EQ(Unpacked(Message(60)), Message(60));
  EXPECT_EQ(Unpacked(""), "");
}

TEST(PayloadPackingTest, WhateverIsStoredItIsTheMessageOrDataLoss) {
  const std::string good = Packed(Message(60));
  std::string scratch;
  for (size_t size = 1; size < good.size(); ++size) {
    const auto cut = UnpackPayload(good.substr(0, size), &scratch);
    EXPECT_TRUE(absl::IsDataLoss(cut.status())) << size;
  }
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = good;
      other[i] = static_cast<char>(other[i] ^ (1 << bit));
      const auto changed = UnpackPayload(other, &scratch);
      EXPECT_TRUE(changed.ok() || absl::IsDataLoss(changed.status()));
    }
  }
}

TEST(PayloadPackingTest, ASizeThatCannotBeAsksForNoMemory) {
  const std::string huge("\0\x7d\xff\xff\xff\x10", 6);
  std::string scratch;
  EXPECT_TRUE(absl::IsDataLoss(UnpackPayload(huge, &scratch).status()));
  EXPECT_LT(scratch.capacity(), 1024u);
}

}  // namespace
}  // namespace windproof
