#include "common/record_log/embedded_log_keys.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(EmbeddedLogKeysTest, RecordKeyHasItsBytesAndReadsBack) {
  const std::string key = RecordKey({"w.1", 2}, 0x0102030405);
  EXPECT_EQ(key, std::string("w.1\0\0\0\0\2\0\0\0\1\2\3\4\5", 16));
  const auto place = ParseRecordKey(key);
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->source, (TopicPartition{"w.1", 2}));
  EXPECT_EQ(place->offset, 0x0102030405);
}

TEST(EmbeddedLogKeysTest, OffsetsAndTopicsKeepTheirOrder) {
  std::vector<std::string> keys = {TopicKey("a"),
                                   RecordKey({"a", 0}, 0),
                                   RecordKey({"a", 0}, 255),
                                   RecordKey({"a", 0}, 256),
                                   RecordKey({"a", 0}, INT64_MAX),
                                   RecordKey({"a", 1}, 0),
                                   RecordKey({"a.b", 0}, 0),
                                   RecordKey({"b", 0}, 0)};
  for (size_t i = 1; i < keys.size(); ++i) EXPECT_LT(keys[i - 1], keys[i]) << i;
}

TEST(EmbeddedLogKeysTest, AnotherOffsetGivesThatKey) {
  std::string key = RecordKey({"topic", 3}, 1);
  for (const int64_t offset :
       {int64_t{0}, int64_t{0x7766554433221100}, INT64_MAX}) {
    SetRecordKeyOffset(offset, &key);
    EXPECT_EQ(key, RecordKey({"topic", 3}, offset));
  }
}

TEST(EmbeddedLogKeysTest, OtherKeysAreNoRecordKeys) {
  EXPECT_FALSE(ParseRecordKey(kEmbeddedLogFormatKey).has_value());
  EXPECT_FALSE(ParseRecordKey(TopicKey("weather")).has_value());
  EXPECT_FALSE(ParseRecordKey("").has_value());
  EXPECT_FALSE(ParseRecordKey("weather").has_value());
  EXPECT_FALSE(ParseRecordKey(RecordKey({"w", 0}, 1) + "x").has_value());
  EXPECT_FALSE(ParseRecordKey(RecordKey({"w", 0}, -1)).has_value());
  EXPECT_FALSE(ParseRecordKey(RecordKey({"w", -1}, 0)).has_value());
}

TEST(EmbeddedLogKeysTest, PartitionCountsReadBack) {
  EXPECT_EQ(ParsePartitionCount(PartitionCountValue(1)), 1);
  EXPECT_EQ(ParsePartitionCount(PartitionCountValue(70'000)), 70'000);
  EXPECT_FALSE(ParsePartitionCount(PartitionCountValue(0)).has_value());
  EXPECT_FALSE(ParsePartitionCount(PartitionCountValue(-1)).has_value());
  EXPECT_FALSE(ParsePartitionCount("").has_value());
  EXPECT_FALSE(ParsePartitionCount("12345").has_value());
}

}  // namespace
}  // namespace windproof
