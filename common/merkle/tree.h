// Merkle trees over a list of leaves, and their roots.
//
// Source: RFC 6962 section 2.1, RFC 9162 section 2.1: leaf = SHA-256(0x00 ||
// bytes), node = SHA-256(0x01 || left || right), split at the largest power of
// two below n; the root of nothing is SHA-256 of no bytes.
// Pure. Functions are safe from any thread; a TreeHasher belongs to one.
#ifndef WINDPROOF_COMMON_MERKLE_TREE_H_
#define WINDPROOF_COMMON_MERKLE_TREE_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"

namespace windproof {

Digest HashLeaf(absl::string_view bytes);
Digest HashNode(const Digest& left, const Digest& right);

// SHA-256 of no bytes.
Digest EmptyRoot();

// The root over leaf hashes.
Digest MerkleRoot(absl::Span<const Digest> leaf_hashes);

// The root of a list that grows, in memory of log2(size) digests: one digest a
// complete subtree, largest first.
class StreamingRoot {
 public:
  void Add(const Digest& leaf_hash);

  // The root over all leaves so far; may be asked at any time.
  Digest Root() const;

  uint64_t size() const { return size_; }
  void Clear();

  // The complete subtrees' roots, largest first; with size(), all there is to
  // save. FromSubtrees is its reverse: `subtrees` must have as many digests as
  // `size` has one bits.
  const std::vector<Digest>& subtrees() const { return subtrees_; }
  static StreamingRoot FromSubtrees(uint64_t size,
                                    std::vector<Digest> subtrees);

 private:
  uint64_t size_ = 0;
  std::vector<Digest> subtrees_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_MERKLE_TREE_H_
