#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/testing/read_records.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using Kind = RecordReader::Kind;

TEST(CanonicalRecordTest, KeyIsQuotedInTheCanonicalRecord) {
  LogRecord record = Record(R"({"timestamp":"2026-01-25T12:00:00Z"})");
  record.key = R"(a"\/ü)";
  RecordReader reader(Weather());
  EXPECT_EQ(reader.Read(record).canonical,
            R"({"station_id":"a\"\\/ü","timestamp":"2026-01-25T12:00:00Z"})");
}

TEST(CanonicalRecordTest, TimestampsBecomeCanonical) {
  struct Row {
    const char* timestamp;
    const char* canonical;  // nullptr: invalid
  };
  const Row rows[] = {
      {R"("2026-01-25T12:00:00Z")", "2026-01-25T12:00:00Z"},
      {R"("2026-01-25t12:00:00z")", "2026-01-25T12:00:00Z"},
      {R"("2026-01-25T12:00:00+00:00")", "2026-01-25T12:00:00Z"},
      {R"("2026-01-25T12:00:00-00:00")", "2026-01-25T12:00:00Z"},
      {R"("2026-01-25T11:00:00-01:00")", "2026-01-25T12:00:00Z"},
      {R"("2026-01-25T12:00:00.000000000Z")", "2026-01-25T12:00:00Z"},
      {R"("2026-01-25T12:00:00.1Z")", "2026-01-25T12:00:00.100Z"},
      {R"("2026-01-25T12:00:00.0000010Z")", "2026-01-25T12:00:00.000001Z"},
      {R"("2026-01-25T12:00:00.000000001Z")", "2026-01-25T12:00:00.000000001Z"},
      {R"("2026-01-25\u005412:00:00Z")", "2026-01-25T12:00:00Z"},
      {"1769342400000", "2026-01-25T12:00:00Z"},
      {"1769342400001", "2026-01-25T12:00:00.001Z"},
      {"1.7693424e12", "2026-01-25T12:00:00Z"},
      {"1769342400000.0", "2026-01-25T12:00:00Z"},
      {"-1", "1969-12-31T23:59:59.999Z"},
      {"-0", "1970-01-01T00:00:00Z"},
      {"1e-999", "1970-01-01T00:00:00Z"},
      {"-62167219200000", "0000-01-01T00:00:00Z"},
      {"-62167219200001", nullptr},
      {"1769342400000.5", nullptr},
      {"1e300", nullptr},
      {R"("1769342400000")", nullptr},
      {R"("2026-01-25T12:00:00")", nullptr},
      {R"("2026-01-25 12:00:00Z")", nullptr},
      {R"("2026-02-29T12:00:00Z")", nullptr},
      {R"("2026-01-25T23:59:60Z")", nullptr},
      {R"(" 2026-01-25T12:00:00Z")", nullptr},
      {R"("2026-01-25T12:00:00Z\n")", nullptr},
      {R"("")", nullptr},
      {"null", nullptr},
      {"true", nullptr},
      {"[]", nullptr},
      {"{}", nullptr},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.timestamp);
    const std::string value = At(row.timestamp);
    EXPECT_EQ(KindOf(Record(value)),
              row.canonical == nullptr ? Kind::kInvalid : Kind::kCanonical);
    EXPECT_EQ(Canonical(value),
              row.canonical == nullptr
                  ? "not canonical"
                  : At(absl::StrCat("\"", row.canonical, "\"")));
  }
  EXPECT_EQ(KindOf(Record(R"({"station_id":"00433"})")), Kind::kInvalid);
}

TEST(CanonicalRecordTest, KeepsOnlyFieldsOfTheirType) {
  PipelineSpec spec = Weather();
  spec.fields = {{"b", FieldType::kBoolean},
                 {"n", FieldType::kNumber},
                 {"s", FieldType::kString}};
  spec.aggregated = {};
  struct Row {
    const char* member;
    const char* kept;
  };
  const Row rows[] = {
      {R"("b":true)", R"("b":true,)"},
      {R"("b":false)", R"("b":false,)"},
      {R"("b":"true")", ""},
      {R"("b":1)", ""},
      {R"("b":null)", ""},
      {R"("n":1)", R"("n":1,)"},
      {R"("n":"1")", ""},
      {R"("n":true)", ""},
      {R"("n":null)", ""},
      {R"("n":[1])", ""},
      {R"("n":{"n":1})", ""},
      {R"("\u006e":1)", R"("n":1,)"},
      {R"("N":1)", ""},
      {R"("s":"")", R"("s":"",)"},
      {R"("s":"ü\u00fc\/\u0001\u20ac\n\"")", R"("s":"üü/\u0001€\n\"",)"},
      {R"("s":1)", ""},
      {R"("s":null)", ""},
      {R"("s":[])", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.member);
    // Before and after station_id, as b, n, s sort.
    std::string expected(kMinimal);
    const bool first = row.member[1] != 's';
    if (first) {
      expected.insert(1, row.kept);
    } else {
      expected.insert(expected.find("\"station_id"), row.kept);
    }
    EXPECT_EQ(Canonical(spec, With(row.member)), expected);
  }
}

