#include "common/pipeline/field_number.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "common/canonical/number.h"

namespace windproof {
namespace {

constexpr size_t kNanoDigits = 9;
constexpr double kAggregatedEnd = 1e15;

// All digits of these, and so many, are exact as doubles.
constexpr size_t kExactDigits = 15;

constexpr std::array<int64_t, kExactDigits + 1> kPowersOf10 = [] {
  std::array<int64_t, kExactDigits + 1> powers{};
  int64_t power = 1;
  for (int64_t& entry : powers) {
    entry = power;
    power *= 10;
  }
  return powers;
}();

// digits / 10^fraction.
struct Decimal {
  int64_t digits = 0;   // up to kExactDigits of them
  size_t fraction = 0;  // up to kExactDigits
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Copies a number that is canonical as it stands and has up to kExactDigits
// digits and no exponent. Two such decimals are never nearest to the same
// double, so each is the shortest form of its own, unless it is -0, ends in a
// zero after the point, or is below 10^-6. Returns nullptr for all others.
char* CopyIfCanonical(absl::string_view text, char* out, Decimal* decimal) {
  if (text.size() > kExactDigits + 2) return nullptr;  // sign and point
  const char* p = text.data();
  const char* const end = p + text.size();
  const bool negative = p != end && *p == '-';
  if (negative) *out++ = *p++;
  int64_t digits = 0;
  size_t count = end - p;
  for (; p != end && IsDigit(*p); ++p) {
    digits = digits * 10 + (*p - '0');
    *out++ = *p;
  }
  size_t fraction = 0;
  if (p != end) {
    if (*p != '.') return nullptr;
    --count;
    *out++ = *p++;
    fraction = end - p;
    for (; p != end && IsDigit(*p); ++p) {
      digits = digits * 10 + (*p - '0');
      *out++ = *p;
    }
    if (p != end || p[-1] == '0') return nullptr;
  }
  if (count > kExactDigits) return nullptr;
  if (digits == 0 && negative) return nullptr;
  constexpr size_t kPlainFraction = 6;
  if (fraction > kPlainFraction &&
      digits < kPowersOf10[fraction - kPlainFraction]) {
    return nullptr;
  }
  decimal->digits = negative ? -digits : digits;
  decimal->fraction = fraction;
  return out;
}

char* Copy(absl::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

void Fill(const Decimal& decimal, absl::string_view canonical,
          AggregatedValue* value) {
  value->present = true;
  // Both operands are exact, so the quotient is the nearest double.
  value->number = static_cast<double>(decimal.digits) /
                  static_cast<double>(kPowersOf10[decimal.fraction]);
  value->nanounits =
      decimal.fraction <= kNanoDigits
          ? Nanounits(decimal.digits) *
                Nanounits(kPowersOf10[kNanoDigits - decimal.fraction])
          : NanounitsFromCanonicalNumber(canonical);
}

}  // namespace

char* PutNumber(absl::string_view text, char* out, std::string* scratch) {
  Decimal decimal;
  char* const end = CopyIfCanonical(text, out, &decimal);
  if (end != nullptr) return end;
  scratch->clear();
  AppendCanonicalNumberText(text, scratch);
  return Copy(*scratch, out);
}

char* PutAggregatedNumber(absl::string_view text, char* out,
                          std::string* scratch, AggregatedValue* value) {
  Decimal decimal;
  char* end = CopyIfCanonical(text, out, &decimal);
  if (end != nullptr) {
    Fill(decimal, text, value);
    return end;
  }
  scratch->clear();
  AppendCanonicalNumberText(text, scratch);
  end = CopyIfCanonical(*scratch, out, &decimal);
  if (end != nullptr) {
    Fill(decimal, *scratch, value);
    return end;
  }
  const double number = NumberFromText(*scratch);
  if (!(std::abs(number) < kAggregatedEnd)) return nullptr;
  value->present = true;
  value->number = number;
  value->nanounits = NanounitsFromCanonicalNumber(*scratch);
  return Copy(*scratch, out);
}

}  // namespace windproof
