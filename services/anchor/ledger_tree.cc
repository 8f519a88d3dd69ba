#include "services/anchor/ledger_tree.h"

#include <algorithm>
#include <bit>

#include "common/merkle/tree.h"

namespace windproof {
namespace {

// The root over leaves [begin, end), where `begin` is a multiple of the
// smallest power of two >= end - begin: folded from complete subtrees.
absl::StatusOr<Digest> RangeRoot(uint64_t begin, uint64_t end,
                                 NodeReader reader) {
  std::vector<Digest> subtrees;  // largest first
  while (begin < end) {
    const int level = std::bit_width(end - begin) - 1;
    begin += uint64_t{1} << level;
    absl::StatusOr<Digest> node = reader(begin - 1, level);
    if (!node.ok()) return node.status();
    subtrees.push_back(*node);
  }
  Digest root = subtrees.back();
  for (size_t i = subtrees.size() - 1; i-- > 0;) {
    root = HashNode(subtrees[i], root);
  }
  return root;
}

}  // namespace

absl::Span<const Digest> LedgerTree::Append(const Digest& leaf_hash) {
  beside_.assign(1, leaf_hash);
  for (int merges = std::countr_one(size_); merges > 0; --merges) {
    beside_.push_back(HashNode(frontier_.back(), beside_.back()));
    frontier_.pop_back();
  }
  frontier_.push_back(beside_.back());
  ++size_;
  return beside_;
}

Digest LedgerTree::Root() const {
  if (size_ == 0) return EmptyRoot();
  Digest root = frontier_.back();
  for (size_t i = frontier_.size() - 1; i-- > 0;) {
    root = HashNode(frontier_[i], root);
  }
  return root;
}

int HashesBeside(uint64_t position) { return 1 + std::countr_one(position); }

absl::StatusOr<InclusionProof> ProveFromNodes(uint64_t leaf_index,
                                              uint64_t size,
                                              NodeReader reader) {
  InclusionProof proof{leaf_index, size, {}};
  for (int level = 0; (size - 1) >> level > 0; ++level) {
    const uint64_t width = uint64_t{1} << level;
    const uint64_t node = leaf_index >> level;
    const uint64_t begin = (node ^ 1) << level;
    if (begin >= size)
      continue;  // the last node of a level may have no sibling
    const uint64_t end = size - begin < width ? size : begin + width;
    absl::StatusOr<Digest> sibling = RangeRoot(begin, end, reader);
    if (!sibling.ok()) return sibling.status();
    proof.siblings.push_back(*sibling);
  }
  return proof;
}

absl::StatusOr<Digest> RootFromNodes(uint64_t size, NodeReader reader) {
  if (size == 0) return EmptyRoot();
  return RangeRoot(0, size, reader);
}

absl::StatusOr<ConsistencyProof> ConsistencyFromNodes(uint64_t old_size,
                                                      uint64_t new_size,
                                                      NodeReader reader) {
  ConsistencyProof proof{old_size, new_size, {}};
  const auto add = [&](uint64_t begin, uint64_t end) {
    absl::StatusOr<Digest> node = RangeRoot(begin, end, reader);
    if (!node.ok()) return node.status();
    proof.nodes.push_back(*node);
    return absl::OkStatus();
  };
  // From the root down to where the old tree ends; PROOF wants the reverse.
  uint64_t begin = 0;
  uint64_t end = new_size;
  absl::Status status;
  while (status.ok() && old_size < end) {
    const uint64_t split = begin + std::bit_floor(end - begin - 1);
    if (old_size <= split) {
      status = add(split, end);
      end = split;
    } else {
      status = add(begin, split);
      begin = split;
    }
  }
  // Whoever checks it has the old root; any other node must be told.
  if (status.ok() && begin > 0) status = add(begin, end);
  if (!status.ok()) return status;
  std::reverse(proof.nodes.begin(), proof.nodes.end());
  return proof;
}

}  // namespace windproof