TEST(CanonicalRecordTest, NumbersBecomeCanonical) {
  struct Row {
    const char* number;
    const char* canonical;
  };
  const Row rows[] = {
      {"3.90", "3.9"},
      {"-0", "0"},
      {"-0.000", "0"},
      {"1e20", "100000000000000000000"},
      {"1e21", "1e+21"},
      {"0.1e-6", "1e-7"},
      {"0.000001", "0.000001"},
      {"1E2", "100"},
      {"123456789012345678", "123456789012345680"},
      {"1e-999", "0"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"5e-324", "5e-324"},
  };
  for (const Row& row : rows) {
    const std::string expected = absl::StrFormat(
        R"({"pressure":%s,"station_id":"00433","timestamp":"2026-01-25T12:00:00Z"})",
        row.canonical);
    EXPECT_EQ(Canonical(With(absl::StrCat(R"("pressure":)", row.number))),
              expected);
  }
}

TEST(CanonicalRecordTest, AggregatedNumbersAreBelow1e15) {
  struct Row {
    const char* number;
    bool kept;
    double value;
    Nanounits nanounits;
  };
  constexpr int64_t kNano = 1'000'000'000;
  const Row rows[] = {
      {"0", true, 0, 0},
      {"-0", true, 0, 0},
      {"3.1", true, 3.1, 3'100'000'000},
      {"-1.25", true, -1.25, -1'250'000'000},
      {"0.1234567894", true, 0.1234567894, 123'456'789},
      {"0.1234567895", true, 0.1234567895, 123'456'790},
      {"0.1234567885", true, 0.1234567885, 123'456'788},
      {"1e-9", true, 1e-9, 1},
      {"5e-10", true, 5e-10, 0},
      {"1.5e-9", true, 1.5e-9, 2},
      {"1e-320", true, 1e-320, 0},
      {"123456.123456789", true, 123456.123456789, 123'456'123'456'789},
      {"99999999999999.9", true, 99999999999999.9,
       Nanounits(999'999'999'999'999) * 100'000'000},
      {"999999999999999", true, 999999999999999.0,
       Nanounits(999'999'999'999'999) * kNano},
      {"-999999999999999.9", true, -999999999999999.9,
       Nanounits(-9'999'999'999'999'999) * 100'000'000},
      {"999999999999999.99", false, 0, 0},  // the double 10^15
      {"1e15", false, 0, 0},
      {"-1e15", false, 0, 0},
      {"1000000000000000", false, 0, 0},
      {"1e300", false, 0, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.number);
    RecordReader reader(Weather());
    const std::string value =
        With(absl::StrCat(R"("temperature":)", row.number));
    const RecordReader::Result& result = reader.Read(Record(value));
    ASSERT_EQ(result.kind, Kind::kCanonical);
    EXPECT_EQ(absl::StrContains(result.canonical, "temperature"), row.kept);
    EXPECT_EQ(result.aggregated[0].present, row.kept);
    if (!row.kept) {
      EXPECT_EQ(result.canonical, kMinimal);
      continue;
    }
    EXPECT_EQ(result.aggregated[0].number, row.value);
    EXPECT_EQ(result.aggregated[0].nanounits, row.nanounits);
  }
  // The bound is that of aggregated fields alone.
  EXPECT_TRUE(absl::StrContains(Canonical(With(R"("pressure":1e15)")),
                                "1000000000000000"));
}

TEST(CanonicalRecordTest, MembersAreInUtf16Order) {
  PipelineSpec spec = Weather();
  spec.key_field = "\xef\xbf\xbd";            // U+FFFD
  spec.timestamp_field = "\xf0\x9f\x98\x80";  // U+1F600: D83D DE00
  spec.fields = {{"\"", FieldType::kNumber},
                 {"", FieldType::kNumber},
                 {"ü", FieldType::kNumber}};
  spec.aggregated = {};
  RecordReader reader(spec);
  const std::string value =
      "{\"ü\":1,\"\xf0\x9f\x98\x80\":0,\"\\\"\":2,\"\":3}";
  EXPECT_EQ(reader.Read(Record(value)).canonical,
            "{\"\":3,\"\\\"\":2,\"ü\":1,\"\xf0\x9f\x98\x80\":"
            "\"1970-01-01T00:00:00Z\",\"\xef\xbf\xbd\":\"00433\"}");
}

TEST(CanonicalRecordTest, AggregatedAreInTheOrderOfTheSpec) {
  PipelineSpec spec = Weather();
  spec.aggregated = {"dew_point", "pressure", "temperature"};
  RecordReader reader(spec);
  const std::string value = With(R"("temperature":1,"dew_point":2)");
  const RecordReader::Result& result = reader.Read(Record(value));
  EXPECT_EQ(result.aggregated[0].number, 2);
  EXPECT_FALSE(result.aggregated[1].present);
  EXPECT_EQ(result.aggregated[2].number, 1);
}

TEST(CanonicalRecordTest, ManyMembersAndManyFieldsFindTheirPlace) {
  PipelineSpec spec = Weather();
  spec.aggregated = {};
  std::string value(kMinimal.substr(0, kMinimal.size() - 1));
  std::string expected = "{";
  for (int i = 0; i < 500; ++i) {
    const std::string name = absl::StrFormat("f%03d", 499 - i);
    spec.fields[name] = FieldType::kNumber;
    absl::StrAppend(&value, ",\"", name, "\":", i, ",\"unknown", i, "\":[]");
    absl::StrAppend(&expected, "\"", absl::StrFormat("f%03d", i),
                    "\":", 499 - i, ",");
  }
  value += "}";
  absl::StrAppend(&expected, kMinimal.substr(1));
  EXPECT_EQ(Canonical(spec, value), expected);
}

TEST(CanonicalRecordTest, FieldOrderMayChangeFromRecordToRecord) {
  RecordReader reader(Weather());
  const std::string values[] = {
      With(R"("humidity":1,"pressure":2)"),
      R"({"pressure":2,"timestamp":"2026-01-25T12:00:00Z","humidity":1})",
      R"({"x":0,"humidity":1,"y":[{"humidity":7}],"timestamp":1769342400000,"station_id":"00433","pressure":2})",
  };
  for (int round = 0; round < 2; ++round) {
    for (const std::string& value : values) {
      EXPECT_EQ(
          reader.Read(Record(value)).canonical,
          R"({"humidity":1,"pressure":2,"station_id":"00433","timestamp":"2026-01-25T12:00:00Z"})");
    }
  }
}

TEST(CanonicalRecordTest, ReadsCanonicalRecordsBack) {
  RecordReader reader(Weather());
  RecordReader::Result result;
  const std::string canonical =
      R"({"humidity":81,"station_id":"00433","temperature":3.1,"timestamp":"2026-01-25T12:00:00Z"})";
  ASSERT_TRUE(reader.ReadCanonical("00433", canonical, &result));
  EXPECT_EQ(result.key, "00433");
  EXPECT_EQ(result.canonical, canonical);
  EXPECT_EQ(result.time, (Timestamp{1'769'342'400, 0}));
  EXPECT_EQ(result.aggregated[0].number, 3.1);
  // The log time that a record once had is not known here.
  EXPECT_TRUE(reader.ReadCanonical(
      "k", R"({"station_id":"k","timestamp":"9999-12-31T22:00:00Z"})",
      &result));

  const std::string others[] = {
      "",
      "{}",
      canonical + " ",
      R"({"humidity":81,"station_id":"00433","temperature":3.10,"timestamp":"2026-01-25T12:00:00Z"})",
      R"({"humidity":81,"station_id":"00433","timestamp":"2026-01-25T12:00:00Z","temperature":3.1})",
      R"({"humidity":81,"other":1,"station_id":"00433","timestamp":"2026-01-25T12:00:00Z"})",
      R"({"station_id":"00433","timestamp":"2026-01-25T12:00:00.000Z"})",
      R"({"station_id":"00433","timestamp":1769342400000})",
      R"({"station_id":"00427","timestamp":"2026-01-25T12:00:00Z"})",
      R"({"timestamp":"2026-01-25T12:00:00Z"})",
  };
  for (const std::string& other : others) {
    EXPECT_FALSE(reader.ReadCanonical("00433", other, &result)) << other;
  }
  EXPECT_FALSE(reader.ReadCanonical("", kMinimal, &result));
}

}  // namespace
}  // namespace windproof
