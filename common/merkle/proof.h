// Inclusion and consistency proofs over Merkle trees.
//
// Source: RFC 6962 sections 2.1.1 and 2.1.2, verified as RFC 9162 sections
// 2.1.3.2 and 2.1.4.2 say.
// Pure: no I/O, no clock, no state. Safe to call from any thread.
#ifndef WINDPROOF_COMMON_MERKLE_PROOF_H_
#define WINDPROOF_COMMON_MERKLE_PROOF_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"

namespace windproof {

struct InclusionProof {
  uint64_t leaf_index = 0;       // 0-based, < leaf_count
  uint64_t leaf_count = 0;       // leaves in the whole tree, >= 1
  std::vector<Digest> siblings;  // leaf to root; holds neither leaf nor root
};

struct ConsistencyProof {
  uint64_t old_size = 0;
  uint64_t new_size = 0;  // >= old_size
  std::vector<Digest> nodes;
};

// InvalidArgument if leaf_index >= leaf_hashes.size().
absl::StatusOr<InclusionProof> ProveInclusion(
    absl::Span<const Digest> leaf_hashes, uint64_t leaf_index);

// InvalidArgument if old_size is 0 or > leaf_hashes.size().
absl::StatusOr<ConsistencyProof> ProveConsistency(
    absl::Span<const Digest> leaf_hashes, uint64_t old_size);

// Returns the root that `proof` leads to from `leaf_hash`. Comparing it with an
// anchored root is the caller's part.
//
// InvalidArgument if leaf_index >= leaf_count, or if there are fewer or more
// siblings than a tree of leaf_count leaves has at that index.
absl::StatusOr<Digest> RootFromInclusionProof(const Digest& leaf_hash,
                                              const InclusionProof& proof);

// OK when the tree of `new_root` begins with the leaves of the tree of
// `old_root`. InvalidArgument: the proof has a wrong shape or does not lead to
// both roots; the message says which. An old_size of 0 is refused: every tree
// begins with the empty one, so that shows nothing.
absl::Status CheckConsistency(const ConsistencyProof& proof,
                              const Digest& old_root, const Digest& new_root);

// Subtrees, as draft-ietf-plants-merkle-tree-certs defines them: the leaves
// [start, end) of a tree, where start is a multiple of the smallest power of
// two that is >= end - start. Their root is that of a tree of just those
// leaves.
struct Subtree {
  uint64_t start = 0;
  uint64_t end = 0;
};

// As RootFromInclusionProof, for the leaf that has `leaf_index` in the whole
// tree: returns the subtree's root. InvalidArgument also if `subtree` is none,
// is empty or does not hold the leaf.
absl::StatusOr<Digest> RootFromSubtreeInclusionProof(
    const Digest& leaf_hash, uint64_t leaf_index, const Subtree& subtree,
    absl::Span<const Digest> siblings);

// OK when `subtree`, with `subtree_root`, is part of the tree of `size` leaves
// with `root`; [0, n) is the tree that a list had at n leaves. An empty subtree
// has the empty root and needs no node, whatever `root` is.
absl::Status CheckSubtreeConsistency(const Subtree& subtree, uint64_t size,
                                     absl::Span<const Digest> nodes,
                                     const Digest& subtree_root,
                                     const Digest& root);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_MERKLE_PROOF_H_
