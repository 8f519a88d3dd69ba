// Publishes on a stream, each item with one effect.
//
// What is published is on disk as an intent before the node hears of it, and
// stays there until the item is buried so deep that no reorganisation is
// expected to take it away. After an outcome that is not known the stream is
// read before the same is published again; what the chain lost, and what was
// meant and never appeared, is published anew.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_PUBLISHER_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_PUBLISHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/sync/mutex.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/intent_store.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/multichain/stream_view.h"

namespace windproof {

// An intent is kept this many confirmations longer than ANCHORED needs.
inline constexpr int64_t kBuriedBeyond = 100;

// A node that was asked to publish has done it by then, or will not.
inline constexpr int64_t kUnknownMaxMs = 60'000;

// What a caller of a Ledger is told of a node's answer: what the configuration,
// or somebody's permission, must mend leaves our callers with trying again.
absl::Status ForLedgerCaller(const absl::Status& status);

// Thread-safe.
class StreamPublisher {
 public:
  struct Options {
    int64_t confirmations = 1;
    std::function<int64_t()> steady_ms;           // never goes back. Required.
    std::function<void(absl::string_view)> warn;  // may be empty
  };

  // All must outlive it.
  StreamPublisher(Options options, StreamNode& node, StreamView& view,
                  IntentStore& intents);

  // As Ledger's; the drafts have been checked.
  absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> drafts) ABSL_LOCKS_EXCLUDED(publish_mutex_);

  // Drops what has been buried, and publishes anew what was lost or never
  // appeared, in the order in which it was meant. To be called after each
  // successful StreamView::Refresh(true), by one thread.
  absl::Status Tend() ABSL_LOCKS_EXCLUDED(publish_mutex_);

  // Items that are meant to be on the stream and were not at the last Tend().
  int64_t pending();

 private:
  // With `keep_refused` the intent outlives a refusal.
  absl::StatusOr<std::vector<std::string>> PublishLocked(
      absl::Span<const LedgerDraft> drafts, bool keep_refused)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(publish_mutex_);
  // Finds the txids of what may be there already, and what is to be published:
  // indexes into `drafts`.
  absl::Status LookUp(absl::Span<const LedgerDraft> drafts,
                      std::vector<std::string>* txids,
                      std::vector<size_t>* to_publish);
  absl::Status Forget(absl::Span<const LedgerDraft> drafts);
  // What became of the intents of the process before.
  absl::Status Reconcile();
  absl::Status RemoveBuried();
  absl::Status PublishMissing() ABSL_LOCKS_EXCLUDED(publish_mutex_);
  absl::Status CountPending();
  void Warn(absl::string_view line) const;

  const Options options_;
  StreamNode& node_;
  StreamView& view_;
  IntentStore& intents_;

  Mutex publish_mutex_;  // one batch at a time

  Mutex mutex_;  // never held while the node or the view is asked
  // Whether all intents of the process before have been looked at.
  bool reconciled_ ABSL_GUARDED_BY(mutex_) = false;
  // Intents of which it is not known whether the node executed them, or will,
  // and since when that is so.
  std::map<Digest, int64_t> unknown_ ABSL_GUARDED_BY(mutex_);
  // To be published again now.
  std::set<Digest> lost_ ABSL_GUARDED_BY(mutex_);
  int64_t pending_ ABSL_GUARDED_BY(mutex_) = 0;
  // First height that is not buried yet.
  int64_t buried_end_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_PUBLISHER_H_
