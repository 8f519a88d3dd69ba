#include "services/verifier/head_book.h"

#include <algorithm>

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

}  // namespace windproof
