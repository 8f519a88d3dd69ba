#include "common/merkle/tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <utility>

namespace windproof {
namespace {

constexpr uint8_t kLeafPrefix = 0x00;
constexpr uint8_t kNodePrefix = 0x01;

// Folds `nodes`, the roots of complete subtrees from the largest to the
// smallest, into the root of the whole tree.
Digest FoldSubtrees(const Digest* nodes, size_t count) {
  Digest root = nodes[count - 1];
  for (size_t i = count - 1; i-- > 0;) root = HashNode(nodes[i], root);
  return root;
}

// A power of two: complete chunks are complete subtrees.
constexpr size_t kChunk = 64;

// The root over 1 to kChunk leaf hashes, level by level: the nodes of a level
// do not depend on each other.
Digest ChunkRoot(absl::Span<const Digest> leaf_hashes) {
  std::array<Digest, kChunk> nodes;
  std::copy(leaf_hashes.begin(), leaf_hashes.end(), nodes.begin());
  for (size_t count = leaf_hashes.size(); count > 1;) {
    size_t made = 0;
    size_t taken = 0;
    for (; taken + 4 <= count; taken += 4, made += 2) {
      const DigestPair pair = Sha256PairOfPrefixed(kNodePrefix, &nodes[taken]);
      nodes[made] = pair.first;
      nodes[made + 1] = pair.second;
    }
    if (taken + 2 <= count) {
      nodes[made++] = HashNode(nodes[taken], nodes[taken + 1]);
      taken += 2;
    }
    // One without a neighbour goes up as it is.
    if (taken < count) nodes[made++] = nodes[taken];
    count = made;
  }
  return nodes[0];
}

}  // namespace

Digest HashLeaf(absl::string_view bytes) {
  return Sha256OfPrefixed(kLeafPrefix, bytes);
}

DigestPair HashLeafPair(absl::string_view first, absl::string_view second) {
  return Sha256PairOfPrefixed(kLeafPrefix, first, second);
}

Digest HashNode(const Digest& left, const Digest& right) {
  return Sha256OfPrefixed(kNodePrefix, left, right);
}

Digest EmptyRoot() { return Sha256Of(""); }

Digest MerkleRoot(absl::Span<const Digest> leaf_hashes) {
  if (leaf_hashes.empty()) return EmptyRoot();
  // One digest for each complete chunk and what they add up to, as in a
  // StreamingRoot; then the rest, which is a tree of its own.
  StreamingRoot chunks;
  for (; leaf_hashes.size() > kChunk; leaf_hashes.remove_prefix(kChunk)) {
    chunks.Add(ChunkRoot(leaf_hashes.first(kChunk)));
  }
  const Digest last = ChunkRoot(leaf_hashes);
  std::vector<Digest> subtrees = chunks.subtrees();
  subtrees.push_back(last);
  return FoldSubtrees(subtrees.data(), subtrees.size());
}

void StreamingRoot::Add(const Digest& leaf_hash) {
  Digest node = leaf_hash;
  for (int merges = std::countr_one(size_); merges > 0; --merges) {
    node = HashNode(subtrees_.back(), node);
    subtrees_.pop_back();
  }
  subtrees_.push_back(node);
  ++size_;
}

Digest StreamingRoot::Root() const {
  if (size_ == 0) return EmptyRoot();
  return FoldSubtrees(subtrees_.data(), subtrees_.size());
}

void StreamingRoot::Clear() {
  size_ = 0;
  subtrees_.clear();  // keeps its memory
}

StreamingRoot StreamingRoot::FromSubtrees(uint64_t size,
                                          std::vector<Digest> subtrees) {
  assert(subtrees.size() == static_cast<size_t>(std::popcount(size)));
  StreamingRoot root;
  root.size_ = size;
  root.subtrees_ = std::move(subtrees);
  return root;
}

}  // namespace windproof
