#include "services/verifier/replay_audit.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "services/verifier/replay_chain.h"
#include "services/verifier/replay_compare.h"
#include "services/verifier/replay_culprit.h"
#include "services/verifier/replay_log.h"
#include "services/verifier/replay_windows.h"

namespace windproof {
namespace {

// Differences of one partition whose record is looked for: each reads a part of
// the log again.
constexpr int kMaxExplained = 100;

absl::Status EndedError() {
  return absl::CancelledError("the replay was ended");
}

// What the ledger's item of a link came to.
const AnchoredRevision* RevisionOf(const KeyLedger& ledger, size_t link) {
  const auto window =
      ledger.windows.find(ledger.chain.link(link).checkpoint.window_start_ms);
  if (window == ledger.windows.end()) return nullptr;
  for (const AnchoredRevision& revision : window->second) {
    if (revision.link == link) return &revision;
  }
  return nullptr;
}

void ApplyDrop(const DroppedRecord& dropped, std::vector<PendingDrop>* drops) {
  if (dropped.change == DroppedRecord::Change::kDropped) {
    drops->push_back({dropped.offset, dropped.reason, dropped.record_hash});
    return;
  }
  const auto drop = std::lower_bound(
      drops->begin(), drops->end(), dropped.offset,
      [](const PendingDrop& a, int64_t offset) { return a.offset < offset; });
  if (drop == drops->end() || drop->offset != dropped.offset) return;
  if (dropped.change == DroppedRecord::Change::kReasonChanged) {
    drop->reason = dropped.reason;
  } else {
    drops->erase(drop);
  }
}

}  // namespace

// One pass over a partition, all keys at once.
class ReplayAudit::Partition {
 public:
  Partition(ReplayAudit& audit, const TopicPartition& source,
            const std::vector<Key*>& keys)
      : audit_(audit),
        log_(*audit.options_.log, source, [&audit] { return audit.Ended(); }),
        explain_log_(*audit.options_.log, source,
                     [&audit] { return audit.Ended(); }),
        recent_(audit.options_.spec),
        engine_(audit.options_.spec, source.topic, source.partition, recent_) {
    for (Key* key : keys) keys_.emplace(key->name, State{key, 0, false, 0, {}});
  }

  // The offset at which the pipeline first read the partition, as the ledger
  // tells it.
  int64_t origin() const {
    std::optional<int64_t> origin;
    for (const auto& [name, state] : keys_) {
      const Checkpoint& first = state.key->ledger.chain.link(0).checkpoint;
      if (!origin.has_value() || first.scan_begin < *origin) {
        origin = first.scan_begin;
      }
    }
    return origin.value_or(0);
  }

  absl::StatusOr<LogBounds> Bounds() { return log_.Bounds(0); }

  absl::Status Run(int64_t origin, int64_t log_end) {
    engine_.Begin(origin);
    log_.Seek(origin);
    EngineOutput output;
    begin_ = audit_.options_.now();
    const absl::Status read =
        log_.ReadTo(log_end, [&](const LogRecord& record) -> absl::Status {
          if (absl::Status fed = engine_.Feed(record, &output); !fed.ok()) {
            return fed;
          }
          if (output.windows.empty() && output.dropped.empty()) {
            return absl::OkStatus();
          }
          return Take(&output);
        });
    if (audit_.Ended()) return EndedError();
    return Finish(read, log_end);
  }

 private:
  struct State {
    Key* key = nullptr;
    size_t next = 0;
    bool diverged = false;  // something of the key differed already
    int64_t more = 0;       // given by the log beyond the ledger's end
    std::vector<PendingDrop> drops;
  };

