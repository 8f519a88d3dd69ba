#include "common/record_log/topic.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(TopicTest, AcceptsKafkasNames) {
  for (const std::string& topic :
       {std::string("weather.00433"), std::string("a"), std::string("..."),
        std::string("A_b-C.9"), std::string(249, 'x')}) {
    EXPECT_TRUE(CheckTopicName(topic).ok()) << topic;
  }
}

TEST(TopicTest, RefusesWhatIsNoName) {
  for (const std::string& topic :
       {std::string(), std::string("."), std::string(".."), std::string("a b"),
        std::string("a\0b", 3), std::string("wetter/1"),
        std::string("k\xc3\xb6ln"), std::string(250, 'x')}) {
    const absl::Status status = CheckTopicName(topic);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << topic;
    EXPECT_NE(status.message().find("are accepted"), absl::string_view::npos);
  }
}

// Values from the tests of Kafka's Java client (UtilsTest.testMurmur2).
TEST(TopicTest, Murmur2IsKafkas) {
  const struct {
    const char* text;
    int32_t hash;
  } kRows[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(static_cast<int32_t>(Murmur2(row.text)), row.hash) << row.text;
  }
}

TEST(TopicTest, PartitionsAreInRangeAndUsed) {
  bool used[7] = {};
  for (int i = 0; i < 200; ++i) {
    const std::string key = std::to_string(i);
    const int32_t partition = PartitionOfKey(key, 7);
    ASSERT_GE(partition, 0);
    ASSERT_LT(partition, 7);
    used[partition] = true;
    EXPECT_EQ(PartitionOfKey(key, 7), partition);
    EXPECT_EQ(PartitionOfKey(key, 1), 0);
  }
  for (const bool one : used) EXPECT_TRUE(one);
  EXPECT_EQ(PartitionOfKey(std::nullopt, 7), 0);
}

}  // namespace
}  // namespace windproof
