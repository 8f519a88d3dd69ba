// Alters a stopped store as an insider would: each way that the drill knows.
//
// What is altered fits its surroundings as far as somebody without the keys can
// make it fit; a verifier must find it all the same.
#ifndef WINDPROOF_SERVICES_WINDPROOF_TAMPER_H_
#define WINDPROOF_SERVICES_WINDPROOF_TAMPER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/proto/convert.h"

namespace windproof {

// value, remove, add, swap, aggregate, offset, checkpoint, ledger.
const std::vector<std::string>& TamperWays();

// Alters the newest revision of `window` in the store at `data_dir`. Returns
// what was altered, for people.
//
// FailedPrecondition: the store is in use. NotFound: no such window.
// InvalidArgument: an unknown way, or one that this window is too small for.
absl::StatusOr<std::string> Tamper(const std::string& data_dir,
                                   const WindowName& window,
                                   absl::string_view way);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_TAMPER_H_
