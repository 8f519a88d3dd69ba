// C2SP signed notes: a text with Ed25519 signatures by named keys.
//
// Source: c2sp.org/signed-note (v1.0.0): note text, blank line, lines of
// `— name base64(key id || signature)`. Verifier keys are
// `name+hex key id+base64(0x01 || public key)`.
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_CRYPTO_SIGNED_NOTE_H_
#define WINDPROOF_COMMON_CRYPTO_SIGNED_NOTE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/ed25519.h"

namespace windproof {

// A named public key.
struct VerifierKey {
  std::string name;     // not empty, no white space, no plus sign
  uint32_t key_id = 0;  // first 4 bytes of SHA-256(name || "\n" || 0x01 || key)
  Ed25519PublicKey key;
};

VerifierKey MakeVerifierKey(absl::string_view name,
                            const Ed25519PublicKey& key);

// The `vkey` text form. InvalidArgument says which part is wrong.
absl::StatusOr<VerifierKey> ParseVerifierKey(absl::string_view vkey);
std::string FormatVerifierKey(const VerifierKey& key);

struct NoteSignature {
  std::string name;
  uint32_t key_id = 0;
  std::string signature;  // without the key id
};

struct SignedNote {
  std::string text;  // ends with a newline
  std::vector<NoteSignature> signatures;
};

// InvalidArgument where `note` is not well-formed.
absl::StatusOr<SignedNote> ParseSignedNote(absl::string_view note);

// `text` must end with a newline and hold no control characters but newlines.
absl::StatusOr<std::string> SignNote(absl::string_view text,
                                     absl::string_view signer_name,
                                     const Ed25519PrivateKey& key);

// Returns the note's text when it carries a good signature by `key`, and no
// bad one that claims to be by it. Otherwise InvalidArgument (malformed) or
// PermissionDenied (no signature by the key, or a wrong one).
absl::StatusOr<std::string> OpenNote(absl::string_view note,
                                     const VerifierKey& key);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CRYPTO_SIGNED_NOTE_H_
