#include "services/anchor/faulty_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"

namespace windproof {

void FaultyLedger::LoseNextReply() {
  MutexLock lock(mutex_);
  lose_reply_ = true;
}

void FaultyLedger::FailNextPublish() { CutNextPublish(0); }

void FaultyLedger::CutNextPublish(size_t items) {
  MutexLock lock(mutex_);
  cut_ = static_cast<int64_t>(items);
}

void FaultyLedger::SetUnavailable(bool unavailable) {
  MutexLock lock(mutex_);
  unavailable_ = unavailable;
}

void FaultyLedger::HoldConfirmationsFrom(int64_t position) {
  MutexLock lock(mutex_);
  hold_from_ = position;
}

void FaultyLedger::SetWillPublish(bool will_publish) {
  MutexLock lock(mutex_);
  will_publish_ = will_publish;
}

int64_t FaultyLedger::published() {
  MutexLock lock(mutex_);
  return published_;
}

absl::StatusOr<std::vector<std::string>> FaultyLedger::Publish(
    absl::Span<const LedgerDraft> items) {
  bool lose_reply = false;
  {
    const absl::Status fault = Fault();
    if (!fault.ok()) return fault;
    MutexLock lock(mutex_);
    lose_reply = std::exchange(lose_reply_, false);
    const int64_t cut = std::exchange(cut_, -1);
    if (cut >= 0) {
      items = items.first(std::min<size_t>(items.size(), cut));
      lose_reply = true;
    }
    published_ += static_cast<int64_t>(items.size());
  }
  absl::StatusOr<std::vector<std::string>> reply = ledger_.Publish(items);
  if (lose_reply) return absl::UnavailableError("the reply was lost");
  return reply;
}

bool FaultyLedger::WillPublish(const Digest& data) {
  MutexLock lock(mutex_);
  return will_publish_ || ledger_.WillPublish(data);
}

absl::StatusOr<LedgerPage> FaultyLedger::Find(absl::string_view key,
                                              const LedgerQuery& query) {
  const absl::Status fault = Fault();
  if (!fault.ok()) return fault;
  return Hold(ledger_.Find(key, query));
}

absl::StatusOr<LedgerPage> FaultyLedger::Read(const LedgerQuery& query) {
  const absl::Status fault = Fault();
  if (!fault.ok()) return fault;
  return Hold(ledger_.Read(query));
}

absl::StatusOr<ConsistencyProof> FaultyLedger::ProveConsistency(
    int64_t old_size, int64_t new_size) {
  const absl::Status fault = Fault();
  if (!fault.ok()) return fault;
  return ledger_.ProveConsistency(old_size, new_size);
}

absl::StatusOr<LedgerState> FaultyLedger::State() {
  const absl::Status fault = Fault();
  if (!fault.ok()) return fault;
  return ledger_.State();
}

LedgerState FaultyLedger::LastState() {
  LedgerState state = ledger_.LastState();
  const absl::Status fault = Fault();
  if (!fault.ok()) state.problem = std::string(fault.message());
  return state;
}

absl::StatusOr<LedgerChanges> FaultyLedger::Changes(int64_t first,
                                                    int64_t max_items) {
  const absl::Status fault = Fault();
  if (!fault.ok()) return fault;
  return ledger_.Changes(first, max_items);
}

bool FaultyLedger::WaitForGrowth(
    int64_t size, std::chrono::steady_clock::time_point deadline) {
  return ledger_.WaitForGrowth(size, deadline);
}

void FaultyLedger::StopWaiting() { ledger_.StopWaiting(); }

absl::Status FaultyLedger::Fault() {
  MutexLock lock(mutex_);
  if (!unavailable_) return absl::OkStatus();
  return absl::UnavailableError("the ledger is away");
}

absl::StatusOr<LedgerPage> FaultyLedger::Hold(absl::StatusOr<LedgerPage> page) {
  MutexLock lock(mutex_);
  if (!page.ok() || hold_from_ < 0) return page;
  for (LedgerItem& item : page->items) {
    if (item.position >= hold_from_) item.confirmations = 0;
  }
  return page;
}

}  // namespace windproof
