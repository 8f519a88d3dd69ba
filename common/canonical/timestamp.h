// Timestamps as records carry them: instants of UTC over the years 0000 to
// 9999, exact to the nanosecond.
//
// Source: RFC 3339 (profile in docs/formats/); proleptic Gregorian calendar.
// 64 bits of nanoseconds do not reach that far, hence seconds and nanoseconds.
// Pure: no I/O, no clock, no time zone, no locale. Safe from any thread.
#ifndef WINDPROOF_COMMON_CANONICAL_TIMESTAMP_H_
#define WINDPROOF_COMMON_CANONICAL_TIMESTAMP_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

// An instant: seconds since 1970-01-01T00:00:00Z plus nanoseconds.
struct Timestamp {
  int64_t seconds = 0;
  int32_t nanos = 0;  // [0, 1'000'000'000)

  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

// 0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z in seconds since the epoch.
inline constexpr int64_t kYear0Seconds = -62'167'219'200;
inline constexpr int64_t kYear10000Seconds = 253'402'300'800;

// `YYYY-MM-DD(T|t)hh:mm:ss[.f{1,9}](Z|z|±hh:mm)`, nothing around it, a date
// that exists, no leap second, the instant within the years 0000 to 9999 of
// UTC. Returns nothing where the text is anything else.
std::optional<Timestamp> ParseTimestamp(absl::string_view text);

// As ParseTimestamp, for requests and flags: InvalidArgument names the text and
// what is accepted.
absl::StatusOr<Timestamp> TimestampFromText(absl::string_view text);

// Milliseconds since the epoch; nothing where `value` is no integer or lies
// outside the years 0000 to 9999.
std::optional<Timestamp> TimestampFromMillisDouble(double value);

// `millis` may be any value whose result Timestamp can hold; not limited to the
// years 0000 to 9999.
Timestamp TimestampFromMillis(int64_t millis);

// Milliseconds since the epoch, rounded towards the past.
int64_t FloorMillis(const Timestamp& time);

// The canonical form: UTC, `T` and `Z`, and the fewest of 0, 3, 6 or 9
// fractional digits that are exact. `time` must lie in the years 0000 to 9999.
void AppendTimestamp(const Timestamp& time, std::string* out);
std::string FormatTimestamp(const Timestamp& time);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CANONICAL_TIMESTAMP_H_
