#include "services/anchor/multichain/batched_ledger.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/anchor/ledger_keys.h"
#include "services/anchor/multichain/backoff.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// No reorganisation is expected to reach below so many blocks more than an
// operator asks for.
constexpr int64_t kBuriedBeyond = 100;

// Between tries to publish a head.
constexpr BackoffRange kPublishBackoff{500, 30'000};

}  // namespace

BatchedLedger::BatchedLedger(Options options,
                             std::unique_ptr<EmbeddedLedger> log,
                             std::unique_ptr<Ledger> chain)
    : options_(std::move(options)),
      log_(std::move(log)),
      chain_(std::move(chain)),
      heads_(
          {options_.key, options_.confirmations + kBuriedBeyond, options_.warn},
          *log_, *chain_) {
  {
    MutexLock lock(mutex_);
    const absl::StatusOr<LedgerState> state = log_->State();
    if (state.ok()) log_size_ = state->size;
  }
  follower_ = std::thread([this] { Follow(); });
  flusher_ = std::thread([this] { Flush(); });
}

BatchedLedger::~BatchedLedger() {
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    waits_end_ = true;
    changed_.NotifyAll();
  }
  chain_->StopWaiting();
  if (options_.cancel) options_.cancel();
  follower_.join();
  flusher_.join();
}

absl::Status BatchedLedger::Health() {
  MutexLock lock(mutex_);
  return health_;
}

absl::Status BatchedLedger::Refresh() {
  MutexLock refresh(refresh_mutex_);
  absl::StatusOr<LedgerState> state = chain_->State();
  absl::Status status = state.status();
  bool new_heads = false;
  if (status.ok() && !state->broken.empty()) {
    status = absl::UnavailableError(
        absl::StrCat("the chain's ledger is broken: ", state->broken));
  }
  if (status.ok()) {
    const absl::StatusOr<bool> updated = heads_.Update();
    status = updated.status();
    new_heads = updated.ok() && *updated;
  }
  const int64_t published = heads_.published_size();
  MutexLock lock(mutex_);
  health_ = status.ok() ? status : absl::UnavailableError(status.message());
  if (!status.ok()) return health_;
  // What other confirmations show in.
  const auto blocks = [](const LedgerState& of) {
    return of.chain.has_value()
               ? std::make_pair(of.chain->height, of.chain->unconfirmed)
               : std::make_pair(int64_t{0}, int64_t{0});
  };
  if (new_heads || !read_once_ || blocks(*state) != blocks(chain_state_)) {
    ++version_;
  }
  chain_state_ = *std::move(state);
  read_once_ = true;
  flushed_ = std::max(flushed_, published);
  changed_.NotifyAll();
  return absl::OkStatus();
}

void BatchedLedger::Follow() {
  while (true) {
    Refresh().IgnoreError();  // Health() tells
    int64_t size = 0;
    {
      MutexLock lock(mutex_);
      if (stopped_) return;
      size = chain_state_.size;
    }
    const Time until = steady_clock::now() + milliseconds(options_.poll_ms);
    chain_->WaitForGrowth(size, until);
    // While the chain is away, it may not make us wait.
    MutexLock lock(mutex_);
    while (!stopped_ && !health_.ok() && changed_.WaitUntil(mutex_, until)) {
    }
    if (stopped_) return;
  }
}

BatchedLedger::Time BatchedLedger::DueAt() {
  if (!read_once_ || !health_.ok() || log_size_ <= flushed_ ||
      !heads_.broken().empty()) {
    return Time::max();
  }
  if (log_size_ - flushed_ >= options_.flush_count) return not_before_;
  return std::max(not_before_,
                  waiting_since_ + milliseconds(options_.flush_interval_ms));
}

void BatchedLedger::Flush() {
  std::minstd_rand random(std::random_device{}());
  std::uniform_real_distribution<double> part(0.0, 1.0);
  int failures = 0;
  std::string told;
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!stopped_) {
        const Time due = DueAt();
        if (due <= steady_clock::now()) break;
        if (due == Time::max()) {
          changed_.Wait(mutex_);
        } else {
          changed_.WaitUntil(mutex_, due);
        }
      }
      if (stopped_) return;
    }
    const absl::Status status = PublishHead();
    if (status.ok()) {
      failures = 0;
      told.clear();
      continue;
    }
    ++failures;
    if (options_.warn && told != status.message()) {
      told = std::string(status.message());
      options_.warn(
          absl::StrCat("the log's head cannot be published now: ", told));
    }
    const milliseconds pause(
        BackoffMs(kPublishBackoff, failures, part(random)));
    MutexLock lock(mutex_);
    not_before_ = steady_clock::now() + pause;
  }
}

