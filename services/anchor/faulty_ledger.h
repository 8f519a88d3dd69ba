// A ledger that fails on request, for tests of what uses one.
#ifndef WINDPROOF_SERVICES_ANCHOR_FAULTY_LEDGER_H_
#define WINDPROOF_SERVICES_ANCHOR_FAULTY_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/sync/mutex.h"
#include "services/anchor/ledger.h"

namespace windproof {

// Passes everything on to another ledger, but for the faults that were asked
// for. Thread-safe.
class FaultyLedger : public Ledger {
 public:
  // `ledger` must outlive it.
  explicit FaultyLedger(Ledger& ledger) : ledger_(ledger) {}

  // The next Publish() is done and answers Unavailable all the same.
  void LoseNextReply();
  // The next Publish() is not done and answers Unavailable.
  void FailNextPublish();
  // Of the next Publish() only the first `items` are done.
  void CutNextPublish(size_t items);
  // While set, everything answers Unavailable.
  void SetUnavailable(bool unavailable);
  // Items from `position` on have no confirmation; -1: all have theirs.
  void HoldConfirmationsFrom(int64_t position);

  // Whether it says of anything that it will publish it again.
  void SetWillPublish(bool will_publish);

  // Items in calls of Publish() that were passed on.
  int64_t published();

  absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> items) override;
  bool WillPublish(const Digest& data) override;
  absl::StatusOr<LedgerPage> Find(absl::string_view key,
                                  const LedgerQuery& query) override;
  absl::StatusOr<LedgerPage> Read(const LedgerQuery& query) override;
  absl::StatusOr<ConsistencyProof> ProveConsistency(int64_t old_size,
                                                    int64_t new_size) override;
  absl::StatusOr<LedgerState> State() override;
  LedgerState LastState() override;
  absl::StatusOr<LedgerChanges> Changes(int64_t first,
                                        int64_t max_items) override;
  bool WaitForGrowth(int64_t size,
                     std::chrono::steady_clock::time_point deadline) override;
  void StopWaiting() override;

 private:
  absl::Status Fault();
  absl::StatusOr<LedgerPage> Hold(absl::StatusOr<LedgerPage> page);

  Ledger& ledger_;
  Mutex mutex_;
  bool lose_reply_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t cut_ ABSL_GUARDED_BY(mutex_) = -1;
  bool unavailable_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t hold_from_ ABSL_GUARDED_BY(mutex_) = -1;
  bool will_publish_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t published_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_FAULTY_LEDGER_H_
