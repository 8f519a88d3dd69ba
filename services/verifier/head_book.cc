#include "services/verifier/head_book.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace windproof {

CheckedHead HeadBook::Check(const ServedHead& served) {
  if (!ledger_.key.has_value()) return CheckedHead();
  const std::string id = absl::StrCat(served.size, "\n", served.root.size(),
                                      "\n", served.root, served.note);
  {
    MutexLock lock(mutex_);
    const auto known =
        std::find_if(heads_.begin(), heads_.end(),
                     [&](const auto& head) { return head.first == id; });
    if (known != heads_.end()) {
      heads_.splice(heads_.begin(), heads_, known);
      return known->second;
    }
  }
  CheckedHead checked = CheckHead(served, *ledger_.key);
  // What is not the ledger's could be anything, of any size.
  if (!checked.head.has_value()) return checked;
  MutexLock lock(mutex_);
  heads_.emplace_front(id, checked);
  if (heads_.size() > kMaxHeads) heads_.pop_back();
  return checked;
}

std::optional<TreeHead> HeadBook::ToCompareWith(const TreeHead& head) {
  MutexLock lock(mutex_);
  if (consistent_.empty()) {
    consistent_.emplace(head.size, head.root);
    return std::nullopt;
  }
  auto seen = consistent_.find(head.size);
  if (seen != consistent_.end() && seen->second == head.root) {
    return std::nullopt;
  }
  if (seen == consistent_.end()) seen = std::prev(consistent_.end());
  return TreeHead{head.origin, seen->first, seen->second, {}};
}

void HeadBook::NoteConsistent(const TreeHead& head) {
  MutexLock lock(mutex_);
  consistent_.emplace(head.size, head.root);
  // The largest one is what counts; the smallest are asked for least.
  if (consistent_.size() > kMaxConsistent) {
    consistent_.erase(consistent_.begin());
  }
}

}  // namespace windproof
