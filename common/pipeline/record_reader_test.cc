#include "common/pipeline/record_reader.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/testing/read_records.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using Kind = RecordReader::Kind;

TEST(RecordReaderTest, ReadsTheWorkedExample) {
  struct Row {
    const char* value;
    const char* canonical;
  };
  const Row rows[] = {
      {R"({"station_id": "00433", "timestamp": "2026-01-25T12:00:00Z", "humidity": 81, "temperature": 3.1})",
       R"({"humidity":81,"station_id":"00433","temperature":3.1,"timestamp":"2026-01-25T12:00:00Z"})"},
      {R"({"station_id": "00433", "timestamp": "2026-01-25T12:20:00Z", "quality": 3, "temperature": 3.9})",
       R"({"station_id":"00433","temperature":3.9,"timestamp":"2026-01-25T12:20:00Z"})"},
      {R"({"station_id": "00433", "timestamp": "2026-01-25T13:10:00+01:00", "temperature": 3.45})",
       R"({"station_id":"00433","temperature":3.45,"timestamp":"2026-01-25T12:10:00Z"})"},
      {R"({"station_id": "00433", "timestamp": "2026-01-25t12:20:00.000z", "temperature": 3.9})",
       R"({"station_id":"00433","temperature":3.9,"timestamp":"2026-01-25T12:20:00Z"})"},
      {R"({"station_id": "00433", "timestamp": "yesterday", "temperature": 1})",
       "not canonical"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Canonical(row.value), row.canonical);
  }
}

