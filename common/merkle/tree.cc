#include "common/merkle/tree.h"

#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <utility>

namespace windproof {
namespace {

constexpr char kLeafPrefix = 0x00;
constexpr char kNodePrefix = 0x01;

// Folds `nodes`, the roots of complete subtrees from the largest to the
// smallest, into the root of the whole tree.
Digest FoldSubtrees(const Digest* nodes, size_t count) {
  Digest root = nodes[count - 1];
  for (size_t i = count - 1; i-- > 0;) root = HashNode(nodes[i], root);
  return root;
}

}  // namespace

Digest HashLeaf(absl::string_view bytes) {
  // One call on a copy costs less than a second Update for the prefix.
  char buffer[512];
  if (bytes.size() < sizeof(buffer)) {
    buffer[0] = kLeafPrefix;
    if (!bytes.empty()) std::memcpy(buffer + 1, bytes.data(), bytes.size());
    return Sha256Of(absl::string_view(buffer, bytes.size() + 1));
  }
  return Sha256Of({absl::string_view(&kLeafPrefix, 1), bytes});
}

Digest HashNode(const Digest& left, const Digest& right) {
  char buffer[1 + 2 * sizeof(Digest)];
  buffer[0] = kNodePrefix;
  std::memcpy(buffer + 1, left.data(), left.size());
  std::memcpy(buffer + 1 + left.size(), right.data(), right.size());
  return Sha256Of(absl::string_view(buffer, sizeof(buffer)));
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
