// SHA-256 of two messages side by side.
//
// One message keeps a processor's SHA instructions (SHA-NI) waiting for their
// own results half of the time; a second one fills the gaps. Two take little
// longer than one.
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_CRYPTO_SHA256_PAIR_H_
#define WINDPROOF_COMMON_CRYPTO_SHA256_PAIR_H_

#include <cstddef>
#include <cstdint>

namespace windproof {

// Whether this processor has the instructions.
bool HasSha256Pair();

// The digests of two messages of `blocks` blocks of 64 bytes each, padded as
// FIPS 180-4 section 5.1.1 says; 32 bytes each. Only where HasSha256Pair().
void Sha256PairOfBlocks(const uint8_t* first, const uint8_t* second,
                        size_t blocks, uint8_t* first_digest,
                        uint8_t* second_digest);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CRYPTO_SHA256_PAIR_H_
