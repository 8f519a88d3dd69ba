// The private keys of a data folder and their public halves.
//
//   DIR/keys/NAME.pem    PKCS #8 PEM, 0600, made on first use
//   DIR/keys/NAME.vkey   its public half as a C2SP verifier key, one line
//   DIR/trust.json       trust file of a folder that has both keys, made once
//
// A file that is there is never replaced. The process that calls this holds the
// folder's lock (data_dir.h).
#ifndef WINDPROOF_COMMON_SERVER_KEY_STORE_H_
#define WINDPROOF_COMMON_SERVER_KEY_STORE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/signed_note.h"
#include "common/server/chain_trust.h"

namespace windproof {

// A private key and the name under which its signatures are known.
struct NamedKey {
  std::string name;  // windproof/producer-<first 8 hex digits of the key>
  Ed25519PrivateKey key;

  VerifierKey Public() const { return MakeVerifierKey(name, key.PublicKey()); }
};

// The role's key of a data folder: "producer" or "ledger". Made, synced to the
// disk, when it is missing. FailedPrecondition: the file is there, but is no
// Ed25519 key; the message says which.
absl::StatusOr<NamedKey> LoadOrMakeKey(const std::string& data_dir,
                                       absl::string_view role);

// As LoadOrMakeKey, but makes none: NotFound.
absl::StatusOr<NamedKey> LoadKey(const std::string& data_dir,
                                 absl::string_view role);

// Writes DIR/trust.json if it is missing. If it is there it must name the
// ledger's key and have the producer's among its own; FailedPrecondition says
// which differs: either the keys or the trust are not of this folder.
absl::Status EnsureTrust(const std::string& data_dir, const VerifierKey& ledger,
                         const VerifierKey& producer);

// The same for a ledger on a chain, in batched mode with the key of its log;
// what is there must name the same chain, genesis, stream and key.
absl::Status EnsureChainTrust(const std::string& data_dir,
                              const ChainTrust& chain,
                              const std::optional<VerifierKey>& log,
                              const VerifierKey& producer);

std::string TrustPath(const std::string& data_dir);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_KEY_STORE_H_
