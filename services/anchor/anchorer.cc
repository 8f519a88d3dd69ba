#include "services/anchor/anchorer.h"

#include <algorithm>
#include <iterator>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/text.h"
#include "services/anchor/ledger_keys.h"

namespace windproof {
namespace {

// Of items that wait for one that stands behind them; more than any
// reorganisation shuffles.
constexpr int64_t kAheadMax = 20'000;

// Counts the checkpoints of a call for as long as it lasts.
class PendingScope {
 public:
  PendingScope(std::atomic<int64_t>& pending, int64_t count)
      : pending_(pending), count_(count) {
    total_ = pending_.fetch_add(count_) + count_;
  }
  ~PendingScope() { pending_.fetch_sub(count_); }
  int64_t total() const { return total_; }

 private:
  std::atomic<int64_t>& pending_;
  const int64_t count_;
  int64_t total_ = 0;
};

absl::Status AtIndex(size_t index, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("checkpoints[", index,
                                                  "]: ", status.message()));
}

// As a pipeline spec may be named.
bool IsSpecName(absl::string_view name) {
  if (name.empty() || name.size() > 32) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter_or_digit =
        absl::ascii_islower(c) || absl::ascii_isdigit(c);
    if (!letter_or_digit && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
      return false;
    }
  }
  return true;
}

std::string WindowOf(const Checkpoint& checkpoint) {
  return LedgerWindowKey(checkpoint.pipeline, checkpoint.key,
                         checkpoint.window_start_ms);
}

bool SameWindow(const Checkpoint& a, const Checkpoint& b) {
  return a.window_start_ms == b.window_start_ms && a.revision == b.revision &&
         a.key == b.key && a.pipeline == b.pipeline;
}

absl::Status EquivocationError(const Equivocation& found) {
  return absl::AlreadyExistsError(
      absl::StrCat("window ", found.window, " revision ", found.revision,
                   " is already anchored as checkpoint ", HexOf(found.anchored),
                   "; the one submitted is ", HexOf(found.other)));
}

}  // namespace

Anchorer::Anchorer(Options options, Ledger& ledger)
    : options_(std::move(options)), ledger_(ledger) {}

absl::Status Anchorer::CatchUp() {
  MutexLock lock(mutex_);
  return ReadNewItems();
}

absl::Status Anchorer::CatchUpWithKnown() {
  MutexLock lock(mutex_);
  const LedgerState state = ledger_.LastState();
  return state.size > next_position_ ? ReadItemsOf(state) : absl::OkStatus();
}

absl::StatusOr<std::vector<AnchorReceipt>> Anchorer::Submit(
    absl::Span<const Submission> submissions) {
  const PendingScope pending(pending_,
                             static_cast<int64_t>(submissions.size()));
  absl::StatusOr<std::vector<AnchorReceipt>> receipts;
  if (pending.total() > options_.pending_max) {
    receipts = absl::UnavailableError(absl::StrCat(
        pending.total(), " checkpoints wait to be anchored; up to ",
        options_.pending_max, " may. Try again."));
  } else {
    absl::StatusOr<Batch> batch = Parse(submissions);
    if (batch.ok()) {
      MutexLock lock(mutex_);
      receipts = SubmitLocked(*batch);
      awaited_.clear();
    } else {
      receipts = batch.status();
    }
  }
  if (!receipts.ok()) {
    const bool theirs = absl::IsInvalidArgument(receipts.status()) ||
                        absl::IsAlreadyExists(receipts.status()) ||
                        absl::IsFailedPrecondition(receipts.status());
    MutexLock lock(counters_mutex_);
    ++(theirs ? counters_.refused : counters_.failed);
  }
  return receipts;
}

absl::StatusOr<Anchorer::Batch> Anchorer::Parse(
    absl::Span<const Submission> submissions) {
  Batch batch;
  batch.candidates.reserve(submissions.size());
  for (size_t i = 0; i < submissions.size(); ++i) {
    absl::StatusOr<Checkpoint> checkpoint =
        ParseCheckpoint(submissions[i].checkpoint);
    if (!checkpoint.ok()) {
      // A checkpoint of other rules is as little use as none.
      return AtIndex(i,
                     absl::InvalidArgumentError(checkpoint.status().message()));
    }
    // They become ledger keys, where a slash ends the pipeline's name.
    if (!IsSpecName(checkpoint->pipeline) || !IsUsableKey(checkpoint->key)) {
      return AtIndex(
          i, absl::InvalidArgumentError(absl::StrCat(
                 "checkpoint.pipeline is ", ShownText(checkpoint->pipeline),
                 " and checkpoint.key is ", ShownText(checkpoint->key),
                 "; a name of 1 to 32 of a-z 0-9 . _ - and a key of 1 to 128 "
                 "bytes of UTF-8 without control characters are accepted")));
    }
    Candidate candidate;
    candidate.submission = &submissions[i];
    candidate.checkpoint = *std::move(checkpoint);
    candidate.hash = Sha256Of(submissions[i].checkpoint);
    batch.candidates.push_back(std::move(candidate));
  }
  return batch;
}

