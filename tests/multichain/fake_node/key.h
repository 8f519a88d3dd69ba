// A secp256k1 key of the node's wallet, and its address.
//
// The address is MultiChain's: the key's hash with the four bytes of the
// chain's address-pubkeyhash-version put before each five of it, a checksum
// that is XORed with address-checksum-value, in base 58. Both values are those
// of the recorded chain.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_KEY_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_KEY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/crypto/sha256.h"

namespace windproof::fake_node {

inline constexpr absl::string_view kAddressVersionHex = "00037c77";
inline constexpr absl::string_view kAddressChecksumHex = "fa74f8ae";

std::string AddressOf(absl::string_view public_key_hash);

// The public key's hash; nothing if `address` is not one of such a chain.
absl::optional<std::string> HashOfAddress(absl::string_view address);

// Thread-compatible. Moves leave an empty key.
class Key {
 public:
  // The same key for the same seed.
  explicit Key(absl::string_view seed);
  ~Key();
  Key(Key&& other) noexcept;
  Key& operator=(Key&&) = delete;

  const std::string& public_key() const { return public_key_; }  // 33 bytes
  const std::string& hash() const { return hash_; }              // 20 bytes
  const std::string& address() const { return address_; }

  // A DER signature of `digest`, with the low S.
  std::string Sign(const Digest& digest) const;

 private:
  void* key_ = nullptr;  // EVP_PKEY
  std::string public_key_;
  std::string hash_;
  std::string address_;
};

// Whether `signature` (DER) of `digest` is by that key.
bool VerifySignature(absl::string_view public_key, const Digest& digest,
                     absl::string_view signature);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_KEY_H_
