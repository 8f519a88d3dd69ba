#include "common/pipeline/field_number.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "common/canonical/number.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace windproof {
namespace {

std::string Put(absl::string_view text) {
  char buffer[kNumberSizeMax];
  std::string scratch;
  return std::string(+buffer, PutNumber(text, buffer, &scratch));
}

// That both functions do for `text` what the slow ones do one after the other.
void CheckAgainstSlow(const std::string& text) {
  SCOPED_TRACE(text);
  std::string canonical;
  AppendCanonicalNumberText(text, &canonical);
  EXPECT_EQ(Put(text), canonical);

  char buffer[kNumberSizeMax];
  std::string scratch;
  AggregatedValue value;
  char* const end = PutAggregatedNumber(text, buffer, &scratch, &value);
  const double number = NumberFromText(text);
  ASSERT_EQ(end != nullptr, std::abs(number) < 1e15);
  EXPECT_EQ(value.present, end != nullptr);
  if (end == nullptr) return;
  EXPECT_EQ(absl::string_view(buffer, end - buffer), canonical);
  EXPECT_EQ(value.number, number);
  EXPECT_TRUE(value.nanounits == NanounitsFromCanonicalNumber(canonical));
}

TEST(FieldNumberTest, NamedNumbers) {
  for (const char* text :
       {"0",
        "-0",
        "0.0",
        "-0.0",
        "-0e5",
        "1",
        "-1",
        "10",
        "3.1",
        "3.10",
        "-3.10",
        "1012.30",
        "100.0",
        "0.000001",
        "0.0000010",
        "0.0000001",
        "0.0000012",
        "-0.0000009",
        "1.0000001",
        "0.1000000001",
        "0.12345678949",
        "0.12345678950",
        "0.123456789012345",
        "0.00000123456789",
        "0.000000123456789",
        "123456789012345",
        "1234567890123456",
        "12345678901234567",
        "12345678.9012345",
        "12345678.90123456",
        "999999999999999",
        "999999999999999.9",
        "999999999999999.99",
        "1000000000000000",
        "-1000000000000000",
        "1e14",
        "1e15",
        "9.99999999999999e14",
        "1e-9",
        "5e-10",
        "15e-10",
        "1E+2",
        "1.7976931348623157e308",
        "-2.2250738585072014e-308",
        "5e-324",
        "1e-999",
        "0.1000000000000000055511151231257827021181583404541015625"}) {
    CheckAgainstSlow(text);
  }
}

TEST(FieldNumberTest, LeavesTheValueOfATooLargeNumberAlone) {
  char buffer[kNumberSizeMax];
  std::string scratch;
  AggregatedValue value;
  EXPECT_EQ(PutAggregatedNumber("-1e15", buffer, &scratch, &value), nullptr);
  EXPECT_FALSE(value.present);
}

RC_GTEST_PROP(FieldNumberTest, DecimalsAgreeWithTheSlowPath,
              (int64_t digits, bool negative)) {
  // Any number of digits, the point anywhere among them, with zeros at the end.
  const int size = *rc::gen::inRange(1, 19);
  const int fraction = *rc::gen::inRange(0, 19);
  const int zeros = *rc::gen::inRange(0, 4);
  std::string text = absl::StrCat(digits < 0 ? ~digits : digits);
  text.resize(std::min<size_t>(text.size(), size));
  if (fraction > 0) {
    if (static_cast<int>(text.size()) <= fraction) {
      text.insert(0, fraction + 1 - text.size(), '0');
    }
    text.insert(text.size() - fraction, ".");
    text.append(zeros, '0');
  }
  if (negative) text.insert(0, "-");
  CheckAgainstSlow(text);
}

RC_GTEST_PROP(FieldNumberTest, DoublesAgreeWithTheSlowPath, (uint64_t bits)) {
  double number;
  static_assert(sizeof(number) == sizeof(bits));
  std::memcpy(&number, &bits, sizeof(number));
  RC_PRE(std::isfinite(number));
  CheckAgainstSlow(absl::StrFormat("%.17g", number));
  // Of a size that records have.
  int exponent;
  const double usual = std::ldexp(std::frexp(number, &exponent), 20);
  CheckAgainstSlow(absl::StrFormat("%.9f", usual));
}

}  // namespace
}  // namespace windproof