absl::StatusOr<std::vector<AnchorReceipt>> Anchorer::SubmitLocked(
    Batch& batch) {
  // Others write to a ledger too, and an earlier call may have published more
  // than it knew.
  absl::Status status = ReadNewItems();
  if (!status.ok()) return status;

  for (size_t i = 0; i < batch.candidates.size(); ++i) {
    status = Admit(i, batch);
    if (!status.ok()) return AtIndex(i, status);
  }
  const auto count_new = std::count_if(
      batch.candidates.begin(), batch.candidates.end(),
      [](const Candidate& candidate) { return candidate.IsNew(); });
  if (count_new > 0) {
    status = PublishNew(batch);
    if (!status.ok()) return status;
  }

  std::vector<AnchorReceipt> receipts;
  receipts.reserve(batch.candidates.size());
  for (const Candidate& candidate : batch.candidates) {
    if (candidate.same_as.has_value()) {
      receipts.push_back(receipts[*candidate.same_as]);
    } else if (candidate.receipt.has_value()) {
      receipts.push_back(*candidate.receipt);
    } else {
      return absl::UnavailableError(absl::StrCat(
          "checkpoint ", HexOf(candidate.hash),
          " was published but cannot be read back from the ledger yet"));
    }
  }
  MutexLock lock(counters_mutex_);
  counters_.anchored += count_new;
  counters_.repeated +=
      static_cast<int64_t>(batch.candidates.size()) - count_new;
  return receipts;
}

absl::Status Anchorer::PublishNew(Batch& batch) {
  std::vector<LedgerDraft> drafts;
  for (Candidate& candidate : batch.candidates) {
    if (!candidate.IsNew()) continue;
    const Checkpoint& checkpoint = candidate.checkpoint;
    drafts.push_back({{LedgerStreamKey(checkpoint.pipeline, checkpoint.key),
                       WindowOf(checkpoint)},
                      candidate.submission->checkpoint,
                      candidate.submission->signer,
                      candidate.submission->signature});
    awaited_[candidate.hash] = &candidate;
  }
  const auto txids = ledger_.Publish(drafts);
  if (!txids.ok()) return txids.status();
  // A receipt is what the ledger says, never what we meant to write.
  return ReadNewItems();
}

absl::Status Anchorer::Admit(size_t index, Batch& batch) {
  Candidate& candidate = batch.candidates[index];
  const Checkpoint& checkpoint = candidate.checkpoint;
  const std::string window = WindowOf(checkpoint);

  const auto [same, first_of_batch] =
      batch.by_window.try_emplace({window, checkpoint.revision}, index);
  if (!first_of_batch) {
    const Candidate& earlier = batch.candidates[same->second];
    if (earlier.hash == candidate.hash) {
      candidate.same_as = same->second;
      return absl::OkStatus();
    }
    const Equivocation found{window, checkpoint.revision, earlier.hash,
                             candidate.hash};
    Report(found);
    return EquivocationError(found);
  }

  // The key's last checkpoint: of this batch, or else of the ledger.
  const std::string stream =
      LedgerStreamKey(checkpoint.pipeline, checkpoint.key);
  const KeyState* state = nullptr;
  if (const auto it = batch.keys.find(stream); it != batch.keys.end()) {
    state = &it->second;
  } else if (const auto known = keys_.find(stream); known != keys_.end()) {
    state = &known->second;
  }
  // All of the ledger has been read: a window later than all that is there of
  // its key cannot be there, and needs no look.
  if (state != nullptr &&
      checkpoint.window_start_ms <= state->latest_start_ms) {
    const absl::Status looked_up = LookUp(window, candidate);
    if (!looked_up.ok()) return looked_up;
  }
  const absl::Status follows = CheckFollows(checkpoint, state);
  if (!follows.ok()) {
    if (candidate.receipt.has_value()) return absl::OkStatus();
    if (!FollowsAhead(checkpoint, state)) {
      // It was there, and the ledger lost it: no error of the submitter.
      if (!ledger_.WillPublish(candidate.hash)) return follows;
      return absl::UnavailableError(
          absl::StrCat("checkpoint ", HexOf(candidate.hash), " of ", window,
                       " was lost by the ledger and is being published again"));
    }
  }
  // Not a reference: `state` may point into the map.
  KeyState next = state == nullptr ? KeyState() : *state;
  next.Follow(checkpoint, candidate.hash);
  batch.keys[stream] = std::move(next);
  return absl::OkStatus();
}

