#include "common/record_log/kafka_properties.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs Parsed(absl::string_view text) {
  const auto properties = ParseKafkaProperties(text, "f");
  EXPECT_TRUE(properties.ok()) << properties.status();
  Pairs pairs;
  if (!properties.ok()) return pairs;
  for (const KafkaProperty& entry : properties->entries) {
    pairs.emplace_back(entry.key, entry.value);
  }
  return pairs;
}

TEST(KafkaPropertiesTest, ReadsWhatJavaReads) {
  const struct {
    const char* name;
    std::string text;
    Pairs expected;
  } kCases[] = {
      {"Empty", "", {}},
      {"Comments", "# a=b\n  ! c=d\n\n", {}},
      {"Equals", "a=b", {{"a", "b"}}},
      {"Colon", "a : b\n", {{"a", "b"}}},
      {"Blank", "a  b c\n", {{"a", "b c"}}},
      {"BlanksAround", " \ta = b = c \n", {{"a", "b = c "}}},
      {"NoValue", "a\nb=\n", {{"a", ""}, {"b", ""}}},
      {"Windows", "a=1\r\nb=2\r\n", {{"a", "1"}, {"b", "2"}}},
      {"Continued", "a=1,\\\n   2,\\\r\n 3\nb=4", {{"a", "1,2,3"}, {"b", "4"}}},
      {"NotContinued", "a=1\\\\\nb=2", {{"a", "1\\"}, {"b", "2"}}},
      {"EscapedSeparators", "a\\=b\\:c\\ d=e", {{"a=b:c d", "e"}}},
      {"Escapes",
       "a=\\t\\n\\r\\f\\\\\\q\\u00e4\\u20AC",
       {{"a", "\t\n\r\f\\q\xc3\xa4\xe2\x82\xac"}}},
      {"HashInValue", "a=b#c", {{"a", "b#c"}}},
      {"DanglingEscape", "a=b\\", {{"a", "b"}}},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(Parsed(one.text), one.expected) << one.name;
  }
}

TEST(KafkaPropertiesTest, ErrorsNameFileAndLine) {
  const struct {
    const char* name;
    std::string text;
    const char* expected;
  } kCases[] = {
      {"NoKey", "a=1\n=2", "f:2: no key"},
      {"Twice", "a=1\n\nb=2\na : 3", "f:4: a is set already, in line 1"},
      {"ShortUnicode", "a=\\u12", "f:1: a: \\u"},
      {"Surrogate", "a=\\ud800", "f:1: a: \\u0000 and surrogates"},
      {"Zero", std::string("a=\0", 3), "f:1: has a zero byte"},
  };
  for (const auto& one : kCases) {
    const absl::Status status = ParseKafkaProperties(one.text, "f").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << one.name;
    EXPECT_TRUE(absl::StartsWith(status.message(), one.expected)) << status;
  }
}

TEST(KafkaPropertiesTest, LinesAreThoseWhereAnEntryBegins) {
  const auto properties = ParseKafkaProperties("#\na=1\\\n2\nb=3", "f");
  ASSERT_TRUE(properties.ok());
  ASSERT_EQ(properties->entries.size(), 2u);
  EXPECT_EQ(properties->Where(properties->entries[0]), "f:2: a");
  EXPECT_EQ(properties->Where(properties->entries[1]), "f:4: b");
}

TEST(KafkaPropertiesTest, ReadsAFile) {
  const std::string path = ::testing::TempDir() + "/kafka.properties";
  EXPECT_TRUE(absl::IsNotFound(ReadKafkaProperties(path).status()));
  std::ofstream(path) << "bootstrap.servers=h:1\n";
  const auto properties = ReadKafkaProperties(path);
  ASSERT_TRUE(properties.ok()) << properties.status();
  ASSERT_EQ(properties->entries.size(), 1u);
  EXPECT_EQ(properties->entries[0].value, "h:1");
  EXPECT_FALSE(ReadKafkaProperties(::testing::TempDir()).ok());
}

}  // namespace
}  // namespace windproof
