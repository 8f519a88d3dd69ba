// A ledger whose items stand in a log of our own, and the log's heads on a
// block chain: the chain's cost no longer grows with the number of items.
//
// Source: docs/formats/ledger.md (batched mode). The log is an EmbeddedLedger:
// an RFC 6962 tree in RocksDB with heads that its key signs. Publish() appends
// to it; the newest head is published on the chain, as one item, when the first
// item that no published head covers is flush_interval_ms old, or flush_count
// of them wait. An item has the confirmations of the first head on the chain
// that covers it. Its evidence are the entry's bytes, their way to a head that
// stands on the chain, and that head's own evidence there.
//
// Heads on the chain that are not of this log, though its key signed them, mean
// that the log was lost, put back from an older copy, or has a twin: then it is
// broken, and nothing more is written.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_BATCHED_LEDGER_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_BATCHED_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/signed_note.h"
#include "common/sync/mutex.h"
#include "services/anchor/embedded_ledger.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/chain_heads.h"

namespace windproof {

// Thread-safe.
class BatchedLedger : public Ledger {
 public:
  struct Options {
    VerifierKey key;            // of the log
    int64_t confirmations = 1;  // that a head should have to be shown
    int64_t flush_interval_ms = 10'000;
    int64_t flush_count = 10'000;
    // The longest time between two looks at the chain.
    int64_t poll_ms = 1'000;
    // Told what an operator must know, one line each. Must be thread-safe.
    std::function<void(absl::string_view)> warn;
    // Ends what the chain's ledger waits for: at the end, where there is such a
    // thing.
    std::function<void()> cancel;
  };

  BatchedLedger(Options options, std::unique_ptr<EmbeddedLedger> log,
                std::unique_ptr<Ledger> chain);
  // What no head covers yet is published after the next start.
  ~BatchedLedger() override;

  // Unavailable also until the chain has been read once since the start, and
  // while it cannot be: a log that was put back from an older copy must not
  // grow before that shows.
  absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> items) override;
  absl::StatusOr<LedgerPage> Find(absl::string_view key,
                                  const LedgerQuery& query) override;
  absl::StatusOr<LedgerPage> Read(const LedgerQuery& query) override;
  absl::StatusOr<ConsistencyProof> ProveConsistency(int64_t old_size,
                                                    int64_t new_size) override;
  absl::StatusOr<LedgerState> State() override;
  LedgerState LastState() override;
  bool WaitForGrowth(int64_t size,
                     std::chrono::steady_clock::time_point deadline) override;
  void StopWaiting() override;

 private:
  using Time = std::chrono::steady_clock::time_point;

  // What stands between us and the chain, or OK.
  absl::Status Health();
  // Asks the chain for its state and reads its heads.
  absl::Status Refresh() ABSL_LOCKS_EXCLUDED(refresh_mutex_);
  void Follow();  // the thread that looks at the chain
  void Flush();   // the thread that publishes heads

  // When the next head is to be published; the end of time if nothing waits.
  Time DueAt() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Publishes one head: again the one whose outcome is not known, or else the
  // newest.
  absl::Status PublishHead();

  // What log and heads say, over what the chain says of itself.
  LedgerState Describe(const LedgerState& log, LedgerState chain)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Adds what only the chain knows of the items.
  absl::StatusOr<LedgerPage> Complete(absl::StatusOr<LedgerPage> page,
                                      const LedgerQuery& query);

  const Options options_;
  const std::unique_ptr<EmbeddedLedger> log_;
  const std::unique_ptr<Ledger> chain_;
  ChainHeads heads_;

  Mutex refresh_mutex_;  // one look at a time

  Mutex mutex_;
  CondVar changed_;
  absl::Status health_ ABSL_GUARDED_BY(mutex_) =
      absl::UnavailableError("the chain has not been read yet");
  bool read_once_ ABSL_GUARDED_BY(mutex_) = false;
  LedgerState chain_state_ ABSL_GUARDED_BY(mutex_);
  int64_t log_size_ ABSL_GUARDED_BY(mutex_) = 0;
  // Entries below the largest head that was published or seen.
  int64_t flushed_ ABSL_GUARDED_BY(mutex_) = 0;
  Time waiting_since_ ABSL_GUARDED_BY(mutex_);   // of the first entry above
  Time not_before_ ABSL_GUARDED_BY(mutex_);      // after a failure
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;  // grows with each change
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool waits_end_ ABSL_GUARDED_BY(mutex_) = false;

  // The head whose publication has an unknown outcome; of the Flush() thread.
  std::string unknown_note_;
  int64_t unknown_size_ = 0;

  std::thread follower_;
  std::thread flusher_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_BATCHED_LEDGER_H_