absl::Status BatchedLedger::PublishHead() {
  if (unknown_note_.empty()) {
    const absl::StatusOr<LedgerState> log = log_->State();
    if (!log.ok()) return log.status();
    if (!log->broken.empty()) return absl::DataLossError(log->broken);
    if (!log->head.has_value()) return absl::OkStatus();
    unknown_note_ = log->head->note;
    unknown_size_ = log->head->size;
  }
  const auto txids = chain_->Publish({LedgerDraft{
      {LedgerHeadsKey(options_.key.name)}, unknown_note_, "", ""}});
  if (!txids.ok()) {
    // After anything else the chain knows nothing of it.
    if (!absl::IsUnavailable(txids.status())) unknown_note_.clear();
    return txids.status();
  }
  unknown_note_.clear();
  MutexLock lock(mutex_);
  flushed_ = std::max(flushed_, unknown_size_);
  // What came meanwhile has waited since then at most.
  waiting_since_ = steady_clock::now();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> BatchedLedger::Publish(
    absl::Span<const LedgerDraft> items) {
  absl::Status health = Health();
  if (!health.ok()) health = Refresh();
  if (!health.ok()) return health;
  const std::string broken = heads_.broken();
  if (!broken.empty()) {
    return absl::DataLossError(
        absl::StrCat("the ledger takes no more items: ", broken));
  }
  absl::StatusOr<std::vector<std::string>> txids = log_->Publish(items);
  if (!txids.ok() || items.empty()) return txids;
  const absl::StatusOr<LedgerState> state = log_->State();
  MutexLock lock(mutex_);
  const int64_t before = log_size_;
  if (state.ok()) log_size_ = std::max(log_size_, state->size);
  if (before <= flushed_) waiting_since_ = steady_clock::now();
  ++version_;
  changed_.NotifyAll();
  return txids;
}

absl::StatusOr<LedgerPage> BatchedLedger::Complete(
    absl::StatusOr<LedgerPage> page, const LedgerQuery& query) {
  if (!page.ok()) return page;
  {
    MutexLock lock(mutex_);
    if (!read_once_) return absl::UnavailableError(health_.message());
  }
  page->head.reset();
  std::vector<int64_t> positions;
  positions.reserve(page->items.size());
  for (const LedgerItem& item : page->items) positions.push_back(item.position);
  const auto confirmations = heads_.Confirmations(positions);
  if (!confirmations.ok()) return confirmations.status();
  for (size_t i = 0; i < positions.size(); ++i) {
    page->items[i].confirmations = (*confirmations)[i];
  }
  if (!query.with_inclusion) return page;

  absl::StatusOr<std::optional<LedgerHead>> head =
      heads_.Choose(query.min_confirmations > 0 ? query.min_confirmations
                                                : options_.confirmations);
  if (!head.ok()) return head.status();
  page->head = *std::move(head);
  if (!heads_.broken().empty()) {
    absl::StatusOr<std::vector<LedgerHead>> conflicts = heads_.Conflicts();
    if (!conflicts.ok()) return conflicts.status();
    page->conflicts = *std::move(conflicts);
  }
  if (!page->head.has_value()) return page;
  const std::unique_ptr<LedgerProver> prover = log_->NewProver();
  for (LedgerItem& item : page->items) {
    if (item.position >= page->head->size) continue;
    absl::StatusOr<InclusionProof> proof =
        prover->Inclusion(item.position, page->head->size);
    // One that the stored nodes do not give is left out: the item itself can
    // still be shown.
    if (proof.ok()) {
      item.inclusion = *std::move(proof);
    } else if (!absl::IsDataLoss(proof.status())) {
      return proof.status();
    }
  }
  return page;
}

absl::StatusOr<LedgerPage> BatchedLedger::Find(absl::string_view key,
                                               const LedgerQuery& query) {
  LedgerQuery plain = query;
  plain.with_inclusion = false;
  return Complete(log_->Find(key, plain), query);
}

absl::StatusOr<LedgerPage> BatchedLedger::Read(const LedgerQuery& query) {
  LedgerQuery plain = query;
  plain.with_inclusion = false;
  return Complete(log_->Read(plain), query);
}

absl::StatusOr<ConsistencyProof> BatchedLedger::ProveConsistency(
    int64_t old_size, int64_t new_size) {
  return log_->ProveConsistency(old_size, new_size);
}

absl::StatusOr<LedgerState> BatchedLedger::State() {
  // What the follower has seen last, so that a caller asks no node; unless that
  // was nothing.
  absl::Status health = Health();
  if (!health.ok()) health = Refresh();
  if (!health.ok()) return health;
  absl::StatusOr<LedgerState> log = log_->State();
  if (!log.ok()) return log.status();
  MutexLock lock(mutex_);
  return Describe(*log, chain_state_);
}

LedgerState BatchedLedger::LastState() {
  const LedgerState log = log_->LastState();
  const LedgerState chain = chain_->LastState();
  MutexLock lock(mutex_);
  LedgerState state = Describe(log, chain);
  for (const absl::string_view problem :
       {absl::string_view(log.problem), absl::string_view(chain.problem),
        health_.message()}) {
    if (state.problem.empty()) state.problem = std::string(problem);
  }
  state.pending = state.chain->unpublished;
  return state;
}

LedgerState BatchedLedger::Describe(const LedgerState& log, LedgerState chain) {
  LedgerState state;
  state.kind = "multichain";
  state.name = std::move(chain.name);
  state.size = log.size;
  state.head = heads_.newest();
  state.broken = log.broken.empty() ? heads_.broken() : log.broken;
  state.chain = std::move(chain.chain);
  if (!state.chain.has_value()) state.chain.emplace();
  ChainState& shown = *state.chain;
  shown.mode = "batched";
  shown.foreign += heads_.foreign();
  shown.unpublished = std::max<int64_t>(0, log.size - heads_.published_size());
  if (shown.unpublished > 0 && waiting_since_ != Time()) {
    shown.oldest_unpublished_ms = std::chrono::duration_cast<milliseconds>(
                                      steady_clock::now() - waiting_since_)
                                      .count();
  }
  return state;
}

bool BatchedLedger::WaitForGrowth(int64_t size, Time deadline) {
  MutexLock lock(mutex_);
  const int64_t version = version_;
  while (!waits_end_ && log_size_ <= size && version_ == version &&
         changed_.WaitUntil(mutex_, deadline)) {
  }
  return !waits_end_ && log_size_ > size;
}

void BatchedLedger::StopWaiting() {
  MutexLock lock(mutex_);
  waits_end_ = true;
  changed_.NotifyAll();
}

}  // namespace windproof