bool Anchorer::FollowsAhead(const Checkpoint& checkpoint,
                            const KeyState* state) {
  if (state == nullptr) return false;
  const auto [begin, end] = state->ahead.equal_range(checkpoint.seq - 1);
  return std::any_of(begin, end, [&](const auto& kept) {
    const Checkpoint& before = kept.second.checkpoint;
    return kept.second.hash == checkpoint.prev &&
           before.topic == checkpoint.topic &&
           before.partition == checkpoint.partition;
  });
}

void Anchorer::KeyState::Follow(const Checkpoint& checkpoint,
                                const Digest& checkpoint_hash) {
  seq = checkpoint.seq;
  hash = checkpoint_hash;
  topic = checkpoint.topic;
  partition = checkpoint.partition;
  latest_start_ms = std::max(latest_start_ms, checkpoint.window_start_ms);
}

absl::Status Anchorer::ForEachItem(
    const std::string& window,
    absl::FunctionRef<bool(const LedgerItem& item)> visit) {
  LedgerQuery query;
  for (bool at_end = false; !at_end;) {
    const absl::StatusOr<LedgerPage> page = ledger_.Find(window, query);
    if (!page.ok()) return page.status();
    for (const LedgerItem& item : page->items) {
      if (!visit(item)) return absl::OkStatus();
    }
    query.first = page->next;
    at_end = page->at_end;
  }
  return absl::OkStatus();
}

absl::Status Anchorer::LookUp(const std::string& window, Candidate& candidate) {
  std::optional<Equivocation> other;
  const absl::Status status = ForEachItem(
      window, [&](const LedgerItem& item) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        if (item.data == candidate.submission->checkpoint) {
          candidate.receipt = ReceiptOf(item, candidate.hash);
          return false;
        }
        // Not the end of the search: what was submitted may be there as well,
        // as the other one of an equivocation that somebody else made.
        const absl::StatusOr<Checkpoint> found = ParseCheckpoint(item.data);
        if (!other.has_value() && found.ok() &&
            SameWindow(*found, candidate.checkpoint)) {
          other = Equivocation{window, found->revision, Sha256Of(item.data),
                               candidate.hash};
        }
        return true;
      });
  if (!status.ok()) return status;
  if (!other.has_value()) return absl::OkStatus();
  // The first counts, wherever the one submitted stands.
  candidate.receipt.reset();
  Report(*other);
  return EquivocationError(*other);
}

void Anchorer::CompareWithEarlier(const LedgerItem& item,
                                  const Checkpoint& checkpoint) {
  const std::string window = WindowOf(checkpoint);
  std::optional<Equivocation> other;
  // Best effort: where the ledger cannot be read now, the verifier still sees
  // both items.
  ForEachItem(window, [&](const LedgerItem& earlier) {
    if (earlier.position >= item.position) return false;
    const absl::StatusOr<Checkpoint> found = ParseCheckpoint(earlier.data);
    if (earlier.data != item.data && found.ok() &&
        SameWindow(*found, checkpoint)) {
      other = Equivocation{window, found->revision, Sha256Of(earlier.data),
                           Sha256Of(item.data)};
    }
    return !other.has_value();
  }).IgnoreError();
  if (other.has_value()) Report(*other);
}

absl::Status Anchorer::CheckFollows(const Checkpoint& checkpoint,
                                    const KeyState* state) {
  const std::string stream =
      LedgerStreamKey(checkpoint.pipeline, checkpoint.key);
  const bool known = state != nullptr && state->seq >= 0;
  if (known && (state->topic != checkpoint.topic ||
                state->partition != checkpoint.partition)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "key ", stream, " is known from topic ", state->topic, " partition ",
        state->partition, "; this checkpoint is from topic ", checkpoint.topic,
        " partition ", checkpoint.partition,
        ". A key lives in one partition of one topic."));
  }
  const int64_t expected = known ? state->seq + 1 : 0;
  if (checkpoint.seq != expected) {
    return absl::FailedPreconditionError(
        absl::StrCat("key ", stream, ": seq is ", checkpoint.seq, "; ",
                     expected, " is accepted next"));
  }
  const Digest& prev = known ? state->hash : kZeroDigest;
  if (checkpoint.prev != prev) {
    return absl::FailedPreconditionError(absl::StrCat(
        "key ", stream, " seq ", checkpoint.seq, ": prev is ",
        HexOf(checkpoint.prev), "; the checkpoint before it is ", HexOf(prev)));
  }
  return absl::OkStatus();
}

absl::Status Anchorer::ReadNewItems() {
  const absl::StatusOr<LedgerState> state = ledger_.State();
  if (!state.ok()) return state.status();
  return ReadItemsOf(*state);
}

