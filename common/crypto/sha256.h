// SHA-256 (FIPS 180-4) and its digests as values.
//
// Pure. Sha256Of is safe from any thread; a Sha256 belongs to one.
#ifndef WINDPROOF_COMMON_CRYPTO_SHA256_H_
#define WINDPROOF_COMMON_CRYPTO_SHA256_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

// 32 bytes, compared and ordered as bytes.
using Digest = std::array<uint8_t, 32>;

inline constexpr Digest kZeroDigest{};

// The bytes of `digest`; the view lives as long as the digest.
inline absl::string_view BytesOf(const Digest& digest) {
  return absl::string_view(reinterpret_cast<const char*>(digest.data()),
                           digest.size());
}

// 64 lower-case hex digits.
std::string HexOf(const Digest& digest);

// InvalidArgument unless `hex` is exactly 64 lower-case hex digits.
absl::StatusOr<Digest> DigestFromHex(absl::string_view hex);

// InvalidArgument unless `bytes` is exactly 32 bytes.
absl::StatusOr<Digest> DigestFromBytes(absl::string_view bytes);

Digest Sha256Of(absl::string_view bytes);

// The digest of the parts one after the other.
Digest Sha256Of(std::initializer_list<absl::string_view> parts);

// The digest of the byte `prefix` and then `bytes`, or the two digests. Quicker
// than Sha256Of where that is short.
Digest Sha256OfPrefixed(uint8_t prefix, absl::string_view bytes);
Digest Sha256OfPrefixed(uint8_t prefix, const Digest& first,
                        const Digest& second);

// Incremental. Reusable: Finish() begins anew.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(absl::string_view bytes);
  Digest Finish();

 private:
  void* context_;  // SHA256_CTX, kept out of this header
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CRYPTO_SHA256_H_
