#include "common/canonical/number.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "double-conversion/double-conversion.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace windproof {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string CanonicalNumber(double value) {
  std::string text;
  AppendCanonicalNumber(value, &text);
  return text;
}

std::string CanonicalNumberText(absl::string_view text) {
  std::string canonical;
  AppendCanonicalNumberText(text, &canonical);
  return canonical;
}

// Two other implementations, by other authors.
std::string ReferenceForm(double value) {
  char buffer[64];
  double_conversion::StringBuilder builder(buffer, sizeof(buffer));
  double_conversion::DoubleToStringConverter::EcmaScriptConverter().ToShortest(
      value, &builder);
  const std::string text = builder.Finalize();
  return text == "-0" ? "0" : text;
}

double ReferenceNumber(const std::string& text) {
  const double_conversion::StringToDoubleConverter converter(0, 0, 0, nullptr,
                                                             nullptr);
  int used = 0;
  return converter.StringToDouble(text.data(), static_cast<int>(text.size()),
                                  &used);
}

struct TextCase {
  const char* name;
  std::string text;
  std::string canonical;
};

class NumberTextTest : public testing::TestWithParam<TextCase> {};

TEST_P(NumberTextTest, HasItsCanonicalForm) {
  EXPECT_EQ(CanonicalNumberText(GetParam().text), GetParam().canonical);
  EXPECT_EQ(CanonicalNumberText(GetParam().canonical), GetParam().canonical);
  EXPECT_EQ(CanonicalNumber(NumberFromText(GetParam().text)),
            GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, NumberTextTest,
    testing::Values(
        TextCase{"Zero", "0", "0"}, TextCase{"MinusZero", "-0", "0"},
        TextCase{"MinusZeroPoint", "-0.0", "0"},
        TextCase{"MinusZeroExponent", "-0e5", "0"},
        TextCase{"ManyZeros", "0.0000000000000000000000000", "0"},
        TextCase{"ZeroHugeExponent", "0e99999999999999999999", "0"},
        TextCase{"TrailingZero", "3.90", "3.9"},
        TextCase{"WholeWithPoint", "10.0", "10"},
        TextCase{"MinusWholeWithPoint", "-10.00", "-10"},
        TextCase{"MinusDecimal", "-1.25", "-1.25"},
        TextCase{"MinusTenths", "-0.5", "-0.5"},
        TextCase{"FifteenDigits", "999999999999999", "999999999999999"},
        TextCase{"SixteenDigits", "9999999999999999", "10000000000000000"},
        TextCase{"FifteenDecimals", "0.12345678901234", "0.12345678901234"},
        TextCase{"SixteenDecimals", "0.123456789012345", "0.123456789012345"},
        TextCase{"Above2To53", "9007199254740993", "9007199254740992"},
        TextCase{"OneMillionth", "0.000001", "0.000001"},
        TextCase{"OneTenMillionth", "0.0000001", "1e-7"},
        TextCase{"MinusTenMillionths", "-0.0000012", "-0.0000012"},
        TextCase{"BelowOneMillionth", "0.00000099", "9.9e-7"},
        TextCase{"BelowOneMillionthZero", "-0.000000990", "-9.9e-7"},
        TextCase{"TenTo20", "100000000000000000000", "100000000000000000000"},
        TextCase{"TenTo20Exponent", "1e20", "100000000000000000000"},
        TextCase{"TenTo21", "1000000000000000000000", "1e+21"},
        TextCase{"TenTo21Exponent", "1E+21", "1e+21"},
        TextCase{"Exponent", "1.5e3", "1500"},
        TextCase{"ExponentNoSign", "4.50e-1", "0.45"},
        TextCase{"NegativeExponent", "2e-3", "0.002"},
        TextCase{"ExponentZero", "7e0", "7"},
        TextCase{"ExponentWithZeros", "1e0000000000000000003", "1000"},
        TextCase{"Longer", "333333333.33333329", "333333333.3333333"},
        TextCase{"Smallest", "5e-324", "5e-324"},
        TextCase{"HalfOfSmallest", "2.4703282292062327e-324", "0"},
        TextCase{"AboveHalfOfSmallest", "2.4703282292062328e-324", "5e-324"},
        TextCase{"Underflow", "1e-400", "0"},
        TextCase{"MinusUnderflow", "-1e-400", "0"},
        TextCase{"UnderflowFar", "1e-99999999999999999999999999", "0"},
        TextCase{"Largest", "1.7976931348623157e308",
                 "1.7976931348623157e+308"},
        TextCase{"LargestAndSome", "1.7976931348623158e308",
                 "1.7976931348623157e+308"},
        TextCase{"LargestInFull", "17976931348623157" + std::string(292, '0'),
                 "1.7976931348623157e+308"},
        TextCase{"BigInteger", "1" + std::string(300, '2'),
                 "1.2222222222222223e+300"},
        TextCase{"LongFractionBalancedByExponent",
                 "0." + std::string(1'000'000, '0') + "1e1000001", "1"},
        TextCase{"LongWholeBalancedByExponent",
                 "25" + std::string(1'000'000, '0') + "e-1000001", "2.5"},
        TextCase{"HalfwayTiesToEven",
                 "1.00000000000000011102230246251565404236316680908203125",
                 "1"},
        TextCase{"JustAboveHalfway",
                 "1.00000000000000011102230246251565404236316680908203125" +
                     std::string(1000, '0') + "1",
                 "1.0000000000000002"},
        TextCase{"JustBelowHalfway",
                 "1.000000000000000111022302462515654042363166809082031249" +
                     std::string(1000, '9'),
                 "1"}),
    [](const auto& info) { return info.param.name; });

TEST(NumberTest, BeyondADoubleIsInfinite) {
  for (const std::string& text :
       {std::string("1e999"), std::string("1.7976931348623159e308"),
        std::string("1e309"), "1" + std::string(309, '0'),
        "179769313486231590" + std::string(291, '0'),
        std::string("1e99999999999999999999999"),
        "0.1e" + std::string(100, '9')}) {
    EXPECT_EQ(NumberFromText(text), kInfinity) << text;
    EXPECT_EQ(NumberFromText("-" + text), -kInfinity) << text;
  }
}

TEST(NumberTest, UnderflowKeepsItsSign) {
  EXPECT_EQ(NumberFromText("1e-400"), 0);
  EXPECT_FALSE(std::signbit(NumberFromText("1e-400")));
  EXPECT_EQ(NumberFromText("-1e-400"), 0);
  EXPECT_TRUE(std::signbit(NumberFromText("-1e-400")));
  EXPECT_TRUE(std::signbit(NumberFromText("-0")));
}

// Every decimal of up to 6 digits at every place of the point: small enough to
// try all, and all go the short way.
TEST(NumberTest, EverySmallDecimalAgreesWithTheReference) {
  for (int value = 0; value < 1'000'000; value += value < 10'000 ? 1 : 7) {
    std::string digits = absl::StrCat(value);
    for (size_t places = 1; places <= 8; places += 3) {
      while (digits.size() <= places) digits.insert(digits.begin(), '0');
      std::string text = digits;
      text.insert(text.size() - places, ".");
      ASSERT_EQ(CanonicalNumberText(text), ReferenceForm(ReferenceNumber(text)))
          << text;
    }
  }
}

std::string RandomNumberText(std::mt19937_64& random) {
  const auto below = [&random](uint64_t n) { return random() % n; };
  const auto digits = [&](size_t count) {
    std::string text;
    // Runs of zeros and nines are where rounding carries.
    const char filler = "0959"[below(4)];
    const bool filled = below(3) == 0;
    for (size_t i = 0; i < count; ++i) {
      text +=
          filled && below(8) != 0 ? filler : static_cast<char>('0' + below(10));
    }
    return text;
  };
  std::string text = below(3) == 0 ? "-" : "";
  if (below(3) == 0) {
    text += '0';
  } else {
    text += static_cast<char>('1' + below(9));
    text += digits(below(below(10) == 0 ? 320 : 18));
  }
  if (below(3) != 0) text += "." + digits(1 + below(below(10) == 0 ? 900 : 20));
  if (below(3) == 0) {
    text += "eE"[below(2)];
    if (below(3) != 0) text += below(2) == 0 ? "+" : "-";
    if (below(2) == 0) {
      text += absl::StrCat(below(30));
    } else {
      text += absl::StrCat(below(350));
    }
  }
  return text;
}

TEST(NumberTest, RandomTextsAgreeWithTheReference) {
  constexpr uint64_t kSeed = 8785;
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = RandomNumberText(random);
    const double expected = ReferenceNumber(text);
    const double value = NumberFromText(text);
    ASSERT_EQ(value, expected) << text << ", seed " << kSeed;
    ASSERT_EQ(std::signbit(value), std::signbit(expected)) << text;
    if (!std::isfinite(expected)) continue;
    ASSERT_EQ(CanonicalNumberText(text), ReferenceForm(expected)) << text;
  }
}

TEST(NumberTest, RandomDoublesAgreeWithTheReference) {
  constexpr uint64_t kSeed = 754;
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    // Also magnitudes that people write.
    if (i % 2 == 0) {
      int exponent;
      value = std::ldexp(std::frexp(value, &exponent), i % 80 - 30);
    }
    if (!std::isfinite(value)) continue;
    const std::string text = CanonicalNumber(value);
    ASSERT_EQ(text, ReferenceForm(value)) << "seed " << kSeed;
    ASSERT_EQ(NumberFromText(text), value) << text;
    ASSERT_EQ(CanonicalNumberText(text), text);
  }
}

RC_GTEST_PROP(NumberPropertyTest, FormIsIdempotent, (double value)) {
  RC_PRE(std::isfinite(value));
  const std::string text = CanonicalNumber(value);
  RC_ASSERT(CanonicalNumberText(text) == text);
  RC_ASSERT(NumberFromText(text) == value);
}

RC_GTEST_PROP(NumberPropertyTest, WholeNumbersShowTheirDigits,
              (int32_t value)) {
  RC_ASSERT(CanonicalNumber(value) == std::to_string(value));
}

}  // namespace
}  // namespace windproof
