// Block headers, their Merkle root, and the little work that the chain asks.
//
// Header, 80 bytes: version 3, hash of the block before, Merkle root, time,
// bits, nonce; numbers little-endian. Its double SHA-256 is the block's hash,
// which begins with a zero byte as shown (bits 2000ffff). Pure.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_BLOCK_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/crypto/sha256.h"

namespace windproof::fake_node {

inline constexpr size_t kHeaderSize = 80;
inline constexpr uint32_t kBits = 0x2000FFFF;

struct Header {
  uint32_t version = 3;
  Digest previous{};
  Digest merkle_root{};
  uint32_t time = 0;
  uint32_t bits = kBits;
  uint32_t nonce = 0;
};

absl::optional<Header> ParseHeader(absl::string_view bytes);

// The header's bytes with the first nonce that makes the hash small enough.
std::string SolvedHeader(Header header);

// Bitcoin's tree: pairs hashed twice, an odd last one with itself.
// `txids` is not empty.
Digest MerkleRoot(std::vector<Digest> txids);

// The siblings from the leaf to the root.
std::vector<Digest> MerkleBranch(std::vector<Digest> txids, size_t index);
Digest RootOfBranch(Digest leaf, size_t index,
                    const std::vector<Digest>& branch);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_BLOCK_H_
