// Every way of the drill, each on a copy of a stopped store of its own.
//
// Single-owner.
#ifndef WINDPROOF_SERVICES_WINDPROOF_DEMO_DRILL_H_
#define WINDPROOF_SERVICES_WINDPROOF_DEMO_DRILL_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/proto/convert.h"
#include "proto/windproof/v1/verifier.pb.h"

namespace windproof {

struct DrillResult {
  std::string what;     // a way of tamper.h
  std::string altered;  // for people
  bool caught = false;  // verdict FAILED
  // The one that tells most: of a record if any is.
  std::optional<v1::Finding> finding;
};

// Copies `store` to `copy` (which must not exist), alters `window` there in the
// way `what` and verifies that window as an auditor would who trusts `trust`.
absl::StatusOr<DrillResult> Drill(const std::string& store,
                                  const std::string& copy,
                                  const std::string& trust,
                                  const WindowName& window,
                                  const std::string& what);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_DEMO_DRILL_H_
