// The pipelines that there is something to verify of.
#ifndef WINDPROOF_SERVICES_VERIFIER_PIPELINE_LIST_H_
#define WINDPROOF_SERVICES_VERIFIER_PIPELINE_LIST_H_

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "services/verifier/peers.h"

namespace windproof {

// The names of all pipelines that have an item on the ledger or that
// window-hash shows: whoever hides one there does not hide it here. Where only
// one of the two can be read, what that one says.
//
// Unavailable: neither can be read.
absl::StatusOr<std::set<std::string>> ListPipelines(const Peers& peers);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_PIPELINE_LIST_H_
