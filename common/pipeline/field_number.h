// A number of a record: its canonical form, and what aggregates need of it.
//
// The hot path of reading: nearly all numbers of real data are canonical as
// they stand or but for zeros at the end, and need one pass over their digits.
// Pure. Safe from any thread.
#ifndef WINDPROOF_COMMON_PIPELINE_FIELD_NUMBER_H_
#define WINDPROOF_COMMON_PIPELINE_FIELD_NUMBER_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "common/canonical/decimal.h"

namespace windproof {

// A value of an aggregated field.
struct AggregatedValue {
  bool present = false;
  double number = 0;        // as its canonical bytes show it
  Nanounits nanounits = 0;  // rounded half-even to 9 decimals
};

// No RFC 8785 number is longer.
inline constexpr size_t kNumberSizeMax = 32;

// Writes the RFC 8785 form of a JSON number (`text`, by the RFC 8259 grammar
// and finite as a double) to `out`, which has room for kNumberSizeMax
// characters, and returns the position after it. `scratch` is any string.
char* PutNumber(absl::string_view text, char* out, std::string* scratch);

// As PutNumber, for an aggregated field: fills `value` as well. Returns
// nullptr, with `value` as it was, where the double is 10^15 or more in
// magnitude.
char* PutAggregatedNumber(absl::string_view text, char* out,
                          std::string* scratch, AggregatedValue* value);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_FIELD_NUMBER_H_
