#include "common/merkle/tree.h"

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

}  // namespace

Digest HashLeaf(absl::string_view bytes) {
  return Sha256OfPrefixed(kLeafPrefix, bytes);
}

Digest HashNode(const Digest& left, const Digest& right) {
  return Sha256OfPrefixed(kNodePrefix, left, right);
}

Digest EmptyRoot() { return Sha256Of(""); }

Digest MerkleRoot(absl::Span<const Digest> leaf_hashes) {
  if (leaf_hashes.empty()) return EmptyRoot();
  // A binary counter: after i leaves the stack holds one digest for each one
  // bit of i.
  std::array<Digest, 64> stack;
  size_t depth = 0;
  for (uint64_t i = 0; i < leaf_hashes.size(); ++i) {
    Digest node = leaf_hashes[i];
    for (int merges = std::countr_one(i); merges > 0; --merges) {
      node = HashNode(stack[--depth], node);
    }
    stack[depth++] = node;
  }
  return FoldSubtrees(stack.data(), depth);
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
