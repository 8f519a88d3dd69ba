// Heads of an embedded ledger, and what they show of an entry.
//
// Source: docs/formats/ledger.md: a C2SP tlog-checkpoint without extension
// lines, signed by the ledger's key; its origin line is the key's name.
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_HEAD_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_HEAD_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signed_note.h"
#include "common/merkle/proof.h"
#include "common/merkle/tree_head.h"

namespace windproof {

// The note of a head by `name` with `key`. `name` must be one that SignNote()
// accepts.
std::string SignLedgerHead(absl::string_view name, uint64_t size,
                           const Digest& root, const Ed25519PrivateKey& key);

// The head in `note`, once its signature by `key` is verified.
// InvalidArgument: malformed, or another origin than the key's name.
// PermissionDenied: no good signature by `key`.
absl::StatusOr<TreeHead> OpenLedgerHead(absl::string_view note,
                                        const VerifierKey& key);

// OK when the exact bytes `entry` are the leaf that `proof` speaks of in the
// tree of `head`. InvalidArgument says what does not fit.
absl::Status CheckLedgerInclusion(absl::string_view entry,
                                  const InclusionProof& proof,
                                  const TreeHead& head);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_HEAD_H_
