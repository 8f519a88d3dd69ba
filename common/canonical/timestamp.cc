#include "common/canonical/timestamp.h"

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;
constexpr int32_t kNanosPerMilli = 1'000'000;

struct Date {
  int year;
  int month;  // 1 to 12
  int day;    // 1 to 31
};

// Days since 1970-01-01 of a proleptic Gregorian date with year >= 0. Years are
// counted from March, so that the leap day is the last one of its year.
int64_t DaysFromDate(const Date& date) {
  const int year = date.month <= 2 ? date.year + 399 : date.year + 400;
  const int era =
      year / 400;  // from 0000-03-01 minus 400 years: never negative
  const int year_of_era = year - era * 400;
  const int month = date.month <= 2 ? date.month + 9 : date.month - 3;
  const int day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const int day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  constexpr int64_t kDaysPerEra = 146'097;
  constexpr int64_t kEpoch = 719'468 + kDaysPerEra;
  return era * kDaysPerEra + day_of_era - kEpoch;
}

// The inverse, for days in the years 0000 to 9999.
Date DateFromDays(int64_t days) {
  constexpr uint32_t kDaysPerEra = 146'097;
  const uint32_t shifted = static_cast<uint32_t>(days + 719'468 + kDaysPerEra);
  const uint32_t era = shifted / kDaysPerEra;
  const uint32_t day_of_era = shifted - era * kDaysPerEra;
  const uint32_t year_of_era = (day_of_era - day_of_era / 1460 +
                                day_of_era / 36'524 - day_of_era / 146'096) /
                               365;
  const uint32_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const uint32_t month = (5 * day_of_year + 2) / 153;  // from March
  const int day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
  const int year = static_cast<int>(year_of_era + era * 400) - 400;
  if (month >= 10) return {year + 1, static_cast<int>(month) - 9, day};
  return {year, static_cast<int>(month) + 3, day};
}

bool IsLeapYear(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The number that two digits show, or something above 99.
unsigned TwoDigits(const char* p) {
  const unsigned high = static_cast<unsigned char>(p[0]) - unsigned{'0'};
  const unsigned low = static_cast<unsigned char>(p[1]) - unsigned{'0'};
  return high > 9 || low > 9 ? 1000 : high * 10 + low;
}

void PutTwoDigits(int value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

bool IsInYears(int64_t seconds) {
  return seconds >= kYear0Seconds && seconds < kYear10000Seconds;
}

}  // namespace

std::optional<Timestamp> ParseTimestamp(absl::string_view text) {
  // YYYY-MM-DDThh:mm:ssZ is the shortest, .fffffffff+hh:mm the longest end.
  constexpr size_t kShortest = 20;
  constexpr size_t kLongest = 35;
  if (text.size() < kShortest || text.size() > kLongest) return std::nullopt;
  const char* p = text.data();
  const char* const end = p + text.size();
  if (p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't') ||
      p[13] != ':' || p[16] != ':') {
    return std::nullopt;
  }
  const unsigned century = TwoDigits(p);
  const unsigned year_of_century = TwoDigits(p + 2);
  const unsigned month = TwoDigits(p + 5);
  const unsigned day = TwoDigits(p + 8);
  const unsigned hour = TwoDigits(p + 11);
  const unsigned minute = TwoDigits(p + 14);
  const unsigned second = TwoDigits(p + 17);
  if (century > 99 || year_of_century > 99 || month < 1 || month > 12 ||
      day < 1 || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  const Date date{static_cast<int>(century * 100 + year_of_century),
                  static_cast<int>(month), static_cast<int>(day)};
  if (date.day > DaysInMonth(date.year, date.month)) return std::nullopt;
  p += 19;

  int32_t nanos = 0;
  if (*p == '.') {
    ++p;
    int digits = 0;
    while (p != end && IsDigit(*p)) {
      if (++digits > 9) return std::nullopt;
      nanos = nanos * 10 + (*p++ - '0');
    }
    if (digits == 0) return std::nullopt;
    for (; digits < 9; ++digits) nanos *= 10;
  }

  if (p == end) return std::nullopt;
  int64_t offset_seconds = 0;
  if (*p == 'Z' || *p == 'z') {
    if (end - p != 1) return std::nullopt;
  } else if (*p == '+' || *p == '-') {
    if (end - p != 6 || p[3] != ':') return std::nullopt;
    const unsigned hours = TwoDigits(p + 1);
    const unsigned minutes = TwoDigits(p + 4);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset_seconds = hours * 3600 + minutes * 60;
    if (*p == '-') offset_seconds = -offset_seconds;
  } else {
    return std::nullopt;
  }

  const int64_t seconds = DaysFromDate(date) * kSecondsPerDay + hour * 3600 +
                          minute * 60 + second - offset_seconds;
  if (!IsInYears(seconds)) return std::nullopt;
  return Timestamp{seconds, nanos};
}

absl::StatusOr<Timestamp> TimestampFromText(absl::string_view text) {
  const std::optional<Timestamp> time = ParseTimestamp(text);
  if (time.has_value()) return *time;
  constexpr size_t kShown = 64;
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", absl::CHexEscape(text.substr(0, kShown)),
      text.size() > kShown ? "..." : "",
      "\" is not a timestamp; accepted is RFC 3339 with seconds, up to 9 "
      "fraction digits and Z or an offset, within the years 0000 to 9999 of "
      "UTC, as in 2026-01-25T12:00:00Z"));
}

