#include "common/pipeline/log_record.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr absl::string_view kExampleValue =
    "{\"station_id\": \"00433\", \"timestamp\": \"2026-01-25t12:20:00.000z\", "
    "\"temperature\": 3.9}";

LogRecord Example() {
  LogRecord record;
  record.offset = 4;
  record.log_time_ms = 1769904000000;
  record.key = "00433";
  record.value = kExampleValue;
  return record;
}

LogRecord WithEverything() {
  LogRecord record;
  record.offset = 7;
  record.log_time_ms = -2;
  record.key = absl::string_view("\0k", 2);
  record.value = "";
  record.headers = {{"a", "1"}, {"a", std::nullopt}, {"", ""}};
  return record;
}

std::string Raw(const LogRecord& record) {
  std::string raw;
  AppendRawRecord(record, &raw);
  return raw;
}

// The worked example of the format description.
TEST(LogRecordTest, ExampleHasItsBytesAndHash) {
  const std::string raw = Raw(Example());
  EXPECT_EQ(absl::BytesToHexString(raw),
            absl::StrCat("0000019c167fcc00"
                         "00000005"
                         "3030343333"
                         "00000054",
                         absl::BytesToHexString(kExampleValue), "00000000"));
  EXPECT_EQ(HexOf(RecordHash(Example())),
            "9c2835add380cd657e547bcefff7098952cd4f30b2f7da1e1c205dc840357ae0");
}

TEST(LogRecordTest, AssignLeavesNothingOfWhatWasThere) {
  std::string raw(1000, 'x');
  for (const LogRecord& record : {Example(), WithEverything(), Example()}) {
    AssignRawRecord(record, &raw);
    EXPECT_EQ(raw, Raw(record));
  }
}

TEST(LogRecordTest, NullsAndHeadersHaveTheirBytes) {
  EXPECT_EQ(absl::BytesToHexString(Raw(WithEverything())),
            "fffffffffffffffe"
            "00000002"
            "006b"
            "00000000"
            "00000003"
            "0000000161"
            "0000000131"
            "0000000161"
            "ffffffff"
            "00000000"
            "00000000");
  EXPECT_EQ(absl::BytesToHexString(Raw(LogRecord{})),
            "0000000000000000ffffffffffffffff00000000");
}

TEST(LogRecordTest, ReadsBackWhatItWrote) {
  const std::string raw = Raw(WithEverything());
  const absl::StatusOr<LogRecord> record = ParseRawRecord(9, raw);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->offset, 9);
  EXPECT_EQ(record->log_time_ms, -2);
  EXPECT_EQ(record->key, absl::string_view("\0k", 2));
  EXPECT_EQ(record->value, "");
  ASSERT_EQ(record->headers.size(), 3u);
  EXPECT_EQ(record->headers[0].name, "a");
  EXPECT_EQ(record->headers[0].value, "1");
  EXPECT_EQ(record->headers[1].value, std::nullopt);
  EXPECT_EQ(record->headers[2].value, "");
  EXPECT_EQ(Raw(*record), raw);

  const absl::StatusOr<LogRecord> nulls = ParseRawRecord(0, Raw(LogRecord{}));
  ASSERT_TRUE(nulls.ok()) << nulls.status();
  EXPECT_EQ(nulls->key, std::nullopt);
  EXPECT_EQ(nulls->value, std::nullopt);
}

TEST(LogRecordTest, RefusesEveryPrefixAndWhatFollows) {
  const std::string raw = Raw(WithEverything());
  for (size_t size = 0; size < raw.size(); ++size) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        ParseRawRecord(0, raw.substr(0, size)).status()))
        << size;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseRawRecord(0, raw + "x").status()));
}

TEST(LogRecordTest, RefusesLengthsThatCannotBe) {
  const struct {
    const char* name;
    const char* hex;
  } kRows[] = {
      {"KeyLengthBelowNull", "0000000000000000fffffffeffffffff00000000"},
      {"KeyLengthTooLarge", "00000000000000007fffffffffffffff00000000"},
      {"ValueLengthTooLarge", "0000000000000000ffffffff7fffffff00000000"},
      {"HeaderCountNegative", "0000000000000000ffffffffffffffffffffffff"},
      {"HeaderCountTooLarge", "0000000000000000ffffffffffffffff7fffffff"},
      {"HeaderNameNull",
       "0000000000000000ffffffffffffffff00000001ffffffff00000000"},
  };
  for (const auto& row : kRows) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        ParseRawRecord(0, absl::HexStringToBytes(row.hex)).status()))
        << row.name;
  }
}

}  // namespace
}  // namespace windproof
