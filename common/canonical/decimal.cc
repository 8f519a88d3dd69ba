#include "common/canonical/decimal.h"

#include <array>
#include <cassert>
#include <cstddef>

#include "common/canonical/number.h"

namespace windproof {
namespace {

constexpr int kNanoDigits = 9;

constexpr std::array<uint64_t, 20> kPowersOf10 = [] {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& entry : powers) {
    entry = power;
    power *= 10;  // the one past the last wraps around, unused
  }
  return powers;
}();

// numerator / denominator rounded half-even, for unsigned types.
template <typename Unsigned>
Unsigned DivideHalfEven(Unsigned numerator, Unsigned denominator) {
  const Unsigned quotient = numerator / denominator;
  const Unsigned rest = numerator % denominator;
  const Unsigned missing = denominator - rest;
  const bool up = rest > missing || (rest == missing && quotient % 2 != 0);
  return up ? quotient + 1 : quotient;
}

}  // namespace

Nanounits NanounitsFromCanonicalNumber(absl::string_view canonical) {
  const char* p = canonical.data();
  const char* const end = p + canonical.size();
  const bool negative = p != end && *p == '-';
  if (negative) ++p;

  // The number is digits * 10^scale. An RFC 8785 number has at most 17
  // significant digits, and one below 10^15 no further ones, but zeros after
  // its point ("0.000001…"): 23 digits, which 64 bits hold as their value is
  // below 10^17.
  uint64_t digits = 0;
  int scale = 0;
  for (; p != end && *p >= '0' && *p <= '9'; ++p) {
    digits = digits * 10 + static_cast<uint64_t>(*p - '0');
  }
  assert(digits < kPowersOf10[15]);
  if (p != end && *p == '.') {
    for (++p; p != end && *p >= '0' && *p <= '9'; ++p) {
      digits = digits * 10 + static_cast<uint64_t>(*p - '0');
      --scale;
    }
  }
  if (p != end) {  // e-7 to e-324; e+21 and up is beyond 10^15
    assert(*p == 'e' && end - p >= 3 && p[1] == '-');
    int exponent = 0;
    for (p += 2; p != end; ++p) exponent = exponent * 10 + (*p - '0');
    scale -= exponent;
  }

  const int shift = scale + kNanoDigits;
  Nanounits units = 0;
  if (shift >= 0) {
    units = absl::int128(digits) * absl::int128(kPowersOf10[shift]);
  } else if (-shift < static_cast<int>(kPowersOf10.size())) {
    units = DivideHalfEven<uint64_t>(digits, kPowersOf10[-shift]);
  }  // else below 10^17 / 10^20: rounds to 0
  return negative ? -units : units;
}

double MeanOfNanounits(Nanounits sum, int64_t count) {
  assert(count >= 1);
  const bool negative = sum < 0;
  const auto magnitude = static_cast<absl::uint128>(negative ? -sum : sum);
  absl::uint128 micros = DivideHalfEven<absl::uint128>(
      magnitude, absl::uint128(static_cast<uint64_t>(count)) * 1000);
  constexpr uint64_t kExactMax = uint64_t{1} << 53;
  if (micros <= kExactMax) {
    // Both operands are exact, so the quotient is the nearest double.
    const double mean =
        static_cast<double>(static_cast<uint64_t>(micros)) / 1e6;
    return negative ? -mean : mean;
  }
  // Beyond that the text of the decimal is rounded, once.
  char buffer[48];
  char* const end = buffer + sizeof(buffer);
  char* p = end;
  for (const char c : {'6', '-', 'e'}) *--p = c;
  for (; micros != 0; micros /= 10) {
    *--p = static_cast<char>('0' + static_cast<int>(micros % 10));
  }
  if (negative) *--p = '-';
  return NumberFromText(absl::string_view(p, end - p));
}

}  // namespace windproof
