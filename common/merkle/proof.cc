#include "common/merkle/proof.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "common/merkle/tree.h"

namespace windproof {
namespace {

// The largest power of two below `n`, which is > 1: where a tree is split.
uint64_t SplitOf(uint64_t n) { return std::bit_floor(n - 1); }

// Whether [start, end) can be a node's leaves in some tree.
bool IsSubtree(const Subtree& subtree) {
  if (subtree.start > subtree.end) return false;
  const uint64_t size = subtree.end - subtree.start;
  // 2^64 has no multiple but 0 here.
  if (size > uint64_t{1} << 63) return subtree.start == 0;
  return subtree.start % std::bit_ceil(size) == 0;
}

absl::Status NotASubtree(const Subtree& subtree) {
  return absl::InvalidArgumentError(
      absl::StrCat("[", subtree.start, ", ", subtree.end,
                   ") is no subtree; its start must be a multiple of its size "
                   "rounded up to a power of two"));
}

}  // namespace

absl::StatusOr<InclusionProof> ProveInclusion(
    absl::Span<const Digest> leaf_hashes, uint64_t leaf_index) {
  if (leaf_index >= leaf_hashes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("leaf_index is ", leaf_index, "; the tree has ",
                     leaf_hashes.size(), " leaves"));
  }
  InclusionProof proof{leaf_index, leaf_hashes.size(), {}};
  // From the root down to the leaf; PATH wants the reverse.
  absl::Span<const Digest> rest = leaf_hashes;
  uint64_t index = leaf_index;
  while (rest.size() > 1) {
    const uint64_t split = SplitOf(rest.size());
    if (index < split) {
      proof.siblings.push_back(MerkleRoot(rest.subspan(split)));
      rest = rest.first(split);
    } else {
      proof.siblings.push_back(MerkleRoot(rest.first(split)));
      rest = rest.subspan(split);
      index -= split;
    }
  }
  std::reverse(proof.siblings.begin(), proof.siblings.end());
  return proof;
}

absl::StatusOr<ConsistencyProof> ProveConsistency(
    absl::Span<const Digest> leaf_hashes, uint64_t old_size) {
  if (old_size == 0 || old_size > leaf_hashes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("old_size is ", old_size, "; 1 to ", leaf_hashes.size(),
                     " is accepted"));
  }
  ConsistencyProof proof{old_size, leaf_hashes.size(), {}};
  absl::Span<const Digest> rest = leaf_hashes;
  uint64_t old_rest = old_size;  // leaves of the old tree among `rest`
  while (old_rest < rest.size()) {
    const uint64_t split = SplitOf(rest.size());
    if (old_rest <= split) {
      proof.nodes.push_back(MerkleRoot(rest.subspan(split)));
      rest = rest.first(split);
    } else {
      proof.nodes.push_back(MerkleRoot(rest.first(split)));
      rest = rest.subspan(split);
      old_rest -= split;
    }
  }
  // The verifier has the old root; any other node must be told.
  if (rest.size() < old_size) proof.nodes.push_back(MerkleRoot(rest));
  std::reverse(proof.nodes.begin(), proof.nodes.end());
  return proof;
}

absl::StatusOr<Digest> RootFromInclusionProof(const Digest& leaf_hash,
                                              const InclusionProof& proof) {
  if (proof.leaf_index >= proof.leaf_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("leaf_index is ", proof.leaf_index, "; the tree has ",
                     proof.leaf_count, " leaves"));
  }
  // Up to the level where the leaf's path meets that of the last leaf, each
  // level has a sibling on either side; above it, only on the left.
  const int both = std::bit_width(proof.leaf_index ^ (proof.leaf_count - 1));
  const int left = both == 64 ? 0 : std::popcount(proof.leaf_index >> both);
  if (proof.siblings.size() != static_cast<size_t>(both + left)) {
    return absl::InvalidArgumentError(
        absl::StrCat("inclusion proof has ", proof.siblings.size(),
                     " siblings; ", both + left, " are accepted for leaf ",
                     proof.leaf_index, " of ", proof.leaf_count));
  }
  Digest root = leaf_hash;
  for (int level = 0; level < both + left; ++level) {
    const bool is_right = level >= both || (proof.leaf_index >> level & 1) == 1;
    const Digest& sibling = proof.siblings[level];
    root = is_right ? HashNode(sibling, root) : HashNode(root, sibling);
  }
  return root;
}

