// ANCHOR for a ledger on a MultiChain chain: does an item stand in a block of
// the chain that the verifier trusts, put there by a publisher that it trusts?
//
// What counts are the bytes of the raw transaction: its hash is the txid, the
// item is an output of it, and whoever signed it is the publisher. The block's
// header leads to it. That the chain has this block, and how many follow it, is
// the answering node's word: whoever does not believe it asks a node of their
// own. Source: docs/formats/ (ledger). Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_CHAIN_ITEM_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_CHAIN_ITEM_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signed_note.h"
#include "common/server/chain_trust.h"
#include "services/verifier/anchor_check.h"

namespace windproof {

// What the anchor shows of an item's place, beside the ServedItem; views into
// the reply.
struct ServedPlace {
  absl::string_view chain;
  absl::string_view genesis;
  absl::string_view stream;
  absl::string_view stream_txid;
  absl::string_view transaction;
  int64_t vout = 0;
  absl::string_view block_hash;  // empty: it has no block
  absl::string_view header;
  int64_t index = 0;
  std::vector<absl::string_view> branch;
  int64_t confirmations = 0;
  // What another node of the chain shows in this block's place; empty: nothing
  // else, or nobody asked.
  absl::string_view split_view;
  absl::string_view other_block_hash;
  absl::string_view signer;
  absl::string_view signature;
};

// The entry that comes with a good outcome holds what the transaction says, and
// the producer's signature as it is served: only its own check tells what that
// is worth. SKIPPED: it has fewer confirmations than the trust asks for.
CheckedItem CheckChainItem(const ServedItem& item, const ServedPlace& place,
                           const ChainTrust& trust);

// The same of a head of batched mode: `item` must be the note, under the key
// where everybody looks for the heads of `log`.
CheckOutcome CheckHeadPlace(const ServedItem& item, const ServedPlace& place,
                            absl::string_view note, const VerifierKey& log,
                            const ChainTrust& trust);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_CHAIN_ITEM_CHECK_H_
