// Heads of the ledger that were checked lately.
//
// Most requests see the same head, and its signature is the dearest part of
// what a small window costs: it is checked once. Heads of one log must be
// consistent with each other for ever, so what was seen is kept for all
// requests of a process. Thread-safe.
#ifndef WINDPROOF_SERVICES_VERIFIER_HEAD_BOOK_H_
#define WINDPROOF_SERVICES_VERIFIER_HEAD_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree_head.h"
#include "common/sync/mutex.h"
#include "services/verifier/anchor_check.h"
#include "services/verifier/ledger_trust.h"

namespace windproof {

class HeadBook {
 public:
  // `ledger` must outlive the book.
  explicit HeadBook(const LedgerTrust& ledger) : ledger_(ledger) {}

  // As CheckHead(). What it comes to depends on the head and the ledger's key
  // alone, so it is never out of date. A chain has no heads, and each of its
  // items a place of its own: nothing is found then.
  CheckedHead Check(const ServedHead& served);

  // The head that `head` must be shown to be consistent with: the largest that
  // was seen, or one of the same size and another root. Nothing where that was
  // shown already, or no other was seen.
  std::optional<TreeHead> ToCompareWith(const TreeHead& head);
  // `head` was shown to be consistent with what ToCompareWith() said.
  void NoteConsistent(const TreeHead& head);

 private:
  static constexpr size_t kMaxHeads = 16;
  static constexpr size_t kMaxConsistent = 4096;

  const LedgerTrust& ledger_;
  Mutex mutex_;
  // Those that passed, by all that was served; the one used last is in front.
  std::list<std::pair<std::string, CheckedHead>> heads_ ABSL_GUARDED_BY(mutex_);
  // Roots by size, of heads that are consistent with each other.
  std::map<uint64_t, Digest> consistent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_HEAD_BOOK_H_
