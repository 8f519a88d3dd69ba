// Which checkpoints of a chain were written together: by one record, at one
// writing moment. A replay begins between two moments.
//
// Source: docs/formats/ ("Classes and closing", step 4). Pure.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_MOMENT_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_MOMENT_H_

#include <cstddef>
#include <optional>

#include "services/verifier/chain_check.h"

namespace windproof {

// Links [first, last] of a chain; only the first has a scan that is not empty.
struct Moment {
  size_t first = 0;
  size_t last = 0;
};

// Nothing where the first checkpoint of the moment is not in the chain.
std::optional<Moment> MomentOf(const KeyChain& chain, size_t link);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_MOMENT_H_
