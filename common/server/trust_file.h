// What a verifier believes: the keys of the ledger and of the producers.
//
// A trust file is JSON, made by whoever runs the verifier:
//
//   {"version": 1,
//    "ledger": {"kind": "embedded", "vkey": "NAME+ID+BASE64"},
//    "producers": ["NAME+ID+BASE64", …]}
//
// or, for a ledger on a MultiChain chain,
//
//    "ledger": {"kind": "multichain", "chain": NAME, "genesis": HASH,
//               "stream": NAME or txid, "publishers": [ADDRESS, …],
//               "confirmations": N}
//
// where in batched mode, whose log's heads are on the chain, there are also
// "mode": "batched" and "vkey": "NAME+ID+BASE64", the log's key.
//
// The keys are C2SP verifier keys (common/crypto/signed_note.h). Any other
// member is refused: a rule that is not understood must not be skipped.
// Parsing and formatting are pure; a TrustConfig is a value.
#ifndef WINDPROOF_COMMON_SERVER_TRUST_FILE_H_
#define WINDPROOF_COMMON_SERVER_TRUST_FILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/signed_note.h"
#include "common/server/chain_trust.h"

namespace windproof {

struct TrustConfig {
  std::string ledger_kind;  // "embedded" or "multichain"
  // Signs the ledger's heads: embedded, and multichain in batched mode.
  std::optional<VerifierKey> ledger;
  std::optional<ChainTrust> chain;     // multichain
  std::vector<VerifierKey> producers;  // may be empty: then none is trusted

  // The producer's key of that name, or nullptr.
  const VerifierKey* FindProducer(absl::string_view name) const;
};

// InvalidArgument names the member, its value and what is accepted;
// Unimplemented where `version` or the ledger's kind is another.
absl::StatusOr<TrustConfig> ParseTrust(absl::string_view json);

// The file's text, indented for people, with a newline at the end.
std::string FormatTrust(const TrustConfig& trust);

// Reads a trust file. As ParseTrust, with the path in front; NotFound where
// there is none.
absl::StatusOr<TrustConfig> LoadTrust(const std::string& path);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_TRUST_FILE_H_
