// The bytes of one entry of an embedded ledger.
//
// Source: docs/formats/ledger.md. Integers are unsigned, big-endian.
//
//   version (1) = 1 | previous entry's hash (32) | position (8) | time (8)
//   | publisher (2+n) | number of keys (2), each key (2+n) | data (4+n)
//   | signer (2+n) | signature (2+n)
//
// An entry's hash is its leaf hash in the ledger's tree, SHA-256(0x00 ||
// bytes). Pure: no I/O, no clock, no state. Safe from any thread.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_ENTRY_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_ENTRY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace windproof {

// The texts are views: of an entry that was parsed, into its bytes.
struct LedgerEntry {
  Digest prev{};  // zeros for the first entry
  int64_t position = 0;
  int64_t time_ms = 0;          // when the ledger took it, since the epoch
  absl::string_view publisher;  // name of the ledger's verifier key
  std::vector<absl::string_view> keys;
  absl::string_view data;       // the checkpoint bytes
  absl::string_view signer;     // the producer's verifier key name
  absl::string_view signature;  // the producer's, over `data`
};

// No text may be longer than its length field can say (asserted).
std::string EncodeLedgerEntry(const LedgerEntry& entry);

// InvalidArgument says what is wrong and at which byte. What parses encodes to
// the same bytes again.
absl::StatusOr<LedgerEntry> ParseLedgerEntry(absl::string_view bytes);

// SHA-256(0x00 || bytes).
Digest LedgerEntryHash(absl::string_view bytes);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_ENTRY_H_