  absl::Status Take(EngineOutput* output) {
    for (const DroppedRecord& dropped : output->dropped) {
      const auto state = keys_.find(dropped.key);
      if (state != keys_.end()) ApplyDrop(dropped, &state->second.drops);
    }
    for (WrittenWindow& written : output->windows) {
      recent_.Take(written);
      const auto found = keys_.find(written.checkpoint.key);
      if (found == keys_.end()) {
        if (!audit_.keys_.contains(written.checkpoint.key)) {
          ++unknown_[written.checkpoint.key];
        }
        continue;
      }
      State& state = found->second;
      Replayed given;
      if (written.checkpoint.scan_begin < written.checkpoint.scan_end) {
        given.drops = std::exchange(state.drops, {});
      }
      const KeyChain& chain = state.key->ledger.chain;
      if (state.next < chain.size() &&
          chain.link(state.next).hash == written.checkpoint_hash) {
        absl::Status reported = Report(state, state.next++, {});
        if (!reported.ok()) return reported;
        continue;
      }
      given.checkpoint = std::move(written.checkpoint);
      given.hash = written.checkpoint_hash;
      given.records = std::move(written.records);
      absl::Status compared = Compare(&state, given);
      if (!compared.ok()) return compared;
    }
    output->Clear();
    return absl::OkStatus();
  }

  // One that is not the next of the chain as it is.
  absl::Status Compare(State* state, const Replayed& given) {
    const KeyChain& chain = state->key->ledger.chain;
    size_t same = state->next;
    while (
        same < chain.size() &&
        (chain.link(same).checkpoint.window_start_ms !=
             given.checkpoint.window_start_ms ||
         chain.link(same).checkpoint.revision != given.checkpoint.revision)) {
      ++same;
    }
    if (same == chain.size()) {
      if (state->next == chain.size()) {
        ++state->more;
        return absl::OkStatus();
      }
      state->diverged = true;
      Finding finding;
      finding.code = "REPLAY_EXTRA";
      finding.offset = given.checkpoint.scan_end - 1;
      finding.found = HexOf(given.hash);
      finding.message = absl::StrCat("the log's record at offset ",
                                     given.checkpoint.scan_end - 1, " writes ",
                                     RevisionText(given.checkpoint),
                                     ", which the ledger does not have there");
      extra_[state->key->name].push_back(std::move(finding));
      return absl::OkStatus();
    }
    for (; state->next < same; ++state->next) {
      absl::Status missing =
          Report(*state, state->next, Explain(*state, state->next, nullptr));
      if (!missing.ok()) return missing;
      state->diverged = true;
    }
    const ChainLink& link = chain.link(same);
    std::optional<CheckOutcome> outcome;
    if (!(state->diverged &&
          SameButForLinks(given.checkpoint, link.hash, link.checkpoint.seq,
                          link.checkpoint.prev, link.checkpoint.supersedes))) {
      outcome = Explain(*state, same, &given);
    }
    state->diverged = true;
    state->next = same + 1;
    return Report(*state, same, std::move(outcome));
  }

  CheckOutcome Explain(const State& state, size_t link, const Replayed* given) {
    const Checkpoint& anchored = state.key->ledger.chain.link(link).checkpoint;
    if (++explained_ <= kMaxExplained || given == nullptr) {
      return ExplainDifference(explain_log_, audit_.options_.spec, anchored,
                               given);
    }
    return CheckOutcome::Of({ReplayDifference(anchored, given->checkpoint)});
  }

  // PASS where there is no outcome.
  absl::Status Report(State& state, size_t link,
                      std::optional<CheckOutcome> outcome) {
    CheckOutcome row =
        outcome.has_value() ? *std::move(outcome) : CheckOutcome::Of({});
    const auto extra = extra_.find(state.key->name);
    if (extra != extra_.end()) {
      row.Add(CheckOutcome::Of(std::move(extra->second)));
      extra_.erase(extra);
    }
    const std::chrono::nanoseconds now = audit_.options_.now();
    const std::chrono::nanoseconds took = now - begin_;
    begin_ = now;
    return audit_.Report(*state.key, link, std::move(row), took);
  }

