// What the verifier believes of the ledger: one of the two, or in batched mode
// both.
#ifndef WINDPROOF_SERVICES_VERIFIER_LEDGER_TRUST_H_
#define WINDPROOF_SERVICES_VERIFIER_LEDGER_TRUST_H_

#include <optional>

#include "common/crypto/signed_note.h"
#include "common/server/chain_trust.h"

namespace windproof {

struct LedgerTrust {
  std::optional<VerifierKey> key;   // whose heads are believed
  std::optional<ChainTrust> chain;  // of a ledger on a block chain, or of heads
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_LEDGER_TRUST_H_
