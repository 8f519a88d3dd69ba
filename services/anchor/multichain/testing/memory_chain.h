// A chain in memory, for tests of what publishes on one: items without a block
// until there is one, and everything that a chain can do to them on request.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_MEMORY_CHAIN_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_MEMORY_CHAIN_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/sync/mutex.h"
#include "services/anchor/ledger.h"

namespace windproof {

// What outlives the ledgers on it. Thread-safe.
class MemoryChain {
 public:
  struct Item {
    LedgerDraft draft;
    int64_t height = -1;
    bool lost = false;
  };

  void Mine() {
    MutexLock lock(mutex_);
    ++height_;
    for (Item& item : items_) {
      if (item.height < 0) item.height = height_;
    }
    Changed();
  }
  // The last `depth` blocks are replaced by one that has none of their items.
  void Reorganise(int64_t depth) {
    MutexLock lock(mutex_);
    height_ -= depth;
    for (Item& item : items_) {
      if (item.height > height_) item.height = -1;
    }
    ++height_;
    Changed();
  }
  void Lose(size_t position) {
    MutexLock lock(mutex_);
    items_[position].lost = true;
    Changed();
  }
  // As another one does.
  void Put(LedgerDraft draft) {
    MutexLock lock(mutex_);
    items_.push_back({std::move(draft), -1, false});
    Changed();
  }
  // While set, everything answers Unavailable.
  void SetAway(bool away) {
    MutexLock lock(mutex_);
    away_ = away;
    Changed();
  }
  // The next publications are done and answer Unavailable.
  void LoseReplies(int count) {
    MutexLock lock(mutex_);
    lose_replies_ = count;
  }

  std::vector<Item> items() {
    MutexLock lock(mutex_);
    return items_;
  }

 private:
  friend class MemoryChainLedger;

  void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++version_;
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  std::vector<Item> items_ ABSL_GUARDED_BY(mutex_);
  int64_t height_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  bool away_ ABSL_GUARDED_BY(mutex_) = false;
  int lose_replies_ ABSL_GUARDED_BY(mutex_) = 0;
};

// One view of a chain, which must outlive it. As MultiChainLedger, it does not
// publish again what it has published without knowing. Thread-safe.
class MemoryChainLedger : public Ledger {
 public:
  explicit MemoryChainLedger(MemoryChain& chain) : chain_(chain) {}

  absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> items) override {
    MutexLock lock(chain_.mutex_);
    if (chain_.away_) return Away();
    std::vector<std::string> txids;
    for (const LedgerDraft& draft : items) {
      const auto same = std::find_if(
          chain_.items_.begin(), chain_.items_.end(),
          [&](const auto& item) { return item.draft.data == draft.data; });
      txids.push_back(absl::StrCat("tx", same - chain_.items_.begin()));
      if (unknown_ != draft.data || same == chain_.items_.end()) {
        txids.back() = absl::StrCat("tx", chain_.items_.size());
        chain_.items_.push_back({draft, -1, false});
      }
      unknown_ = chain_.lose_replies_ > 0 ? draft.data : "";
    }
    chain_.Changed();
    if (chain_.lose_replies_ > 0) {
      --chain_.lose_replies_;
      return absl::UnavailableError("the reply was lost");
    }
    return txids;
  }

  absl::StatusOr<LedgerPage> Find(absl::string_view key,
                                  const LedgerQuery& query) override {
    return Page(query, [&](const LedgerDraft& draft) {
      return std::count(draft.keys.begin(), draft.keys.end(), key) > 0;
    });
  }

  absl::StatusOr<LedgerPage> Read(const LedgerQuery& query) override {
    return Page(query, [](const LedgerDraft&) { return true; });
  }

  absl::StatusOr<LedgerState> State() override {
    MutexLock lock(chain_.mutex_);
    if (chain_.away_) return Away();
    LedgerState state;
    state.kind = "memory";
    state.name = "chain/stream";
    state.size = static_cast<int64_t>(chain_.items_.size());
    state.chain.emplace();
    state.chain->chain = "chain";
    state.chain->height = chain_.height_;
    state.chain->mode = "direct";
    for (const auto& item : chain_.items_) {
      if (item.height < 0) ++state.chain->unconfirmed;
    }
    return state;
  }

  bool WaitForGrowth(int64_t size,
                     std::chrono::steady_clock::time_point deadline) override {
    MutexLock lock(chain_.mutex_);
    const int64_t version = chain_.version_;
    while (!stopped_ && static_cast<int64_t>(chain_.items_.size()) <= size &&
           version == chain_.version_ &&
           chain_.changed_.WaitUntil(chain_.mutex_, deadline)) {
    }
    return static_cast<int64_t>(chain_.items_.size()) > size;
  }

  void StopWaiting() override {
    MutexLock lock(chain_.mutex_);
    stopped_ = true;
    chain_.changed_.NotifyAll();
  }

 private:
  static absl::Status Away() {
    return absl::UnavailableError("the chain is away");
  }

  template <typename Matches>
  absl::StatusOr<LedgerPage> Page(const LedgerQuery& query, Matches matches) {
    MutexLock lock(chain_.mutex_);
    LedgerPage page;
    const auto size = static_cast<int64_t>(chain_.items_.size());
    page.next = size;
    for (int64_t i = query.first; i < size; ++i) {
      const MemoryChain::Item& item = chain_.items_[i];
      if (item.lost || !matches(item.draft)) continue;
      if (static_cast<int64_t>(page.items.size()) >= query.max_items) {
        page.at_end = false;
        page.next = i;
        break;
      }
      LedgerItem shown;
      shown.position = i;
      shown.txid = absl::StrCat("tx", i);
      shown.keys = item.draft.keys;
      shown.data = item.draft.data;
      shown.publisher = "memory";
      shown.confirmations =
          item.height < 0 ? 0 : chain_.height_ - item.height + 1;
      if (query.with_inclusion) shown.chain.emplace();
      page.items.push_back(std::move(shown));
    }
    return page;
  }

  MemoryChain& chain_;
  std::string unknown_ ABSL_GUARDED_BY(chain_.mutex_);
  bool stopped_ ABSL_GUARDED_BY(chain_.mutex_) = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_TESTING_MEMORY_CHAIN_H_
