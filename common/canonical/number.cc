#include "common/canonical/number.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <system_error>

namespace windproof {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The parts of a JSON number, as they stand in its text.
struct NumberParts {
  bool negative = false;
  absl::string_view whole;     // digits before the point
  absl::string_view fraction;  // digits after it; may be empty
  absl::string_view exponent;  // sign and digits after `e`; may be empty
};

NumberParts Split(absl::string_view text) {
  NumberParts parts;
  if (!text.empty() && text.front() == '-') {
    parts.negative = true;
    text.remove_prefix(1);
  }
  size_t size = 0;
  while (size < text.size() && IsDigit(text[size])) ++size;
  parts.whole = text.substr(0, size);
  text.remove_prefix(size);
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    size = 0;
    while (size < text.size() && IsDigit(text[size])) ++size;
    parts.fraction = text.substr(0, size);
    text.remove_prefix(size);
  }
  if (!text.empty()) parts.exponent = text.substr(1);
  return parts;
}

// Exponents beyond this are as good as infinite: no text is so long that its
// digits could make up for one.
constexpr int64_t kExponentMax = 100'000'000'000'000'000;

int64_t ExponentFrom(absl::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int64_t exponent = 0;
  for (const char digit : text) {
    exponent = std::min(exponent * 10 + (digit - '0'), kExponentMax);
  }
  return negative ? -exponent : exponent;
}

// For texts of unusual length or exponent. std::from_chars says "out of range"
// without saying in which direction, and its exponents saturate, so a long
// fraction with a large exponent (0.000…1e1000000) would come out wrong. Hence:
// the digits in the form d.ddd, with an exponent of our own counting.
double NumberFromUnusualText(absl::string_view text) {
  const NumberParts parts = Split(text);
  // No double, and no point halfway between two, has more significant digits
  // than 767; of those beyond it matters only whether one is not zero.
  constexpr size_t kDigitsMax = 800;
  char buffer[kDigitsMax + 32];
  size_t size = 0;
  size_t leading_zeros = 0;
  bool more = false;
  for (const absl::string_view run : {parts.whole, parts.fraction}) {
    for (const char digit : run) {
      if (size == 0 && digit == '0') {
        ++leading_zeros;
      } else if (size <= kDigitsMax) {
        buffer[size++] = digit;
        if (size == 1) buffer[size++] = '.';
      } else {
        more = more || digit != '0';
      }
    }
  }
  const double sign = parts.negative ? -1.0 : 1.0;
  if (size == 0) return sign * 0.0;
  buffer[size++] = more ? '1' : '0';

  // The first significant digit stands at 10^exponent.
  const int64_t exponent = static_cast<int64_t>(parts.whole.size()) - 1 -
                           static_cast<int64_t>(leading_zeros) +
                           ExponentFrom(parts.exponent);
  if (exponent > 400) return sign * std::numeric_limits<double>::infinity();
  if (exponent < -400) return sign * 0.0;
  buffer[size++] = 'e';
  char* const end =
      std::to_chars(buffer + size, buffer + sizeof(buffer), exponent).ptr;
  double value = 0;
  const auto result = std::from_chars(buffer, end, value);
  assert(result.ptr == end);
  if (result.ec == std::errc::result_out_of_range) {
    value = exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
  }
  return sign * value;
}

// Appends the ECMAScript layout of 0.d1d2d3… * 10^point; `digits` neither
// begins nor ends with a zero.
void AppendLayout(absl::string_view digits, int point, std::string* out) {
  const int count = static_cast<int>(digits.size());
  if (count <= point && point <= 21) {
    out->append(digits.data(), digits.size());
    out->append(point - count, '0');
    return;
  }
  if (0 < point && point <= 21) {
    out->append(digits.data(), point);
    out->push_back('.');
    out->append(digits.data() + point, count - point);
    return;
  }
  if (-6 < point && point <= 0) {
    out->append("0.");
    out->append(-point, '0');
    out->append(digits.data(), digits.size());
    return;
  }
  out->push_back(digits[0]);
  if (count > 1) {
    out->push_back('.');
    out->append(digits.data() + 1, count - 1);
  }
  out->append(point > 0 ? "e+" : "e-");
  char buffer[8];
  char* const end =
      std::to_chars(buffer, buffer + sizeof(buffer), std::abs(point - 1)).ptr;
  out->append(buffer, end - buffer);
}

}  // namespace

void AppendCanonicalNumber(double value, std::string* out) {
  assert(std::isfinite(value));
  char buffer[32];
  // Whole numbers that a double holds without gaps show all their digits.
  constexpr double kWholeMax = 9007199254740992.0;  // 2^53
  if (std::abs(value) <= kWholeMax && value == std::trunc(value)) {
    char* const end = std::to_chars(buffer, buffer + sizeof(buffer),
                                    static_cast<int64_t>(value))
                          .ptr;
    out->append(buffer, end - buffer);
    return;
  }
  // The shortest digits that give the same double, as -d.ddde±xx.
  char* const end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                  std::chars_format::scientific)
                        .ptr;
  char* first = buffer;
  if (*first == '-') {
    out->push_back('-');
    ++first;
  }
  char* exponent = first + 1;
  if (*exponent == '.') {
    // Closes the gap of the point: all digits in one run.
    first[1] = first[0];
    ++first;
    ++exponent;
    while (*exponent != 'e') ++exponent;
  }
  const absl::string_view digits(first, exponent - first);
  const absl::string_view exponent_text(exponent + 1, end - exponent - 1);
  AppendLayout(digits, static_cast<int>(ExponentFrom(exponent_text)) + 1, out);
}

void AppendCanonicalNumberText(absl::string_view text, std::string* out) {
  // Two decimals of at most 15 digits are never nearest to the same double, so
  // such a decimal is the shortest form of its double already; what remains is
  // to drop zeros at the end and the sign of zero.
  constexpr size_t kDigitsMax = 15;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* whole = begin;
  if (text.size() <= kDigitsMax + 2) {
    const bool negative = whole != end && *whole == '-';
    if (negative) ++whole;
    const char* p = whole;
    while (p != end && IsDigit(*p)) ++p;
    const size_t whole_size = p - whole;
    if (p == end) {
      if (whole_size <= kDigitsMax) {
        const bool zero = *whole == '0';
        const char* const from = zero ? whole : begin;
        out->append(from, end - from);
        return;
      }
    } else if (*p == '.') {
      const char* const fraction = ++p;
      while (p != end && IsDigit(*p)) ++p;
      const size_t fraction_size = p - fraction;
      if (p == end && whole_size + fraction_size <= kDigitsMax) {
        const char* last = end;  // one past the last digit that counts
        while (last != fraction && last[-1] == '0') --last;
        if (last == fraction) {  // a whole number; without its point
          const bool zero = *whole == '0';
          const char* const from = zero ? whole : begin;
          out->append(from, fraction - 1 - from);
          return;
        }
        // Below 10^-6 the form is another one: 1e-7.
        size_t zeros = 0;
        if (*whole == '0') {
          while (fraction[zeros] == '0') ++zeros;
        }
        if (zeros < 6) {
          out->append(begin, last - begin);
          return;
        }
      }
    }
  }
  AppendCanonicalNumber(NumberFromText(text), out);
}

double NumberFromText(absl::string_view text) {
  constexpr size_t kUsualSize = 64;
  if (text.size() <= kUsualSize) {
    double value = 0;
    const auto result =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec == std::errc()) return value;
  }
  return NumberFromUnusualText(text);
}

}  // namespace windproof
