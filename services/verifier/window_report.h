// What verifying one window came to. A value.
#ifndef WINDPROOF_SERVICES_VERIFIER_WINDOW_REPORT_H_
#define WINDPROOF_SERVICES_VERIFIER_WINDOW_REPORT_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "common/proto/convert.h"
#include "services/verifier/finding.h"

namespace windproof {

struct WindowReport {
  WindowName window;
  Verdict verdict = Verdict::kIncomplete;
  CheckTable checks;
  std::array<std::chrono::nanoseconds, kCheckCount> durations{};  // by check
  int64_t revision = -1;          // newest that was checked
  int64_t records = 0;            // in that revision
  std::vector<int64_t> evidence;  // positions on the ledger, rising

  std::chrono::nanoseconds& duration(CheckName name) {
    return durations[static_cast<size_t>(name)];
  }
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_WINDOW_REPORT_H_
