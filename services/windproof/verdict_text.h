// Verdicts for people: a line a window, and below it what was found.
//
// Pure.
#ifndef WINDPROOF_SERVICES_WINDPROOF_VERDICT_TEXT_H_
#define WINDPROOF_SERVICES_WINDPROOF_VERDICT_TEXT_H_

#include <string>

#include "proto/windproof/v1/verifier.pb.h"

namespace windproof {

// With `colours`, in ANSI colours. Ends with a newline.
std::string VerdictText(const v1::VerifyWindowResponse& response, bool colours);

std::string TotalsText(const v1::VerifyTotals& totals);

// One finding on one line, without a newline.
std::string FindingText(const v1::Finding& finding);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_VERDICT_TEXT_H_
