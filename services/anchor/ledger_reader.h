// Reads from a ledger what is there of a window, a key or a pipeline.
//
// Everything that claims to belong is given, by its keys or by its data: what
// counts is the reader's judgement (the first confirmed item of a revision),
// and what was altered must be seen to be named.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_READER_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_READER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/anchor/ledger.h"

namespace windproof {

// What a reader is interested in.
struct LedgerFilter {
  std::string pipeline;  // empty: all
  std::string key;       // empty: all of the pipeline
};

// Whether an item claims to be of `filter`, by its keys or by its data; an item
// that cannot be read at all may be of any.
bool Matches(const LedgerFilter& filter, const LedgerItem& item);

// All items of a window, with inclusion proofs; `min_confirmations` as in
// LedgerQuery.
absl::StatusOr<LedgerPage> ReadWindow(Ledger& ledger,
                                      absl::string_view pipeline,
                                      absl::string_view key, int64_t start_ms,
                                      int64_t min_confirmations = 0);

// Up to query.max_items items that match, from query.first on. Whoever goes on
// from `next` until `at_end` sees each once. A page may be short, even empty,
// before the end: reading for one page is bounded.
absl::StatusOr<LedgerPage> ReadMatching(Ledger& ledger,
                                        const LedgerFilter& filter,
                                        LedgerQuery query);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_READER_H_