absl::Status Anchorer::ReadItemsOf(const LedgerState& state) {
  if (!state.broken.empty()) {
    return absl::DataLossError(
        absl::StrCat("the ledger takes no more items: ", state.broken));
  }
  ledger_name_ = state.name;
  LedgerQuery query;
  query.max_items = 4096;
  while (next_position_ < state.size) {
    query.first = next_position_;
    const absl::StatusOr<LedgerPage> page = ledger_.Read(query);
    if (!page.ok()) return page.status();
    for (const LedgerItem& item : page->items) Learn(item);
    if (page->next <= next_position_) {
      return absl::UnavailableError(absl::StrCat(
          "the ledger says it has ", state.size,
          " items, but gives none from position ", next_position_));
    }
    next_position_ = page->next;
  }
  return absl::OkStatus();
}

void Anchorer::Learn(const LedgerItem& item) {
  const Digest hash = Sha256Of(item.data);
  // Of what was just published, the data are byte-equal: their hashes are.
  const auto awaited = awaited_.find(hash);
  absl::StatusOr<Checkpoint> parsed = absl::UnknownError("not parsed");
  const Checkpoint* checkpoint = nullptr;
  if (awaited != awaited_.end()) {
    checkpoint = &awaited->second->checkpoint;
  } else {
    parsed = ParseCheckpoint(item.data);
    if (parsed.ok()) checkpoint = &*parsed;
  }
  bool foreign = true;
  if (checkpoint != nullptr) {
    KeyState& state =
        keys_[LedgerStreamKey(checkpoint->pipeline, checkpoint->key)];
    if (CheckFollows(*checkpoint, &state).ok()) {
      state.Follow(*checkpoint, hash);
      FollowAhead(&state);
      foreign = false;
    } else {
      state.latest_start_ms =
          std::max(state.latest_start_ms, checkpoint->window_start_ms);
      foreign = !KeepAhead(*checkpoint, hash, &state);
      CompareWithEarlier(item, *checkpoint);
    }
  }
  if (awaited != awaited_.end() && !awaited->second->receipt.has_value()) {
    awaited->second->receipt = ReceiptOf(item, hash);
  }
  MutexLock lock(counters_mutex_);
  if (foreign) ++counters_.foreign_items;
  counters_.ahead = ahead_;
  counters_.keys = static_cast<int64_t>(keys_.size());
}

bool Anchorer::KeepAhead(const Checkpoint& checkpoint, const Digest& hash,
                         KeyState* state) {
  if (checkpoint.seq <= state->seq) return false;
  const auto [begin, end] = state->ahead.equal_range(checkpoint.seq);
  for (auto it = begin; it != end; ++it) {
    if (it->second.hash == hash) return false;  // said twice
  }
  if (ahead_ >= kAheadMax) return false;
  KeyState::Ahead kept{checkpoint, hash};
  kept.checkpoint.aggregates = {};
  state->ahead.emplace(checkpoint.seq, std::move(kept));
  ++ahead_;
  return true;
}

void Anchorer::FollowAhead(KeyState* state) {
  while (!state->ahead.empty()) {
    const auto [begin, end] = state->ahead.equal_range(state->seq + 1);
    const auto next = std::find_if(begin, end, [&](const auto& kept) {
      return CheckFollows(kept.second.checkpoint, state).ok();
    });
    if (next == end) return;
    const KeyState::Ahead kept = std::move(next->second);
    // The others of this seq do not follow any more.
    ahead_ -= std::distance(begin, end);
    state->ahead.erase(begin, end);
    state->Follow(kept.checkpoint, kept.hash);
  }
}

AnchorReceipt Anchorer::ReceiptOf(const LedgerItem& item,
                                  const Digest& hash) const {
  AnchorReceipt receipt;
  receipt.checkpoint_sha256 = hash;
  receipt.state = item.confirmations >= options_.confirmations_required
                      ? AnchorReceipt::State::kAnchored
                      : AnchorReceipt::State::kPublished;
  receipt.txid = item.txid;
  receipt.vout = item.vout;
  receipt.position = item.position;
  receipt.confirmations = item.confirmations;
  receipt.time_ms = item.time_ms;
  receipt.ledger = ledger_name_;
  return receipt;
}

void Anchorer::Report(const Equivocation& found) {
  {
    MutexLock lock(counters_mutex_);
    ++counters_.equivocations;
  }
  if (options_.on_equivocation) options_.on_equivocation(found);
}

Anchorer::Counters Anchorer::counters() {
  MutexLock lock(counters_mutex_);
  Counters counters = counters_;
  counters.pending = pending_.load();
  return counters;
}

}  // namespace windproof