  // What the ledger has, and the log did not give.
  absl::Status Finish(const absl::Status& read, int64_t log_end) {
    for (auto& [name, state] : keys_) {
      const KeyChain& chain = state.key->ledger.chain;
      for (; state.next < chain.size(); ++state.next) {
        const Checkpoint& anchored = chain.link(state.next).checkpoint;
        CheckOutcome outcome;
        if (!read.ok()) {
          outcome = OutcomeOfRead(read, log_);
        } else if (anchored.scan_end > log_end) {
          outcome = OutcomeOfRead(
              absl::FailedPreconditionError(absl::StrCat(
                  anchored.topic, "/", anchored.partition, " ends at offset ",
                  log_end, "; there were records up to ", anchored.scan_end)),
              log_);
        } else {
          outcome = Explain(state, state.next, nullptr);
        }
        absl::Status reported = Report(state, state.next, std::move(outcome));
        if (!reported.ok()) return reported;
      }
      if (state.more > 0) {
        const Checkpoint& last = chain.link(chain.size() - 1).checkpoint;
        audit_.listener_.on_note(absl::StrCat(
            "key ", Shown(name), ": the ledger goes to ", RevisionText(last),
            " (seq ", last.seq, ", offset ", last.scan_end - 1,
            "); the log gives ", state.more, " checkpoint",
            state.more == 1 ? "" : "s", " more that ",
            state.more == 1 ? "is" : "are", " not anchored"));
      }
    }
    for (const auto& [name, more] : unknown_) {
      audit_.listener_.on_note(absl::StrCat(
          "key ", Shown(name), ": the ledger has nothing of it; the log gives ",
          more, " checkpoint", more == 1 ? "" : "s"));
    }
    return absl::OkStatus();
  }