TEST(RecordReaderTest, ResultHasEverything) {
  RecordReader reader(Weather());
  const std::string value = With(R"("temperature":-3.45,"humidity":81)");
  const RecordReader::Result& result = reader.Read(Record(value));
  ASSERT_EQ(result.kind, Kind::kCanonical);
  EXPECT_EQ(result.key, "00433");
  EXPECT_EQ(result.time, (Timestamp{1'769'342'400, 0}));
  EXPECT_EQ(result.window_start_ms, 1'769'342'400'000);
  ASSERT_NE(result.aggregated, nullptr);
  EXPECT_TRUE(result.aggregated[0].present);
  EXPECT_EQ(result.aggregated[0].number, -3.45);
  EXPECT_EQ(result.aggregated[0].nanounits, Nanounits(-3'450'000'000));

  // Nothing of it stays for the next one.
  EXPECT_FALSE(reader.Read(Record(kMinimal)).aggregated[0].present);
}

TEST(RecordReaderTest, MessageKeyMustBeUsable) {
  const std::string longest(128, 'k');
  const std::string too_long(129, 'k');
  std::string umlauts;  // 128 bytes
  for (int i = 0; i < 64; ++i) umlauts += "ü";
  struct Row {
    const char* name;
    absl::string_view key;
    bool usable;
  };
  const Row rows[] = {
      {"OneByte", "k", true},
      {"Space", " ", true},
      {"Quotes", "\"\\", true},
      {"Longest", longest, true},
      {"LongestUmlauts", umlauts, true},
      {"Noncharacter", "\xef\xbf\xbf", true},
      {"C1ControlsAreText", "\xc2\x80", true},
      {"Empty", "", false},
      {"TooLong", too_long, false},
      {"Nul", absl::string_view("\0", 1), false},
      {"Tab", "a\tb", false},
      {"UnitSeparator", "\x1f", false},
      {"Delete", "\x7f", false},
      {"NotUtf8", "\xff", false},
      {"Overlong", "\xc0\xaf", false},
      {"Surrogate", "\xed\xa0\x80", false},
      {"CutOff", "\xc3", false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(IsUsableKey(row.key), row.usable);
    LogRecord record = Record(R"({"timestamp":"2026-01-25T12:00:00Z"})");
    record.key = row.key;
    EXPECT_EQ(KindOf(record), row.usable ? Kind::kCanonical : Kind::kOther);
    // Before all else: also for a control record.
    record.value = "2026-01-25T12:00:00Z";
    record.headers = {{kControlHeader, kControlWatermark}};
    EXPECT_EQ(KindOf(record), row.usable ? Kind::kControl : Kind::kOther);
  }
}

TEST(RecordReaderTest, ControlRecordHasItsTime) {
  RecordReader reader(Weather());
  const LogRecord record = ControlRecord("2026-01-25T16:00:00.5+01:00");
  const RecordReader::Result& result = reader.Read(record);
  EXPECT_EQ(result.kind, Kind::kControl);
  EXPECT_EQ(result.key, "00433");
  EXPECT_EQ(result.time, (Timestamp{1'769'353'200, 500'000'000}));
}

TEST(RecordReaderTest, ControlRecordsFollowTheirRules) {
  struct Row {
    const char* name;
    std::vector<LogRecord::Header> headers;
    std::optional<absl::string_view> value;
    Kind kind;
  };
  const LogRecord::Header control = {kControlHeader, kControlWatermark};
  constexpr absl::string_view kTime = "2026-01-25T12:00:00Z";
  const Row rows[] = {
      {"Plain", {control}, kTime, Kind::kControl},
      {"OtherHeadersBeside",
       {{"a", "b"}, control, {"c", {}}},
       kTime,
       Kind::kControl},
      {"NameIsCaseSensitive",
       {{"Windproof-Control", "watermark"}},
       kMinimal,
       Kind::kCanonical},
      {"OtherHeaderOnly", {{"a", "watermark"}}, kMinimal, Kind::kCanonical},
      {"Twice", {control, control}, kTime, Kind::kInvalid},
      {"OtherWord", {{kControlHeader, "Watermark"}}, kTime, Kind::kInvalid},
      {"NullHeader", {{kControlHeader, std::nullopt}}, kTime, Kind::kInvalid},
      {"EmptyHeader", {{kControlHeader, ""}}, kTime, Kind::kInvalid},
      {"NullValue", {control}, std::nullopt, Kind::kInvalid},
      {"SpaceAround", {control}, "2026-01-25T12:00:00Z ", Kind::kInvalid},
      {"InQuotes", {control}, "\"2026-01-25T12:00:00Z\"", Kind::kInvalid},
      {"Milliseconds", {control}, "1769342400000", Kind::kInvalid},
      {"GoodRecordWithHeader", {control}, kMinimal, Kind::kInvalid},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    LogRecord record = Record(kTime);
    record.headers = row.headers;
    record.value = row.value;
    EXPECT_EQ(KindOf(record), row.kind);
    record.key = std::nullopt;
    if (row.kind != Kind::kCanonical) {
      EXPECT_EQ(KindOf(record), Kind::kOther);
    }
  }
}

TEST(RecordReaderTest, ControlTimeIsBoundByTheLogTime) {
  LogRecord record = ControlRecord("2026-01-25T12:05:00Z");
  record.log_time_ms = 1'769'342'400'000;  // 12:00
  EXPECT_EQ(KindOf(record), Kind::kControl);
  record.value = "2026-01-25T12:05:00.000000001Z";
  EXPECT_EQ(KindOf(record), Kind::kInvalid);
  record.value = "1960-01-01T00:00:00Z";
  record.log_time_ms = 0;
  EXPECT_EQ(KindOf(record), Kind::kControl);
  record.log_time_ms = -1;
  EXPECT_EQ(KindOf(record), Kind::kInvalid);
}

TEST(RecordReaderTest, ControlTimeNeedsNoWindowThatFits) {
  LogRecord record = ControlRecord("9999-12-31T23:59:59.999999999Z");
  record.log_time_ms = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(KindOf(record), Kind::kControl);
}

TEST(RecordReaderTest, KeyComesFromTheValueWithoutMessageKey) {
  struct Row {
    const char* name;
    std::optional<absl::string_view> value;
    Kind kind;
    absl::string_view key;
  };
  const Row rows[] = {
      {"Plain", kMinimal, Kind::kCanonical, "00433"},
      {"Escaped",
       R"({"station_id":"\u0030043\u0033","timestamp":"2026-01-25T12:00:00Z"})",
       Kind::kCanonical, "00433"},
      {"NameEscaped",
       R"({"st\u0061tion_id":"00433","timestamp":"2026-01-25T12:00:00Z"})",
       Kind::kCanonical, "00433"},
      {"BadTimeIsTheKeys", R"({"station_id":"00433","timestamp":"no"})",
       Kind::kInvalid, "00433"},
      {"Null", std::nullopt, Kind::kOther, ""},
      {"NoObject", "[]", Kind::kOther, ""},
      {"BadJson", R"({"station_id":"00433",})", Kind::kOther, ""},
      {"Missing", R"({"timestamp":"2026-01-25T12:00:00Z"})", Kind::kOther, ""},
      {"NullField", R"({"station_id":null})", Kind::kOther, ""},
      {"Number", R"({"station_id":433})", Kind::kOther, ""},
      {"Empty", R"({"station_id":""})", Kind::kOther, ""},
      {"Control", R"({"station_id":"a\tb"})", Kind::kOther, ""},
      {"Deeper", R"({"a":{"station_id":"00433"}})", Kind::kOther, ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    LogRecord record = Record("");
    record.key = std::nullopt;
    record.value = row.value;
    EXPECT_EQ(KindOf(record), row.kind);
    RecordReader reader(Weather());
    const RecordReader::Result& result = reader.Read(record);
    EXPECT_EQ(result.key, row.key);
    if (row.kind == Kind::kCanonical) {
      EXPECT_EQ(result.canonical, kMinimal);
    }
  }
}

TEST(RecordReaderTest, MessageKeyAndKeyFieldMustAgree) {
  constexpr absl::string_view kTime = R"("timestamp":"2026-01-25T12:00:00Z"})";
  struct Row {
    const char* name;
    const char* field;
    Kind kind;
  };
  const Row rows[] = {
      {"Equal", R"({"station_id":"00433",)", Kind::kCanonical},
      {"EqualEscaped", R"({"station_id":"\u00300433",)", Kind::kCanonical},
      {"Missing", R"({)", Kind::kCanonical},
      {"Null", R"({"station_id":null,)", Kind::kCanonical},
      {"Different", R"({"station_id":"00427",)", Kind::kInvalid},
      {"Prefix", R"({"station_id":"0043",)", Kind::kInvalid},
      {"Number", R"({"station_id":433,)", Kind::kInvalid},
      {"True", R"({"station_id":true,)", Kind::kInvalid},
      {"Object", R"({"station_id":{},)", Kind::kInvalid},
      {"Array", R"({"station_id":["00433"],)", Kind::kInvalid},
      {"Empty", R"({"station_id":"",)", Kind::kInvalid},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string value = absl::StrCat(row.field, kTime);
    EXPECT_EQ(KindOf(Record(value)), row.kind);
    EXPECT_EQ(Canonical(value),
              row.kind == Kind::kCanonical ? kMinimal : "not canonical");
  }
}

TEST(RecordReaderTest, ValueMustBeOneStrictObject) {
  std::string deepest = R"("u":)";
  std::string too_deep = R"("u":)";
  deepest += std::string(63, '[') + std::string(63, ']');
  too_deep += std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(KindOf(Record(With(deepest))), Kind::kCanonical);
  EXPECT_EQ(KindOf(Record(With(R"("u":1e-999)"))), Kind::kCanonical);
  EXPECT_EQ(KindOf(Record(With("\"u\":\"\xef\xbf\xbf\""))), Kind::kCanonical);
  EXPECT_EQ(KindOf(Record(absl::StrCat(" \t\r\n", kMinimal, "\n"))),
            Kind::kCanonical);

  LogRecord null = Record("");
  null.value = std::nullopt;
  EXPECT_EQ(KindOf(null), Kind::kInvalid);
  const std::string bad[] = {
      "",
      " ",
      "null",
      "[]",
      "\"text\"",
      "1",
      "{",
      "{}",
      With(R"("u":1e999)"),
      With(R"("u":NaN)"),
      With(R"("u":"\ud800")"),
      With(R"("u":1,"u":1)"),
      With(R"("u":1,"\u0075":1)"),
      With(R"("u":{"a":1,"a":2})"),
      With(R"("station_id":"00433")"),
      With(too_deep),
      With("\"u\":\"\xff\""),
      absl::StrCat("\xef\xbb\xbf", kMinimal),
      absl::StrCat(kMinimal, "x"),
      absl::StrCat(kMinimal, kMinimal),
      absl::StrCat(kMinimal, absl::string_view("\0", 1)),
      absl::StrCat("[", kMinimal, "]"),
      std::string(100'000, '['),
  };
  for (const std::string& value : bad) {
    SCOPED_TRACE(value.substr(0, 200));
    EXPECT_EQ(KindOf(Record(value)), Kind::kInvalid);
  }
}

TEST(RecordReaderTest, TimestampIsBoundByTheLogTime) {
  struct Row {
    const char* name;
    int64_t log_time_ms;
    const char* timestamp;
    Kind kind;
  };
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  const Row rows[] = {
      {"AtTheSkew", 1'769'342'400'000, R"("2026-01-25T12:05:00Z")",
       Kind::kCanonical},
      {"OneNanosecondMore", 1'769'342'400'000,
       R"("2026-01-25T12:05:00.000000001Z")", Kind::kInvalid},
      {"OneMillisecondLess", 1'769'342'400'000,
       R"("2026-01-25T12:04:59.999999999Z")", Kind::kCanonical},
      {"LogTimeZero", 0, "300000", Kind::kCanonical},
      {"LogTimeZeroBeyond", 0, "300001", Kind::kInvalid},
      {"NegativeLogTime", -1, "-1000000", Kind::kInvalid},
      {"LowestLogTime", kMin, "-1000000", Kind::kInvalid},
      {"HighestLogTime", kMax, R"("9999-12-31T22:59:59Z")", Kind::kCanonical},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string value = At(row.timestamp);
    LogRecord record = Record(value);
    record.log_time_ms = row.log_time_ms;
    EXPECT_EQ(KindOf(record), row.kind);
  }
}

TEST(RecordReaderTest, WindowMustLieWithinTheYears) {
  PipelineSpec week = Weather();
  week.window_ms = int64_t{7} * 24 * 3600 * 1000;
  LogRecord record = Record("");
  record.log_time_ms = std::numeric_limits<int64_t>::max();
  struct Row {
    const char* timestamp;
    Kind hour;
    Kind week;
  };
  const Row rows[] = {
      // Epoch-aligned weeks begin on Thursdays; 0000-01-01 is a Saturday.
      {R"("0000-01-01T00:00:00Z")", Kind::kCanonical, Kind::kInvalid},
      {R"("0000-01-05T23:59:59Z")", Kind::kCanonical, Kind::kInvalid},
      {R"("0000-01-06T00:00:00Z")", Kind::kCanonical, Kind::kCanonical},
      {R"("9999-12-29T23:59:59Z")", Kind::kCanonical, Kind::kCanonical},
      {R"("9999-12-30T00:00:00Z")", Kind::kCanonical, Kind::kInvalid},
      {R"("9999-12-31T22:59:59.999999999Z")", Kind::kCanonical, Kind::kInvalid},
      {R"("9999-12-31T23:00:00Z")", Kind::kInvalid, Kind::kInvalid},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.timestamp);
    const std::string value = At(row.timestamp);
    record.value = value;
    EXPECT_EQ(KindOf(Weather(), record), row.hour);
    EXPECT_EQ(KindOf(week, record), row.week);
  }
}

TEST(RecordReaderTest, WindowStartRoundsDownAlsoBelowZero) {
  struct Row {
    const char* name;
    Timestamp time;
    int64_t window_ms;
    int64_t start_ms;
  };
  const Row rows[] = {
      {"Epoch", {0, 0}, 60'000, 0},
      {"LastOfAWindow", {59, 999'999'999}, 60'000, 0},
      {"BoundaryOpensTheNext", {60, 0}, 60'000, 60'000},
      {"BeforeEpochRoundsDown", {-1, 999'999'999}, 60'000, -60'000},
      {"BoundaryBeforeEpoch", {-60, 0}, 60'000, -60'000},
      {"JustBeforeThat", {-61, 999'999'999}, 60'000, -120'000},
      {"SmallestWindow", {-1, 999'999'999}, 1, -1},
      {"Year0", {kYear0Seconds, 0}, 3'600'000, kYear0Seconds * 1000},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(WindowStartMs(row.time, row.window_ms), row.start_ms) << row.name;
  }
}

TEST(RecordReaderTest, WindowFitsBetweenItsBounds) {
  constexpr int64_t kFirst = kYear0Seconds * 1000;
  constexpr int64_t kEnd = kYear10000Seconds * 1000;
  EXPECT_TRUE(WindowFits(kFirst, 1));
  EXPECT_FALSE(WindowFits(kFirst - 1, 1));
  EXPECT_TRUE(WindowFits(kEnd - 2, 1));
  EXPECT_FALSE(WindowFits(kEnd - 1, 1));
  EXPECT_FALSE(WindowFits(std::numeric_limits<int64_t>::max(), kMaxDurationMs));
  EXPECT_FALSE(WindowFits(std::numeric_limits<int64_t>::min(), kMaxDurationMs));
}

TEST(RecordReaderTest, ExplainNamesFieldValueAndWhatIsAccepted) {
  RecordReader reader(Weather());
  const auto problem = [&reader](const LogRecord& record) {
    const std::optional<RecordProblem> found = reader.Explain(record);
    return found.has_value() ? absl::StrCat(found->field, "|", found->found,
                                            "|", found->accepted)
                             : "none";
  };
  EXPECT_EQ(problem(Record(kMinimal)), "none");
  EXPECT_EQ(problem(Record(At("\"yesterday\""))),
            "timestamp|\"yesterday\"|RFC 3339 text with seconds, up to 9 "
            "fraction digits and Z or an offset, or whole milliseconds since "
            "the epoch, within the years 0000 to 9999");
  EXPECT_EQ(problem(Record(R"({"station_id":"00427"})")),
            "station_id|\"00427\"|the message key, which is \"00433\", or no "
            "such field");
  EXPECT_EQ(problem(Record(At("\"2030-01-01T00:00:00Z\""))),
            "timestamp|2030-01-01T00:00:00Z|at most 300000 ms (future_skew_ms) "
            "past the log time, which is 2026-02-01T00:00:00Z");
  EXPECT_EQ(problem(ControlRecord("2030-01-01T00:00:00Z")),
            "value|2030-01-01T00:00:00Z|at most 300000 ms (future_skew_ms) "
            "past the log time, which is 2026-02-01T00:00:00Z");
  LogRecord record = Record(kMinimal);
  record.log_time_ms = -5;
  EXPECT_EQ(problem(record),
            "log time|-5|milliseconds since the epoch, not negative");
  record.key = "a\tb\x1b";
  EXPECT_EQ(problem(record),
            "message key|\"a\\tb\\x1b\"|1 to 128 bytes of UTF-8 without "
            "control characters");
  EXPECT_TRUE(absl::StartsWith(
      problem(Record(R"({"a":1,"a":2})")),
      R"(value|"{\"a\":1,\"a\":2}"|one JSON object (I-JSON); )"));
  // Shortened, and no control character reaches a terminal.
  const std::string long_value(10'000, '\x1b');
  EXPECT_LT(problem(Record(long_value)).size(), 600u);
  EXPECT_FALSE(absl::StrContains(problem(Record(long_value)), "\x1b"));
}

}  // namespace
}  // namespace windproof
