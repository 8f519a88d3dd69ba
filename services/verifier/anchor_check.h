// ANCHOR: does a checkpoint stand on the ledger that the verifier trusts, and
// is it what window-hash serves?
//
// What counts is the ledger entry's exact bytes, led to a head that the trusted
// key signed. All else that the anchor shows beside them, the keys above all,
// is an index and only compared. Source: docs/formats/ (ledger), RFC 6962,
// C2SP tlog-checkpoint. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_ANCHOR_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_ANCHOR_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signed_note.h"
#include "common/merkle/proof.h"
#include "common/merkle/tree_head.h"
#include "common/pipeline/checkpoint.h"
#include "services/anchor/ledger_entry.h"
#include "services/verifier/finding.h"

namespace windproof {

// A head as the anchor serves it.
struct ServedHead {
  absl::string_view note;
  int64_t size = 0;
  absl::string_view root;  // 32 bytes, if it is one
};

// An item as the anchor serves it; views into the reply.
struct ServedItem {
  int64_t position = 0;
  absl::string_view txid;
  std::vector<absl::string_view> keys;
  absl::string_view checkpoint;
  absl::string_view publisher;
  absl::string_view entry;
  std::optional<InclusionProof> inclusion;
};

// A head, once it has been checked; `head` only where `outcome` passed.
struct CheckedHead {
  CheckOutcome outcome;
  std::optional<TreeHead> head;
};

CheckedHead CheckHead(const ServedHead& served, const VerifierKey& ledger);

// What an item came to.
struct CheckedItem {
  // PASS: stands under the head. SKIPPED: not confirmed yet, or no head. FAIL:
  // what it shows cannot be believed.
  CheckOutcome outcome;
  // The entry, where its bytes are one; views into the item. Only believed
  // where `outcome` passed.
  std::optional<LedgerEntry> entry;
};

// `head` must be that of the same reply. An item beyond the head is not
// confirmed yet.
CheckedItem CheckItem(const ServedItem& item, const CheckedHead& head,
                      const VerifierKey& ledger);

// Compares what window-hash serves with what is anchored. Names the first
// member that differs.
CheckOutcome CheckServedCheckpoint(absl::string_view anchored,
                                   absl::string_view served);

// Where an entry was altered so that it no longer leads to the head, and with
// the checkpoint that window-hash serves in place of its data it would: the
// ledger was altered, and this was there before. Nothing otherwise.
std::optional<Finding> NameAlteredEntry(const ServedItem& item,
                                        absl::string_view served_checkpoint,
                                        const TreeHead& head);

// Two checkpoints of one window and revision.
Finding Equivocation(const Checkpoint& checkpoint, int64_t first_position,
                     const Digest& first, int64_t other_position,
                     const Digest& other);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_ANCHOR_CHECK_H_
