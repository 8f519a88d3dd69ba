// Checks all that an embedded ledger stores against itself and its head.
//
// Thread-compatible; the store must not change meanwhile.
#ifndef WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_CHECK_H_
#define WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/crypto/signed_note.h"
#include "services/anchor/embedded_ledger_store.h"
#include "services/anchor/ledger.h"
#include "services/anchor/ledger_tree.h"

namespace windproof {

struct LedgerFindings {
  // What is wrong, in words; empty where all is well. Not more than a few:
  // one altered byte can be wrong in many ways.
  std::vector<std::string> problems;
  int64_t more_problems = 0;  // beyond those

  // One past the highest position that is there.
  int64_t size = 0;
  // The tree and the hash of the last entry, to go on from; only where nothing
  // is wrong.
  LedgerTree tree;
  Digest last_hash{};
  // The stored head, where its text can be read, whether or not it fits.
  std::optional<LedgerHead> head;
  // Whether the index leads to the entries that carry its keys and no other.
  bool index_ok = true;

  // All problems as one text.
  std::string ToString() const;
};

// Reads everything once: each entry parses, says its position and the hash of
// the entry before it; the tree's stored nodes are those of the entries; the
// head's size and root are theirs too, and it is signed by `key`, which may be
// null to leave that out.
LedgerFindings CheckEmbeddedLedger(EmbeddedLedgerStore& store,
                                   const VerifierKey* key);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_CHECK_H_
