#include "common/canonical/decimal.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/number.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace windproof {
namespace {

// An unsigned integer of any size, slow and plain: decimal digits, lowest
// first. What the references below need and no more.
class BigInteger {
 public:
  explicit BigInteger(absl::string_view digits) {
    for (size_t i = digits.size(); i > 0; --i) {
      digits_.push_back(digits[i - 1] - '0');
    }
    Shrink();
  }

  void TimesPowerOf10(int power) {
    if (!digits_.empty()) digits_.insert(digits_.begin(), power, 0);
  }

  void Add(const BigInteger& other) {
    const size_t size = std::max(digits_.size(), other.digits_.size()) + 1;
    digits_.resize(size, 0);
    int carry = 0;
    for (size_t i = 0; i < size; ++i) {
      const int sum = digits_[i] + carry +
                      (i < other.digits_.size() ? other.digits_[i] : 0);
      digits_[i] = sum % 10;
      carry = sum / 10;
    }
    Shrink();
  }

  // Divides by `divisor`, rounded half-even.
  void DivideHalfEven(int64_t divisor) {
    __int128 rest = 0;
    for (size_t i = digits_.size(); i > 0; --i) {
      rest = rest * 10 + digits_[i - 1];
      digits_[i - 1] = static_cast<int>(rest / divisor);
      rest %= divisor;
    }
    const bool odd = !digits_.empty() && digits_[0] % 2 == 1;
    Shrink();
    if (rest * 2 > divisor || (rest * 2 == divisor && odd)) {
      Add(BigInteger("1"));
    }
  }

  // Divides by 10^power, rounded half-even.
  void DivideByPowerOf10(int power) {
    bool sticky = false;
    int last = 0;
    for (int i = 0; i < power && !digits_.empty(); ++i) {
      sticky = sticky || last != 0;
      last = digits_[0];
      digits_.erase(digits_.begin());
      // With no digits left, a further division makes the last one worth less.
      if (digits_.empty() && i + 1 < power) last = 0;
    }
    const bool odd = !digits_.empty() && digits_[0] % 2 == 1;
    Shrink();
    if (last > 5 || (last == 5 && (sticky || odd))) Add(BigInteger("1"));
  }

  std::string ToString() const {
    if (digits_.empty()) return "0";
    std::string text;
    for (size_t i = digits_.size(); i > 0; --i) {
      text += static_cast<char>('0' + digits_[i - 1]);
    }
    return text;
  }

 private:
  void Shrink() {
    while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  }

  std::vector<int> digits_;
};

std::string ToText(Nanounits value) {
  absl::uint128 rest = static_cast<absl::uint128>(value < 0 ? -value : value);
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) text += '-';
  return std::string(text.rbegin(), text.rend());
}

