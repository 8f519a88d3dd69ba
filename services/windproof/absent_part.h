// Parts of a stopped store that cannot be opened: each of their calls is
// answered with why, so that whoever asks goes on with what there is.
#ifndef WINDPROOF_SERVICES_WINDPROOF_ABSENT_PART_H_
#define WINDPROOF_SERVICES_WINDPROOF_ABSENT_PART_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/server/service_module.h"

namespace windproof {

// Services that answer every call with UNAVAILABLE: `why`. Thread-safe.
std::unique_ptr<ServiceModule> MakeAbsentAnchor(absl::string_view why);
std::unique_ptr<ServiceModule> MakeAbsentWindowHash(absl::string_view why);

// Whether the folder `path` looks like a store at all.
bool HasStore(const std::string& path);

// Why the store in the folder `path` did not open, in words that name the
// folder and what was found there. `error` is what opening it gave.
std::string WhyAbsent(const std::string& path, const absl::Status& error);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_ABSENT_PART_H_
