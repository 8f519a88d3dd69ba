// Ed25519 keys and signatures (RFC 8032).
//
// Pure but for Generate(), which asks the system for randomness. Keys are
// immutable and safe to use from several threads.
#ifndef WINDPROOF_COMMON_CRYPTO_ED25519_H_
#define WINDPROOF_COMMON_CRYPTO_ED25519_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

using Ed25519PublicKeyBytes = std::array<uint8_t, 32>;

class Ed25519PublicKey {
 public:
  // InvalidArgument unless `raw` is 32 bytes.
  static absl::StatusOr<Ed25519PublicKey> FromRaw(absl::string_view raw);

  // Whether `signature` (64 bytes) is this key's over `message`.
  bool Verify(absl::string_view message, absl::string_view signature) const;

  const Ed25519PublicKeyBytes& raw() const { return raw_; }

 private:
  explicit Ed25519PublicKey(std::shared_ptr<void> key,
                            Ed25519PublicKeyBytes raw);

  std::shared_ptr<void> key_;  // EVP_PKEY
  Ed25519PublicKeyBytes raw_;
};

class Ed25519PrivateKey {
 public:
  static absl::StatusOr<Ed25519PrivateKey> Generate();

  // PKCS #8 PEM.
  static absl::StatusOr<Ed25519PrivateKey> FromPem(absl::string_view pem);
  std::string ToPem() const;

  // 64 bytes.
  std::string Sign(absl::string_view message) const;

  Ed25519PublicKey PublicKey() const;

 private:
  struct Secret;

  explicit Ed25519PrivateKey(std::shared_ptr<void> key);

  std::shared_ptr<void> key_;             // EVP_PKEY
  std::shared_ptr<const Secret> secret_;  // the same for libsodium
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CRYPTO_ED25519_H_
