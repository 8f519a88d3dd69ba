// The keys under which a checkpoint stands on a ledger, and what they mean.
//
// Source: docs/formats/ledger.md: `pipeline/key` and
// `pipeline/key/window-start`. They are an index: key texts may hold slashes,
// so what was found under one must be asked for its own pipeline and key. Pure;
// safe from any thread.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_KEYS_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_KEYS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace windproof {

std::string LedgerStreamKey(absl::string_view pipeline, absl::string_view key);

// `start_ms` must lie in the years 0000 to 9999.
std::string LedgerWindowKey(absl::string_view pipeline, absl::string_view key,
                            int64_t start_ms);

// Under which the heads of a log stand on a block chain, by the log's origin.
// No pipeline's name has a colon.
std::string LedgerHeadsKey(absl::string_view origin);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_KEYS_H_
