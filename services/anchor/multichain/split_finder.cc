#include "services/anchor/multichain/split_finder.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace windproof {
namespace {

// Whose items are compared in one step.
constexpr int64_t kHeightsAtOnce = 500;

absl::Status Moved() {
  return absl::UnavailableError("a node's chain moved while it was compared");
}

// What only `set` has, the first of it; empty: nothing.
std::string FirstOnlyOf(const std::set<std::string>& set,
                        const std::set<std::string>& other) {
  for (const std::string& item : set) {
    if (other.count(item) == 0) return item;
  }
  return "";
}

int64_t HeightOf(absl::string_view item) {
  int64_t height = 0;
  static_cast<void>(absl::SimpleAtoi(item.substr(0, item.find(' ')), &height));
  return height;
}

}  // namespace

SplitFinder::SplitFinder(int64_t confirmations, ChainSide& ours,
                         ChainSide& theirs)
    : confirmations_(confirmations), ours_(ours), theirs_(theirs) {}

absl::StatusOr<int64_t> SplitFinder::Common() {
  const absl::StatusOr<int64_t> ours = ours_.Height();
  if (!ours.ok()) return ours;
  const absl::StatusOr<int64_t> theirs = theirs_.Height();
  if (!theirs.ok()) return theirs;
  return std::min(*ours, *theirs) - (confirmations_ - 1);
}

absl::StatusOr<bool> SplitFinder::SameBlock(int64_t height) {
  const absl::StatusOr<std::string> ours = ours_.BlockHash(height);
  const absl::StatusOr<std::string> theirs = theirs_.BlockHash(height);
  if (absl::IsNotFound(ours.status()) || absl::IsNotFound(theirs.status())) {
    return Moved();
  }
  if (!ours.ok()) return ours.status();
  if (!theirs.ok()) return theirs.status();
  return *ours == *theirs;
}

absl::StatusOr<std::optional<Split>> SplitFinder::Find() {
  const absl::StatusOr<int64_t> common = Common();
  if (!common.ok()) return common.status();
  if (*common < 0) return std::optional<Split>();
  absl::StatusOr<std::optional<Split>> split = FindBlocks(*common);
  if (!split.ok() || split->has_value()) return split;
  return FindItems(*common);
}

absl::StatusOr<std::optional<Split>> SplitFinder::FindBlocks(int64_t common) {
  absl::StatusOr<bool> same = SameBlock(common);
  if (!same.ok()) return same.status();
  if (*same) {
    blocks_agreed_ = common;
    return std::optional<Split>();
  }
  // A block names the one before it: where two differ, all above do.
  int64_t equal = std::min(blocks_agreed_, common - 1);
  if (equal >= 0) {
    same = SameBlock(equal);
    if (!same.ok()) return same.status();
    if (!*same) {
      common = equal;
      equal = -1;
    }
  }
  while (common - equal > 1) {
    const int64_t middle = equal + (common - equal) / 2;
    same = SameBlock(middle);
    if (!same.ok()) return same.status();
    (*same ? equal : common) = middle;
  }
  blocks_agreed_ = equal;
  items_agreed_ = std::min(items_agreed_, equal);
  // Both are asked once more: one may have changed its mind while the other
  // answered.
  Split split;
  split.height = common;
  const absl::StatusOr<int64_t> still = Common();
  if (!still.ok()) return still.status();
  const absl::StatusOr<std::string> ours = ours_.BlockHash(split.height);
  const absl::StatusOr<std::string> theirs = theirs_.BlockHash(split.height);
  if (*still < split.height || !ours.ok() || !theirs.ok() || *ours == *theirs) {
    return Moved();
  }
  split.ours = *ours;
  split.theirs = *theirs;
  return std::optional<Split>(std::move(split));
}

absl::StatusOr<std::optional<Split>> SplitFinder::FindItems(int64_t common) {
  items_agreed_ = std::min(items_agreed_, common);
  while (items_agreed_ < common) {
    const int64_t end =
        std::min(items_agreed_ + 1 + kHeightsAtOnce, common + 1);
    const auto ours = ours_.Items(items_agreed_ + 1, end);
    if (!ours.ok()) return ours.status();
    const auto theirs = theirs_.Items(items_agreed_ + 1, end);
    if (!theirs.ok()) return theirs.status();
    if (*ours == *theirs) {
      items_agreed_ = end - 1;
      continue;
    }
    Split split;
    split.of_items = true;
    split.only_ours = FirstOnlyOf(*ours, *theirs);
    split.only_theirs = FirstOnlyOf(*theirs, *ours);
    split.height = common;
    for (const std::string& item : {split.only_ours, split.only_theirs}) {
      if (!item.empty()) split.height = std::min(split.height, HeightOf(item));
    }
    // Other blocks by now explain other items.
    const absl::StatusOr<bool> same = SameBlock(common);
    if (!same.ok()) return same.status();
    const absl::StatusOr<std::string> hash = ours_.BlockHash(split.height);
    if (!*same || !hash.ok()) return Moved();
    split.ours = *hash;
    split.theirs = *hash;
    return std::optional<Split>(std::move(split));
  }
  return std::optional<Split>();
}

}  // namespace windproof