absl::Status CheckConsistency(const ConsistencyProof& proof,
                              const Digest& old_root, const Digest& new_root) {
  if (proof.old_size == 0 || proof.old_size > proof.new_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("old_size is ", proof.old_size, "; 1 to ", proof.new_size,
                     " (new_size) is accepted"));
  }
  return CheckSubtreeConsistency({0, proof.old_size}, proof.new_size,
                                 proof.nodes, old_root, new_root);
}

absl::StatusOr<Digest> RootFromSubtreeInclusionProof(
    const Digest& leaf_hash, uint64_t leaf_index, const Subtree& subtree,
    absl::Span<const Digest> siblings) {
  if (!IsSubtree(subtree)) return NotASubtree(subtree);
  if (leaf_index < subtree.start || leaf_index >= subtree.end) {
    return absl::InvalidArgumentError(
        absl::StrCat("leaf_index is ", leaf_index, "; the subtree holds [",
                     subtree.start, ", ", subtree.end, ")"));
  }
  return RootFromInclusionProof(
      leaf_hash, InclusionProof{leaf_index - subtree.start,
                                subtree.end - subtree.start,
                                {siblings.begin(), siblings.end()}});
}

absl::Status CheckSubtreeConsistency(const Subtree& subtree, uint64_t size,
                                     absl::Span<const Digest> nodes,
                                     const Digest& subtree_root,
                                     const Digest& root) {
  if (!IsSubtree(subtree)) return NotASubtree(subtree);
  if (subtree.end > size) {
    return absl::InvalidArgumentError(absl::StrCat(
        "subtree ends at ", subtree.end, "; the tree has ", size, " leaves"));
  }
  if (subtree.start == subtree.end) {
    if (!nodes.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "consistency proof has ", nodes.size(), " nodes; 0 are accepted"));
    }
    if (subtree_root != EmptyRoot()) {
      return absl::InvalidArgumentError(
          "the root of an empty subtree is not SHA-256 of no bytes");
    }
    return absl::OkStatus();
  }

  // As RFC 9162 section 2.1.4.2: the paths of the subtree's first and last leaf
  // and of the tree's last leaf, from the largest node upward that ends with
  // the subtree.
  uint64_t first = subtree.start;
  uint64_t last = subtree.end - 1;
  uint64_t tree_last = size - 1;
  const auto go_up = [&](int levels) {
    for (uint64_t* path : {&first, &last, &tree_last}) {
      *path = levels < 64 ? *path >> levels : 0;
    }
  };
  if (last == tree_last) {
    go_up(std::bit_width(first ^ last));
  } else {
    go_up(std::min<int>(std::bit_width(first ^ last), std::countr_one(last)));
  }
  size_t next = 0;
  Digest subtree_seed = subtree_root;
  if (first != last) {
    if (nodes.empty()) {
      return absl::InvalidArgumentError("consistency proof has too few nodes");
    }
    subtree_seed = nodes[next++];
  }
  Digest found_subtree = subtree_seed;
  Digest found = subtree_seed;
  for (; next < nodes.size(); ++next) {
    if (tree_last == 0) {
      return absl::InvalidArgumentError(absl::StrCat("consistency proof has ",
                                                     nodes.size(), " nodes; ",
                                                     next, " are accepted"));
    }
    if ((last & 1) == 1 || last == tree_last) {
      if (first < last) found_subtree = HashNode(nodes[next], found_subtree);
      found = HashNode(nodes[next], found);
      if ((last & 1) == 0) go_up(std::countr_zero(last));
    } else {
      found = HashNode(found, nodes[next]);
    }
    go_up(1);
  }
  if (tree_last != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "consistency proof has ", nodes.size(), " nodes; more are needed"));
  }
  if (found_subtree != subtree_root) {
    return absl::InvalidArgumentError(
        absl::StrCat("consistency proof leads to old root ",
                     HexOf(found_subtree), ", not ", HexOf(subtree_root)));
  }
  if (found != root) {
    return absl::InvalidArgumentError(
        absl::StrCat("consistency proof leads to new root ", HexOf(found),
                     ", not ", HexOf(root)));
  }
  return absl::OkStatus();
}

}  // namespace windproof