  ReplayAudit& audit_;
  ReplayLog log_;
  ReplayLog explain_log_;
  RecentWindows recent_;
  WindowEngine engine_;
  std::map<std::string, State, std::less<>> keys_;
  std::map<std::string, int64_t> unknown_;
  std::map<std::string, std::vector<Finding>> extra_;
  int explained_ = 0;
  std::chrono::nanoseconds begin_{};
};

ReplayAudit::ReplayAudit(Options options, const Peers& peers, Listener listener)
    : options_(std::move(options)),
      spec_hash_(SpecHash(options_.spec)),
      peers_(peers),
      listener_(std::move(listener)) {}

absl::Status ReplayAudit::ReadLedger(const Query& query) {
  // No signature is asked for, so no producer has to be known.
  const std::vector<VerifierKey> no_producers;
  HeadBook heads(options_.ledger);
  KeyLedgerReader reader(peers_, heads, options_.ledger, no_producers,
                         options_.now);
  const auto no_signatures = [](int64_t) { return false; };
  std::map<std::string, int64_t> names;
  if (query.key.empty()) {
    absl::StatusOr<std::map<std::string, int64_t>> read =
        reader.ReadKeys(options_.spec.name, no_signatures);
    if (!read.ok()) return read.status();
    names = *std::move(read);
  } else {
    names[query.key] = 0;
  }
  for (const auto& [name, unused] : names) {
    absl::StatusOr<KeyLedger> ledger =
        reader.ReadKey(options_.spec.name, name, no_signatures);
    if (!ledger.ok()) return ledger.status();
    for (const auto& [start_ms, revisions] : ledger->windows) {
      if (query.starts.Contains(start_ms)) {
        checkpoints_ += static_cast<int64_t>(revisions.size());
      }
    }
    keys_.emplace(name, Key{name, *std::move(ledger)});
  }
  return absl::OkStatus();
}

absl::Status ReplayAudit::Report(const Key& key, size_t link,
                                 CheckOutcome outcome,
                                 std::chrono::nanoseconds duration) {
  const Checkpoint& checkpoint = key.ledger.chain.link(link).checkpoint;
  if (!starts_.Contains(checkpoint.window_start_ms)) return absl::OkStatus();
  WindowReport report;
  report.window = {options_.spec.name, key.name, checkpoint.window_start_ms};
  report.revision = checkpoint.revision;
  report.records = checkpoint.records;
  report.evidence = {key.ledger.chain.link(link).position};
  if (const AnchoredRevision* revision = RevisionOf(key.ledger, link)) {
    report.checks[CheckName::kAnchor] = revision->anchor;
    report.duration(CheckName::kAnchor) = revision->anchor_time;
  }
  report.checks[CheckName::kReplay] = std::move(outcome);
  report.duration(CheckName::kReplay) = duration;
  report.verdict = report.checks.Decide(Verdict::kVerified, false);
  ++done_;
  ended_ |= !listener_.on_checkpoint(report) ||
            !listener_.on_progress(done_, std::max(done_, checkpoints_));
  return ended_ ? EndedError() : absl::OkStatus();
}

// Items of the ledger that cannot be believed or read, or are not confirmed.
absl::Status ReplayAudit::ReportUnusable(const Key& key, const Query& query) {
  for (const auto& [start_ms, revisions] : key.ledger.windows) {
    if (!query.starts.Contains(start_ms)) continue;
    for (const AnchoredRevision& revision : revisions) {
      if (revision.link.has_value()) continue;
      WindowReport report;
      report.window = {options_.spec.name, key.name, start_ms};
      report.revision = revision.revision;
      report.evidence = {revision.position};
      report.checks[CheckName::kAnchor] = revision.anchor;
      report.checks[CheckName::kReplay] =
          CheckOutcome::Skipped(revision.unusable);
      report.verdict =
          report.checks.Decide(Verdict::kVerified, revision.unsupported);
      ++done_;
      ended_ |= !listener_.on_checkpoint(report) ||
                !listener_.on_progress(done_, std::max(done_, checkpoints_));
      if (ended_) return EndedError();
    }
  }
  return absl::OkStatus();
}

absl::Status ReplayAudit::ReplayKey(Key& key, const Query& query) {
  const KeyChain& chain = key.ledger.chain;
  ChainReplay replay(
      *options_.log, chain,
      [this](const Digest& hash) {
        return hash == spec_hash_ ? &options_.spec : nullptr;
      },
      [this] { return Ended(); });
  for (size_t link = 0; link < chain.size(); ++link) {
    if (!query.starts.Contains(chain.link(link).checkpoint.window_start_ms)) {
      continue;
    }
    const std::chrono::nanoseconds begin = options_.now();
    CheckOutcome outcome = replay.Outcome(link);
    absl::Status reported =
        Report(key, link, std::move(outcome), options_.now() - begin);
    if (!reported.ok()) return reported;
  }
  return absl::OkStatus();
}

absl::Status ReplayAudit::ReplayPartition(const TopicPartition& source,
                                          std::vector<Key*> keys) {
  Query all;
  // Only keys whose chain begins at the origin, under these rules.
  std::vector<Key*> from_origin;
  for (Key* key : keys) {
    const Checkpoint& first = key->ledger.chain.link(0).checkpoint;
    if (first.seq == 0 && first.spec == spec_hash_) from_origin.push_back(key);
  }
  bool whole = !from_origin.empty();
  std::unique_ptr<Partition> partition;
  if (whole) {
    partition = std::make_unique<Partition>(*this, source, from_origin);
    const absl::StatusOr<LogBounds> bounds = partition->Bounds();
    const int64_t origin = partition->origin();
    whole = bounds.ok() && bounds->begin <= origin && origin <= bounds->end;
    if (whole) {
      absl::Status run = partition->Run(origin, bounds->end);
      if (!run.ok()) return run;
    }
  }
  for (Key* key : keys) {
    const bool done = whole && std::find(from_origin.begin(), from_origin.end(),
                                         key) != from_origin.end();
    if (done) continue;
    absl::Status replayed = ReplayKey(*key, all);
    if (!replayed.ok()) return replayed;
  }
  return absl::OkStatus();
}

absl::Status ReplayAudit::Run(const Query& query) {
  starts_ = query.starts;
  if (absl::Status read = ReadLedger(query); !read.ok()) return read;
  if (!listener_.on_progress(0, checkpoints_)) return EndedError();
  const bool whole = query.key.empty() && !query.starts.start_ms.has_value() &&
                     !query.starts.end_ms.has_value();
  std::map<TopicPartition, std::vector<Key*>> partitions;
  for (auto& [name, key] : keys_) {
    if (key.ledger.chain.size() == 0) continue;
    const Checkpoint& first = key.ledger.chain.link(0).checkpoint;
    partitions[{first.topic, first.partition}].push_back(&key);
  }
  for (const auto& [source, keys] : partitions) {
    if (whole) {
      absl::Status replayed = ReplayPartition(source, keys);
      if (!replayed.ok()) return replayed;
      continue;
    }
    for (Key* key : keys) {
      absl::Status replayed = ReplayKey(*key, query);
      if (!replayed.ok()) return replayed;
    }
  }
  for (const auto& [name, key] : keys_) {
    absl::Status reported = ReportUnusable(key, query);
    if (!reported.ok()) return reported;
  }
  return absl::OkStatus();
}

}  // namespace windproof