// The same from the words of the format: take the decimal, round to 9 places.
std::string ReferenceNanounits(absl::string_view text) {
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  int exponent = 0;
  const size_t e = text.find('e');
  if (e != absl::string_view::npos) {
    exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
    text = text.substr(0, e);
  }
  std::string digits(text);
  const size_t point = digits.find('.');
  if (point != std::string::npos) {
    exponent -= static_cast<int>(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  BigInteger value(digits);
  const int shift = exponent + 9;
  if (shift >= 0) {
    value.TimesPowerOf10(shift);
  } else {
    value.DivideByPowerOf10(-shift);
  }
  const std::string result = value.ToString();
  return negative && result != "0" ? "-" + result : result;
}

// sum is the text of an integer.
double ReferenceMean(absl::string_view sum, int64_t count) {
  const bool negative = sum.front() == '-';
  if (negative) sum.remove_prefix(1);
  // In 10^-6: sum / (count * 1000), in one rounding.
  BigInteger value(sum);
  value.DivideHalfEven(count * 1000);
  const std::string text =
      absl::StrCat(negative ? "-" : "", value.ToString(), "e-6");
  return std::strtod(text.c_str(), nullptr);
}

std::string CanonicalNumber(double value) {
  std::string text;
  AppendCanonicalNumber(value, &text);
  return text;
}

struct NanounitsCase {
  const char* name;
  const char* text;
  const char* nanounits;
};

class NanounitsTest : public testing::TestWithParam<NanounitsCase> {};

TEST_P(NanounitsTest, IsTheDecimalRoundedHalfEven) {
  EXPECT_EQ(ToText(NanounitsFromCanonicalNumber(GetParam().text)),
            GetParam().nanounits);
  EXPECT_EQ(ReferenceNanounits(GetParam().text), GetParam().nanounits);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, NanounitsTest,
    testing::Values(
        NanounitsCase{"Zero", "0", "0"},
        NanounitsCase{"One", "1", "1000000000"},
        NanounitsCase{"Temperature", "3.1", "3100000000"},
        NanounitsCase{"Negative", "-1.25", "-1250000000"},
        NanounitsCase{"NinePlaces", "0.123456789", "123456789"},
        NanounitsCase{"TenPlacesDown", "0.1234567894", "123456789"},
        NanounitsCase{"TenPlacesUp", "0.1234567896", "123456790"},
        NanounitsCase{"TieToEvenDown", "0.1234567885", "123456788"},
        NanounitsCase{"TieToEvenUp", "0.1234567875", "123456788"},
        NanounitsCase{"NegativeTieToEven", "-0.1234567885", "-123456788"},
        NanounitsCase{"NegativeTieUp", "-0.1234567875", "-123456788"},
        NanounitsCase{"AboveTie", "0.12345678850001", "123456789"},
        NanounitsCase{"Exponent7", "1e-7", "100"},
        NanounitsCase{"Exponent9", "1e-9", "1"},
        NanounitsCase{"HalfIsEven", "5e-10", "0"},
        NanounitsCase{"AboveHalf", "5.000000000000001e-10", "1"},
        NanounitsCase{"OneAndAHalf", "1.5e-9", "2"},
        NanounitsCase{"TwoAndAHalf", "2.5e-9", "2"},
        NanounitsCase{"Fraction10", "1.5e-10", "0"},
        NanounitsCase{"NegativeAlmostOne", "-9.5e-10", "-1"},
        NanounitsCase{"MostDigitsBelowHalf", "4.9999999999999994e-10", "0"},
        NanounitsCase{"Tiny", "1.2345678901234567e-11", "0"},
        NanounitsCase{"Smallest", "5e-324", "0"},
        NanounitsCase{"Largest", "999999999999999.9",
                      "999999999999999900000000"},
        NanounitsCase{"LargestNegative", "-999999999999999.9",
                      "-999999999999999900000000"},
        NanounitsCase{"ManyPlaces", "0.0000012345678901234567", "1235"}),
    [](const auto& info) { return info.param.name; });

struct MeanCase {
  const char* name;
  int64_t sum_high;  // the sum is sum_high * 10^9 + sum_low nanounits
  int64_t sum_low;
  int64_t count;
  const char* mean;
};

class MeanTest : public testing::TestWithParam<MeanCase> {};

TEST_P(MeanTest, IsRoundedHalfEvenToSixDecimals) {
  const MeanCase& row = GetParam();
  const Nanounits sum = Nanounits(row.sum_high) * 1'000'000'000 + row.sum_low;
  EXPECT_EQ(CanonicalNumber(MeanOfNanounits(sum, row.count)), row.mean);
  EXPECT_EQ(CanonicalNumber(ReferenceMean(ToText(sum), row.count)), row.mean);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, MeanTest,
    testing::Values(MeanCase{"Zero", 0, 0, 7, "0"},
                    MeanCase{"Example", 10, 450'000'000, 3, "3.483333"},
                    MeanCase{"OfOne", 2, 500'000'000, 1, "2.5"},
                    MeanCase{"TwoThirds", 2, 0, 3, "0.666667"},
                    MeanCase{"NegativeTwoThirds", -2, 0, 3, "-0.666667"},
                    MeanCase{"TieToEvenDown", 0, 2'500, 1, "0.000002"},
                    MeanCase{"TieToEvenUp", 0, 3'500, 1, "0.000004"},
                    MeanCase{"NegativeTieToEvenDown", 0, -2'500, 1,
                             "-0.000002"},
                    MeanCase{"NegativeTieToEvenUp", 0, -3'500, 1, "-0.000004"},
                    MeanCase{"HalfIsZero", 0, 500, 1, "0"},
                    MeanCase{"NegativeHalfIsZero", 0, -500, 1, "0"},
                    MeanCase{"AboveHalf", 0, 501, 1, "0.000001"},
                    MeanCase{"TieByCount", 0, 5'000, 2, "0.000002"},
                    MeanCase{"BelowTieByCount", 0, 4'999, 2, "0.000002"},
                    MeanCase{"AboveTieByCount", 0, 5'001, 2, "0.000003"},
                    MeanCase{"Largest", 999'999'999'999'999, 900'000'000, 1,
                             "999999999999999.9"},
                    MeanCase{"LargestNegative", -999'999'999'999'999,
                             -900'000'000, 1, "-999999999999999.9"},
                    MeanCase{"BeyondExactDoubles", 9'007'199'254, 740'993'000,
                             1, "9007199254.740993"}),
    [](const auto& info) { return info.param.name; });

TEST(DecimalTest, SumOfTenthsIsExact) {
  Nanounits sum = 0;
  for (int i = 0; i < 1'000'000; ++i)
    sum += NanounitsFromCanonicalNumber("0.1");
  EXPECT_EQ(sum, Nanounits(100'000) * 1'000'000'000);
  EXPECT_EQ(MeanOfNanounits(sum, 1'000'000), 0.1);
}

// 10^14 numbers of the largest magnitude still fit.
TEST(DecimalTest, LargestSumDoesNotOverflow) {
  constexpr int64_t kCount = 100'000'000'000'000;
  const Nanounits largest = NanounitsFromCanonicalNumber("999999999999999.9");
  EXPECT_EQ(MeanOfNanounits(largest * kCount, kCount), 999999999999999.9);
  EXPECT_EQ(MeanOfNanounits(-largest * kCount, kCount), -999999999999999.9);
}

TEST(DecimalTest, RandomNumbersAgreeWithTheReference) {
  constexpr uint64_t kSeed = 128;
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 100'000; ++i) {
    std::string text = random() % 2 == 0 ? "-" : "";
    const int whole = static_cast<int>(random() % 16);
    const int places = static_cast<int>(random() % 18);
    absl::StrAppend(&text, "1", absl::string_view("000000000000000", whole));
    for (size_t k = text.size() - whole; k < text.size(); ++k) {
      text[k] = static_cast<char>('0' + random() % 10);
    }
    if (whole == 15) text.pop_back();
    text += '.';
    for (int k = 0; k <= places; ++k) {
      text += static_cast<char>('0' + random() % 10);
    }
    if (random() % 3 == 0) absl::StrAppend(&text, "e-", random() % 30);
    std::string canonical;
    AppendCanonicalNumberText(text, &canonical);
    ASSERT_EQ(ToText(NanounitsFromCanonicalNumber(canonical)),
              ReferenceNanounits(canonical))
        << canonical << ", seed " << kSeed;
  }
}

RC_GTEST_PROP(DecimalPropertyTest, MeanAgreesWithTheReference,
              (int64_t high, uint32_t low)) {
  const auto count =
      *rc::gen::oneOf(rc::gen::inRange<int64_t>(1, 100),
                      rc::gen::inRange<int64_t>(1, 100'000'000'000'000));
  const Nanounits sum = Nanounits(high) * 1'000'003 + low;
  RC_ASSERT(MeanOfNanounits(sum, count) == ReferenceMean(ToText(sum), count));
}

// Ties and their neighbours.
RC_GTEST_PROP(DecimalPropertyTest, MeanOfTiesAgreesWithTheReference,
              (int32_t micros)) {
  const auto count = *rc::gen::inRange<int64_t>(1, 1000);
  const auto beside = *rc::gen::inRange<int64_t>(-1, 2);
  const Nanounits sum = (Nanounits(micros) * 2 + 1) * 500 * count + beside;
  RC_ASSERT(MeanOfNanounits(sum, count) == ReferenceMean(ToText(sum), count));
}

// Sums do not depend on the order, nor on how they are split.
RC_GTEST_PROP(DecimalPropertyTest, SumsAreMergeable,
              (const std::vector<int32_t>& values)) {
  Nanounits forwards = 0;
  Nanounits backwards = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto term = [&values](size_t k) {
      return NanounitsFromCanonicalNumber(CanonicalNumber(values[k] / 1000.0));
    };
    forwards += term(i);
    backwards += term(values.size() - 1 - i);
  }
  RC_ASSERT(forwards == backwards);
}

}  // namespace
}  // namespace windproof
