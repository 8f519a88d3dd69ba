#include "services/window_hash/state_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/canonical/timestamp.h"

namespace windproof {
namespace {

TEST(StateCodecTest, PartitionStateReadsBack) {
  const PartitionState state{.origin = 7,
                             .seen = 12,
                             .position = 1'000'000'000'000,
                             .low_water = 9,
                             .last_offset = 999'999'999'999,
                             .last_record_hash = Sha256Of("last")};
  const auto read = DecodePartitionState(EncodePartitionState(state, 1));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->origin, state.origin);
  EXPECT_EQ(read->seen, state.seen);
  EXPECT_EQ(read->position, state.position);
  EXPECT_EQ(read->low_water, state.low_water);
  EXPECT_EQ(read->last_offset, state.last_offset);
  EXPECT_EQ(read->last_record_hash, state.last_record_hash);
  // Nothing read yet.
  const auto first = DecodePartitionState(EncodePartitionState({}, 1));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->last_offset, -1);
}

TEST(StateCodecTest, KeyStateReadsBack) {
  KeyState state;
  state.key = "a/b";
  state.seq = 42;
  state.prev = Sha256Of("prev");
  state.begin = 5;
  state.seen_at_begin = 4;
  state.counts = {.accepted = 1,
                  .conflict = 2,
                  .control = 3,
                  .duplicate = 4,
                  .invalid = 5,
                  .late = 6};
  state.records_in_open = 7;
  state.waiting = {{8, "{}", Sha256Of("8")}, {9, "{\"a\":1}", Sha256Of("9")}};
  for (const std::optional<Timestamp> watermark :
       {std::optional<Timestamp>(),
        std::optional<Timestamp>({kYear0Seconds, 1}),
        std::optional<Timestamp>({-1, 999'999'999}),
        std::optional<Timestamp>({0, 0}),
        std::optional<Timestamp>({kYear10000Seconds - 1, 0})}) {
    state.watermark = watermark;
    const auto read = DecodeKeyState("a/b", EncodeKeyState(state));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->key, state.key);
    EXPECT_EQ(read->watermark, state.watermark);
    EXPECT_EQ(read->seq, state.seq);
    EXPECT_EQ(read->prev, state.prev);
    EXPECT_EQ(read->begin, state.begin);
    EXPECT_EQ(read->seen_at_begin, state.seen_at_begin);
    EXPECT_EQ(read->counts, state.counts);
    EXPECT_EQ(read->records_in_open, state.records_in_open);
    ASSERT_EQ(read->waiting.size(), 2u);
    EXPECT_EQ(read->waiting[1].offset, 9);
    EXPECT_EQ(read->waiting[1].canonical, "{\"a\":1}");
    EXPECT_EQ(read->waiting[1].record_hash, Sha256Of("9"));
  }
}

TEST(StateCodecTest, GarbageIsDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(DecodePartitionState("\xff").status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeKeyState("k", "\xff").status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeSpill({}, "\xff").status()));
  // Empty messages: digests are missing.
  EXPECT_TRUE(absl::IsDataLoss(DecodePartitionState("").status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeKeyState("k", "").status()));
  EXPECT_TRUE(absl::IsDataLoss(DropReasonFromStored(0).status()));
  EXPECT_TRUE(absl::IsDataLoss(DropReasonFromStored(5).status()));
}

TEST(StateCodecTest, AStateThatCannotBeIsDataLoss) {
  const PartitionState good{
      .origin = 1, .seen = 3, .position = 4, .low_water = 2, .last_offset = 3};
  ASSERT_TRUE(DecodePartitionState(EncodePartitionState(good, 1)).ok());
  std::vector<PartitionState> bad(6, good);
  bad[0].origin = -1;
  bad[1].low_water = 0;  // below the origin
  bad[2].low_water = 5;  // above the position
  bad[3].seen = -1;
  bad[4].last_offset = 4;  // not read yet
  bad[5].last_offset = -2;
  for (const PartitionState& state : bad) {
    EXPECT_TRUE(absl::IsDataLoss(
        DecodePartitionState(EncodePartitionState(state, 1)).status()));
  }
  KeyState key;
  key.watermark = Timestamp{kYear10000Seconds, 0};
  EXPECT_TRUE(
      absl::IsDataLoss(DecodeKeyState("k", EncodeKeyState(key)).status()));
  key.watermark = Timestamp{0, 1'000'000'000};
  EXPECT_TRUE(
      absl::IsDataLoss(DecodeKeyState("k", EncodeKeyState(key)).status()));
}

}  // namespace
}  // namespace windproof
