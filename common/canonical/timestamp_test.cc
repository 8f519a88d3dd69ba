#include "common/canonical/timestamp.h"

#include <cmath>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace windproof {
namespace {

// 2026-01-25T12:00:00Z.
constexpr int64_t kNoon = 1'769'342'400;

struct AcceptedCase {
  const char* name;
  const char* text;
  int64_t seconds;
  int32_t nanos;
  const char* canonical;
};

class AcceptedTimestampTest : public testing::TestWithParam<AcceptedCase> {};

TEST_P(AcceptedTimestampTest, HasItsInstantAndCanonicalForm) {
  const AcceptedCase& row = GetParam();
  const auto time = ParseTimestamp(row.text);
  ASSERT_TRUE(time.has_value()) << row.text;
  EXPECT_EQ(time->seconds, row.seconds);
  EXPECT_EQ(time->nanos, row.nanos);
  EXPECT_EQ(FormatTimestamp(*time), row.canonical);
  EXPECT_EQ(ParseTimestamp(row.canonical), time);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AcceptedTimestampTest,
    testing::Values(
        AcceptedCase{"Plain", "2026-01-25T12:00:00Z", kNoon, 0,
                     "2026-01-25T12:00:00Z"},
        AcceptedCase{"LowerCaseT", "2026-01-25t12:00:00Z", kNoon, 0,
                     "2026-01-25T12:00:00Z"},
        AcceptedCase{"LowerCaseZ", "2026-01-25T12:00:00z", kNoon, 0,
                     "2026-01-25T12:00:00Z"},
        AcceptedCase{"PlusOffset", "2026-01-25T13:00:00+01:00", kNoon, 0,
                     "2026-01-25T12:00:00Z"},
        AcceptedCase{"MinusOffset", "2026-01-25T06:15:00-05:45", kNoon, 0,
                     "2026-01-25T12:00:00Z"},
        AcceptedCase{"MinusZeroIsUtc", "2026-01-25T12:00:00-00:00", kNoon, 0,
                     "2026-01-25T12:00:00Z"},
        AcceptedCase{"LargestOffset", "2026-01-26T11:59:00+23:59", kNoon, 0,
                     "2026-01-25T12:00:00Z"},
        AcceptedCase{"OffsetIntoTheDayBefore", "2026-01-01T00:30:00+01:00",
                     1'767'223'800, 0, "2025-12-31T23:30:00Z"},
        AcceptedCase{"Fraction1", "2026-01-25T12:00:00.5Z", kNoon, 500'000'000,
                     "2026-01-25T12:00:00.500Z"},
        AcceptedCase{"Fraction2", "2026-01-25T12:00:00.05Z", kNoon, 50'000'000,
                     "2026-01-25T12:00:00.050Z"},
        AcceptedCase{"Fraction3", "2026-01-25T12:00:00.123Z", kNoon,
                     123'000'000, "2026-01-25T12:00:00.123Z"},
        AcceptedCase{"Fraction4", "2026-01-25T12:00:00.1234Z", kNoon,
                     123'400'000, "2026-01-25T12:00:00.123400Z"},
        AcceptedCase{"Fraction5", "2026-01-25T12:00:00.12345Z", kNoon,
                     123'450'000, "2026-01-25T12:00:00.123450Z"},
        AcceptedCase{"Fraction6", "2026-01-25T12:00:00.123456Z", kNoon,
                     123'456'000, "2026-01-25T12:00:00.123456Z"},
        AcceptedCase{"Fraction7", "2026-01-25T12:00:00.1234567Z", kNoon,
                     123'456'700, "2026-01-25T12:00:00.123456700Z"},
        AcceptedCase{"Fraction8", "2026-01-25T12:00:00.12345678Z", kNoon,
                     123'456'780, "2026-01-25T12:00:00.123456780Z"},
        AcceptedCase{"Fraction9", "2026-01-25T12:00:00.123456789Z", kNoon,
                     123'456'789, "2026-01-25T12:00:00.123456789Z"},
        AcceptedCase{"FractionOfZeros", "2026-01-25T12:00:00.000000000Z", kNoon,
                     0, "2026-01-25T12:00:00Z"},
        AcceptedCase{"OneNanosecond", "2026-01-25T12:00:00.000000001Z", kNoon,
                     1, "2026-01-25T12:00:00.000000001Z"},
        AcceptedCase{"FractionAndOffset", "2026-01-25T13:00:00.25+01:00", kNoon,
                     250'000'000, "2026-01-25T12:00:00.250Z"},
        AcceptedCase{"Longest", "2026-01-25T13:00:00.123456789+01:00", kNoon,
                     123'456'789, "2026-01-25T12:00:00.123456789Z"},
        AcceptedCase{"Epoch", "1970-01-01T00:00:00Z", 0, 0,
                     "1970-01-01T00:00:00Z"},
        AcceptedCase{"BeforeTheEpoch", "1969-12-31T23:59:59.999Z", -1,
                     999'000'000, "1969-12-31T23:59:59.999Z"},
        AcceptedCase{"FirstOfYear0", "0000-01-01T00:00:00Z", kYear0Seconds, 0,
                     "0000-01-01T00:00:00Z"},
        AcceptedCase{"FirstOfYear0ByOffset", "0000-01-01T23:59:00+23:59",
                     kYear0Seconds, 0, "0000-01-01T00:00:00Z"},
        AcceptedCase{"LeapDayOfYear0", "0000-02-29T00:00:00Z",
                     kYear0Seconds + 59 * 86'400, 0, "0000-02-29T00:00:00Z"},
        AcceptedCase{"LastOfYear9999", "9999-12-31T23:59:59.999999999Z",
                     kYear10000Seconds - 1, 999'999'999,
                     "9999-12-31T23:59:59.999999999Z"},
        AcceptedCase{"LastOfYear9999ByOffset", "9999-12-31T00:00:59-23:59",
                     kYear10000Seconds - 1, 0, "9999-12-31T23:59:59Z"},
        AcceptedCase{"LeapDayOf2000", "2000-02-29T12:00:00Z", 951'825'600, 0,
                     "2000-02-29T12:00:00Z"},
        AcceptedCase{"LeapDayOf2024", "2024-02-29T12:00:00Z", 1'709'208'000, 0,
                     "2024-02-29T12:00:00Z"}),
    [](const auto& info) { return info.param.name; });

struct RefusedCase {
  const char* name;
  std::string text;
};

class RefusedTimestampTest : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedTimestampTest, IsNoTimestamp) {
  EXPECT_FALSE(ParseTimestamp(GetParam().text).has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RefusedTimestampTest,
    testing::Values(
        RefusedCase{"Nothing", ""}, RefusedCase{"Word", "yesterday"},
        RefusedCase{"DateAlone", "2026-01-25"},
        RefusedCase{"NoZone", "2026-01-25T12:00:00"},
        RefusedCase{"NoZoneAfterFraction", "2026-01-25T12:00:00.5"},
        RefusedCase{"NoSeconds", "2026-01-25T12:00Z"},
        RefusedCase{"LeadingSpace", " 2026-01-25T12:00:00Z"},
        RefusedCase{"TrailingSpace", "2026-01-25T12:00:00Z "},
        RefusedCase{"TrailingNewline", "2026-01-25T12:00:00Z\n"},
        RefusedCase{"TrailingNul", std::string("2026-01-25T12:00:00Z\0", 21)},
        RefusedCase{"SpaceForT", "2026-01-25 12:00:00Z"},
        RefusedCase{"LeapSecond", "2016-12-31T23:59:60Z"},
        RefusedCase{"Second61", "2026-01-25T12:00:61Z"},
        RefusedCase{"Minute60", "2026-01-25T12:60:00Z"},
        RefusedCase{"Hour24", "2026-01-25T24:00:00Z"},
        RefusedCase{"Month0", "2026-00-25T12:00:00Z"},
        RefusedCase{"Month13", "2026-13-25T12:00:00Z"},
        RefusedCase{"Day0", "2026-01-00T12:00:00Z"},
        RefusedCase{"January32", "2026-01-32T12:00:00Z"},
        RefusedCase{"April31", "2026-04-31T12:00:00Z"},
        RefusedCase{"February29Of2026", "2026-02-29T12:00:00Z"},
        RefusedCase{"February29Of1900", "1900-02-29T12:00:00Z"},
        RefusedCase{"February30Of2024", "2024-02-30T12:00:00Z"},
        RefusedCase{"February29Of0100", "0100-02-29T12:00:00Z"},
        RefusedCase{"EmptyFraction", "2026-01-25T12:00:00.Z"},
        RefusedCase{"Fraction10", "2026-01-25T12:00:00.1234567890Z"},
        RefusedCase{"CommaFraction", "2026-01-25T12:00:00,5Z"},
        RefusedCase{"OffsetHour24", "2026-01-25T12:00:00+24:00"},
        RefusedCase{"OffsetMinute60", "2026-01-25T12:00:00+01:60"},
        RefusedCase{"OffsetWithoutColon", "2026-01-25T12:00:00+0100"},
        RefusedCase{"OffsetHoursAlone", "2026-01-25T12:00:00+01"},
        RefusedCase{"OffsetWithSeconds", "2026-01-25T12:00:00+01:00:00"},
        RefusedCase{"OffsetSignAlone", "2026-01-25T12:00:00+"},
        RefusedCase{"UnicodeMinus", "2026-01-25T12:00:00\u221201:00"},
        RefusedCase{"ZoneAndOffset", "2026-01-25T12:00:00Z+01:00"},
        RefusedCase{"BasicFormat", "20260125T120000Z00000"},
        RefusedCase{"YearOf5Digits", "12026-01-25T12:00:00Z"},
        RefusedCase{"NegativeYear", "-026-01-25T12:00:00Z"},
        RefusedCase{"SignInYear", "+026-01-25T12:00:00Z"},
        RefusedCase{"SpaceInDay", "2026-01- 5T12:00:00Z"},
        RefusedCase{"LetterInMinute", "2026-01-25T12:o0:00Z"},
        RefusedCase{"ArabicDigits", "٢٠٢٦-01-25T12:00:00Z"},
        RefusedCase{"OffsetBeforeYear0", "0000-01-01T00:00:00+00:01"},
        RefusedCase{"OffsetIntoYear10000", "9999-12-31T23:59:59-00:01"},
        RefusedCase{"MillisAsText", "1769342400000"}),
    [](const auto& info) { return info.param.name; });

TEST(TimestampTest, ErrorNamesTheTextAndWhatIsAccepted) {
  const auto time = TimestampFromText("yester\nday");
  ASSERT_TRUE(absl::IsInvalidArgument(time.status()));
  const std::string message(time.status().message());
  EXPECT_NE(message.find("yester\\nday"), std::string::npos) << message;
  EXPECT_NE(message.find("RFC 3339"), std::string::npos) << message;
  // A megabyte of nonsense makes no megabyte of message.
  EXPECT_LT(
      TimestampFromText(std::string(1 << 20, 'x')).status().message().size(),
      size_t{400});
  EXPECT_EQ(TimestampFromText("2026-01-25T12:00:00Z").value(),
            (Timestamp{kNoon, 0}));
}

TEST(TimestampTest, MillisDouble) {
  const struct {
    const char* name;
    double value;
    bool accepted;
    Timestamp time;
  } kRows[] = {
      {"Zero", 0, true, {0, 0}},
      {"MinusZero", -0.0, true, {0, 0}},
      {"OneThousand", 1e3, true, {1, 0}},
      {"MinusOne", -1, true, {-1, 999'000'000}},
      {"Noon", 1'769'342'400'001.0, true, {kNoon, 1'000'000}},
      {"Half", 0.5, false, {}},
      {"MinusHalf", -0.5, false, {}},
      {"Tiny", 5e-324, false, {}},
      {"FirstOfYear0", -62'167'219'200'000.0, true, {kYear0Seconds, 0}},
      {"BeforeYear0", -62'167'219'200'001.0, false, {}},
      {"LastOfYear9999",
       253'402'300'799'999.0,
       true,
       {kYear10000Seconds - 1, 999'000'000}},
      {"Year10000", 253'402'300'800'000.0, false, {}},
      {"Huge", 1e300, false, {}},
      {"MinusHuge", -1e300, false, {}},
      {"Infinity", std::numeric_limits<double>::infinity(), false, {}},
      {"NaN", std::nan(""), false, {}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const auto time = TimestampFromMillisDouble(row.value);
    ASSERT_EQ(time.has_value(), row.accepted);
    if (row.accepted) {
      EXPECT_EQ(*time, row.time);
    }
  }
}

TEST(TimestampTest, FloorMillisRoundsTowardsThePast) {
  EXPECT_EQ(FloorMillis({0, 999'999}), 0);
  EXPECT_EQ(FloorMillis({0, 1'000'000}), 1);
  EXPECT_EQ(FloorMillis({-1, 999'999'999}), -1);
  EXPECT_EQ(FloorMillis({-1, 0}), -1000);
  EXPECT_EQ(TimestampFromMillis(-1), (Timestamp{-1, 999'000'000}));
  EXPECT_EQ(TimestampFromMillis(-1000), (Timestamp{-1, 0}));
  // Beyond the years that have a canonical form.
  EXPECT_EQ(FloorMillis(TimestampFromMillis(300'000'000'000'001)),
            300'000'000'000'001);
}

// Every day of the years 0000 to 9999 against a calendar that just counts.
TEST(TimestampTest, EveryDayAgreesWithACountingCalendar) {
  int64_t seconds = kYear0Seconds;
  for (int year = 0; year <= 9999; ++year) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int days[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
                        31};
    for (int month = 1; month <= 12; ++month) {
      char text[] = "yyyy-mm-ddT23:59:59Z";
      for (int i = 3, rest = year; i >= 0; --i, rest /= 10) {
        text[i] = static_cast<char>('0' + rest % 10);
      }
      text[5] = static_cast<char>('0' + month / 10);
      text[6] = static_cast<char>('0' + month % 10);
      for (int day = 1; day <= 31; ++day) {
        text[8] = static_cast<char>('0' + day / 10);
        text[9] = static_cast<char>('0' + day % 10);
        const auto time = ParseTimestamp(text);
        ASSERT_EQ(time.has_value(), day <= days[month - 1]) << text;
        if (!time.has_value()) continue;
        ASSERT_EQ(time->seconds, seconds + 86'399) << text;
        ASSERT_EQ(FormatTimestamp(*time), text);
        seconds += 86'400;
      }
    }
  }
  EXPECT_EQ(seconds, kYear10000Seconds);
}

rc::Gen<Timestamp> AnyTimestamp() {
  return rc::gen::construct<Timestamp>(
      rc::gen::inRange<int64_t>(kYear0Seconds, kYear10000Seconds),
      rc::gen::oneOf(rc::gen::inRange<int32_t>(0, 1'000'000'000),
                     rc::gen::map(rc::gen::inRange<int32_t>(0, 1000),
                                  [](int32_t ms) { return ms * 1'000'000; })));
}

RC_GTEST_PROP(TimestampPropertyTest, FormatThenParseIsTheSame, ()) {
  const Timestamp time = *AnyTimestamp();
  const std::string text = FormatTimestamp(time);
  RC_ASSERT(ParseTimestamp(text) == time);
  RC_ASSERT(FloorMillis(time) <= time.seconds * 1000 + 999);
}

RC_GTEST_PROP(TimestampPropertyTest, OrderOfTextsWithoutFractionIsOrderOfTimes,
              ()) {
  Timestamp a = *AnyTimestamp();
  Timestamp b = *AnyTimestamp();
  a.nanos = b.nanos = 0;
  RC_ASSERT((FormatTimestamp(a) < FormatTimestamp(b)) == (a < b));
}

// Whatever the bytes, and whatever one changes in a timestamp: no crash, and
// what is accepted has a canonical form of the same instant.
RC_GTEST_PROP(TimestampPropertyTest, ChangedTextsAreRefusedOrSound, ()) {
  std::string text = FormatTimestamp(*AnyTimestamp());
  const int changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes; ++i) {
    const auto at = *rc::gen::inRange<size_t>(0, text.size());
    text[at] = *rc::gen::oneOf(rc::gen::element('0', '9', '+', '-', ':', 'Z'),
                               rc::gen::arbitrary<char>());
  }
  const auto time = ParseTimestamp(text);
  if (time.has_value())
    RC_ASSERT(ParseTimestamp(FormatTimestamp(*time)) == time);
}

}  // namespace
}  // namespace windproof
