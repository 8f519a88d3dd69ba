// Exact decimals for sums: whole numbers of 10^-9, in 128 bits.
//
// A value is below 10^15 in magnitude, so 10^14 of them fit (docs/formats/,
// "Aggregates"). Pure. Safe from any thread.
#ifndef WINDPROOF_COMMON_CANONICAL_DECIMAL_H_
#define WINDPROOF_COMMON_CANONICAL_DECIMAL_H_

#include <cstdint>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"

namespace windproof {

// Units of 10^-9.
using Nanounits = absl::int128;

// The decimal that `canonical` (an RFC 8785 number, below 10^15 in magnitude)
// shows, rounded half-even to 9 decimals.
Nanounits NanounitsFromCanonicalNumber(absl::string_view canonical);

// sum / count rounded half-even to 6 decimals, as the nearest double.
// count >= 1.
double MeanOfNanounits(Nanounits sum, int64_t count);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CANONICAL_DECIMAL_H_
