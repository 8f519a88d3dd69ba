#include "services/window_hash/store_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "common/canonical/timestamp.h"

namespace windproof {
namespace {

const std::vector<std::string>& Keys() {
  // In order of bytes; with what could be taken for a separator.
  static const auto* keys = new std::vector<std::string>{
      " ", "/",   "00427", "00427/", "00427/x",         "00433",
      "a", "a/b", "aa",    "é",      "\xf0\x9f\x8c\xa7"};
  return *keys;
}

TEST(StoreKeysTest, WindowKeysAreInOrderOfKeyStartAndRevision) {
  const std::vector<int64_t> starts = {
      kYear0Seconds * 1000,        -3'600'000, -1, 0, 1, 255, 256, 3'600'000,
      kYear10000Seconds * 1000 - 1};
  std::vector<std::string> encoded;
  for (const std::string& key : Keys()) {
    for (const int64_t start : starts) {
      for (const int64_t revision : {0, 1, 255, 256}) {
        for (const int32_t partition : {0, 1, 255, 256}) {
          encoded.push_back(EncodeWindowKey({.pipeline = "weather",
                                             .key = key,
                                             .start_ms = start,
                                             .revision = revision,
                                             .source = {"t", partition}}));
        }
      }
    }
  }
  EXPECT_TRUE(std::is_sorted(encoded.begin(), encoded.end()));
  EXPECT_EQ(std::adjacent_find(encoded.begin(), encoded.end()), encoded.end());
}

// The example in docs/formats/window-store.md.
TEST(StoreKeysTest, LooksAsDrawn) {
  EXPECT_EQ(
      absl::BytesToHexString(EncodeWindowKey({.pipeline = "weather",
                                              .key = "00433",
                                              .start_ms = 1'769'342'400'000,
                                              .revision = 0,
                                              .source = {"weather.00433", 0}})),
      "77656174686572"
      "00"
      "3030343333"
      "00"
      "8000019bf5067600"
      "8000000000000000"
      "776561746865722e3030343333"
      "00"
      "00000000");
}

TEST(StoreKeysTest, DecodesWhatItEncodes) {
  for (const std::string& key : Keys()) {
    const WindowKey window{.pipeline = "w.1",
                           .key = key,
                           .start_ms = -3'600'000,
                           .revision = 7,
                           .source = {"weather.00433", 300}};
    EXPECT_EQ(DecodeWindowKey(EncodeWindowKey(window)), window);
    const PipelineSource source{"w.1", {"weather.00433", 300}};
    EXPECT_EQ(DecodeKeyedNumber(EncodeKeyedNumber(source, key, 99)),
              (KeyedNumber{source, key, 99}));
    EXPECT_EQ(DecodeOpenWindowKey(EncodeOpenWindowKey(source, key, -1)),
              (OpenWindowKey{source, key, -1}));
    EXPECT_EQ(DecodePartitionStateKey(PartitionStateKey(source)), source);
    EXPECT_EQ(
        DecodeKeyStateKey(KeyStatePrefix(source), KeyStateKey(source, key)),
        key);
  }
}

TEST(StoreKeysTest, EveryPrefixOfAKeyIsNoKey) {
  const std::string window = EncodeWindowKey({.pipeline = "weather",
                                              .key = "00433",
                                              .start_ms = 0,
                                              .revision = 0,
                                              .source = {"t", 0}});
  const PipelineSource source{"weather", {"t", 0}};
  const std::string number = EncodeKeyedNumber(source, "00433", 5);
  const std::string open = EncodeOpenWindowKey(source, "00433", 5);
  for (size_t size = 0; size < window.size(); ++size) {
    EXPECT_EQ(DecodeWindowKey(window.substr(0, size)), std::nullopt) << size;
  }
  for (size_t size = 0; size < number.size(); ++size) {
    EXPECT_EQ(DecodeKeyedNumber(number.substr(0, size)), std::nullopt) << size;
  }
  for (size_t size = 0; size < open.size(); ++size) {
    EXPECT_EQ(DecodeOpenWindowKey(open.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(DecodeWindowKey(window + "x"), std::nullopt);
  EXPECT_EQ(DecodeKeyedNumber(number + "x"), std::nullopt);
}

TEST(StoreKeysTest, AStartOutsideTheCalendarIsNoWindow) {
  for (const int64_t start :
       {std::numeric_limits<int64_t>::min(), kYear0Seconds * 1000 - 1,
        kYear10000Seconds * 1000, std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(DecodeWindowKey(EncodeWindowKey({.pipeline = "weather",
                                               .key = "00433",
                                               .start_ms = start,
                                               .revision = 0,
                                               .source = {"t", 0}})),
              std::nullopt)
        << start;
  }
}

TEST(StoreKeysTest, APrefixHoldsOneNameOnly) {
  const std::string prefix = KeyPrefix("weather", "00427");
  EXPECT_TRUE(absl::StartsWith(WindowPrefix("weather", "00427", 5), prefix));
  EXPECT_FALSE(absl::StartsWith(WindowPrefix("weather", "00427/", 5), prefix));
  EXPECT_FALSE(absl::StartsWith(
      EncodeWindowKey({.pipeline = "weather-hourly", .key = "00427"}),
      PipelinePrefix("weather")));
  EXPECT_LT(WindowPrefix("weather", "00427", 5), PrefixEnd(prefix));
  EXPECT_LT(PrefixEnd(prefix), WindowPrefix("weather", "004270", 5));
}

}  // namespace
}  // namespace windproof