std::optional<Timestamp> TimestampFromMillisDouble(double value) {
  // Both bounds are exact doubles, and NaN fails the comparison.
  constexpr double kFirst = static_cast<double>(kYear0Seconds * 1000);
  constexpr double kEnd = static_cast<double>(kYear10000Seconds * 1000);
  if (!(value >= kFirst && value < kEnd)) return std::nullopt;
  if (value != std::trunc(value)) return std::nullopt;
  return TimestampFromMillis(static_cast<int64_t>(value));
}

Timestamp TimestampFromMillis(int64_t millis) {
  int64_t seconds = millis / 1000;
  int32_t rest = static_cast<int32_t>(millis % 1000);
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  return {seconds, rest * kNanosPerMilli};
}

int64_t FloorMillis(const Timestamp& time) {
  return time.seconds * 1000 + time.nanos / kNanosPerMilli;
}

void AppendTimestamp(const Timestamp& time, std::string* out) {
  assert(IsInYears(time.seconds));
  assert(time.nanos >= 0 && time.nanos < 1'000'000'000);
  // Day 0 is 0000-01-01, so that the division rounds down.
  const int64_t since_year_0 = time.seconds - kYear0Seconds;
  const Date date = DateFromDays(since_year_0 / kSecondsPerDay +
                                 kYear0Seconds / kSecondsPerDay);
  const int second_of_day = static_cast<int>(since_year_0 % kSecondsPerDay);

  char buffer[] = "YYYY-MM-DDThh:mm:ss.fffffffffZ";
  PutTwoDigits(date.year / 100, buffer);
  PutTwoDigits(date.year % 100, buffer + 2);
  PutTwoDigits(date.month, buffer + 5);
  PutTwoDigits(date.day, buffer + 8);
  PutTwoDigits(second_of_day / 3600, buffer + 11);
  PutTwoDigits(second_of_day / 60 % 60, buffer + 14);
  PutTwoDigits(second_of_day % 60, buffer + 17);
  size_t size = 19;
  if (time.nanos != 0) {
    int fraction = time.nanos;
    int digits = 9;
    while (fraction % 1000 == 0) {
      fraction /= 1000;
      digits -= 3;
    }
    for (int i = digits; i > 0; --i) {
      buffer[19 + i] = static_cast<char>('0' + fraction % 10);
      fraction /= 10;
    }
    size += 1 + digits;
  }
  buffer[size++] = 'Z';
  out->append(buffer, size);
}

std::string FormatTimestamp(const Timestamp& time) {
  std::string text;
  AppendTimestamp(time, &text);
  return text;
}

}  // namespace windproof
