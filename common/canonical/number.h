// Numbers as RFC 8785 writes them: ECMAScript's Number::toString.
//
// Source: RFC 8785 section 3.2.2.3; ECMA-262 Number::toString (radix 10).
// Pure. Safe from any thread; independent of the locale.
#ifndef WINDPROOF_COMMON_CANONICAL_NUMBER_H_
#define WINDPROOF_COMMON_CANONICAL_NUMBER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace windproof {

// Appends the canonical form of `value`, which must be finite. -0 is `0`.
void AppendCanonicalNumber(double value, std::string* out);

// Appends the canonical form of a JSON number given as text by the RFC 8259
// grammar whose nearest double is finite. Decimals of up to 15 digits, which
// are most, never become a double on the way.
void AppendCanonicalNumberText(absl::string_view text, std::string* out);

// The nearest double (ties to even) of a JSON number given as text by the RFC
// 8259 grammar; infinite where it is beyond a double, 0 where it underflows.
double NumberFromText(absl::string_view text);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CANONICAL_NUMBER_H_
