#include "services/verifier/replay_chain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/verifier/replay_culprit.h"

namespace windproof {
namespace {

// Differences of one key that keep what the log gave.
constexpr size_t kMaxKept = 100;

}  // namespace

CheckOutcome OutcomeOfRead(const absl::Status& read, const ReplayLog& log) {
  const bool truncated = absl::IsFailedPrecondition(read);
  if (!truncated && !absl::IsDataLoss(read)) {
    return CheckOutcome::Skipped(Shown(read.message()));
  }
  Finding finding;
  finding.code = truncated ? "LOG_TRUNCATED" : "LOG_DAMAGED";
  finding.offset = log.position();
  finding.expected = "the records that the ledger counts";
  finding.message = Shown(read.message());
  return CheckOutcome::Of({std::move(finding)});
}

ChainReplay::ChainReplay(
    RecordLog& log, const KeyChain& chain,
    std::function<const PipelineSpec*(const Digest&)> spec_of,
    std::function<bool()> cancelled)
    : log_(log),
      chain_(chain),
      spec_of_(std::move(spec_of)),
      cancelled_(std::move(cancelled)),
      outcomes_(chain.size()) {}

const CheckOutcome& ChainReplay::Outcome(size_t link) {
  if (outcomes_[link].has_value()) return *outcomes_[link];
  const std::optional<Moment> moment = MomentOf(chain_, link);
  if (moment.has_value()) {
    Run(*moment);
  } else {
    SkipMoment({link, link},
               "the checkpoint that was written before it at the same moment "
               "is not on the ledger");
  }
  return *outcomes_[link];
}

const Replayed* ChainReplay::Given(size_t link) const {
  const auto found = differing_.find(link);
  return found == differing_.end() ? nullptr : &found->second;
}

void ChainReplay::SkipMoment(const Moment& moment, const std::string& reason) {
  goes_on_at_.reset();
  for (size_t link = moment.first; link <= moment.last; ++link) {
    outcomes_[link] = CheckOutcome::Skipped(reason);
  }
}

absl::Status ChainReplay::Restart(const Moment& moment,
                                  const PipelineSpec& spec) {
  const Checkpoint& first = chain_.link(moment.first).checkpoint;
  std::optional<size_t> before;
  if (first.seq != 0) {
    before = chain_.Before(moment.first);
    if (!before.has_value()) {
      return absl::NotFoundError(
          absl::StrCat("the checkpoint with seq ", first.seq - 1,
                       " is not on the ledger; a replay begins from it"));
    }
    const Checkpoint& last = chain_.link(*before).checkpoint;
    if (last.topic != first.topic || last.partition != first.partition ||
        last.spec != first.spec) {
      return absl::NotFoundError(
          "the checkpoint before it is of another source or other rules");
    }
  }
  const TopicPartition source{first.topic, first.partition};
  if (spec_ != &spec || reader_ == nullptr || reader_->source() != source) {
    spec_ = &spec;
    windows_.reset();
    reader_ = std::make_unique<ReplayLog>(log_, source, cancelled_);
    old_reader_ = std::make_unique<ReplayLog>(log_, source, cancelled_);
    windows_ = std::make_unique<ChainWindows>(spec, chain_, *old_reader_);
  }
  windows_->BeginAt(moment.first);
  replay_ = std::make_unique<KeyReplay>(spec, first.topic, first.partition,
                                        first.key, *windows_);
  if (before.has_value()) {
    replay_->BeginAfter(chain_.link(*before).checkpoint,
                        chain_.link(*before).hash);
  } else {
    replay_->Begin(first.scan_begin);
  }
  drops_.clear();
  reader_->Seek(replay_->next_offset());
  return absl::OkStatus();
}

void ChainReplay::Take(EngineOutput* output) {
  for (const DroppedRecord& dropped : output->dropped) {
    if (dropped.change == DroppedRecord::Change::kDropped) {
      drops_.push_back({dropped.offset, dropped.reason, dropped.record_hash});
      continue;
    }
    const auto drop = std::lower_bound(
        drops_.begin(), drops_.end(), dropped.offset,
        [](const PendingDrop& a, int64_t offset) { return a.offset < offset; });
    if (drop == drops_.end() || drop->offset != dropped.offset) continue;
    if (dropped.change == DroppedRecord::Change::kReasonChanged) {
      drop->reason = dropped.reason;
    } else {
      drops_.erase(drop);
    }
  }
  for (WrittenWindow& written : output->windows) {
    windows_->Take(written);
    Replayed& given = given_.emplace_back();
    if (written.checkpoint.scan_begin < written.checkpoint.scan_end) {
      given.drops = std::exchange(drops_, {});
    }
    given.checkpoint = std::move(written.checkpoint);
    given.hash = written.checkpoint_hash;
    given.records = std::move(written.records);
  }
  output->Clear();
}

void ChainReplay::Run(const Moment& moment) {
  const Checkpoint& first = chain_.link(moment.first).checkpoint;
  const PipelineSpec* spec = spec_of_(first.spec);
  if (spec == nullptr) {
    SkipMoment(moment, absl::StrCat("the rules with hash ", HexOf(first.spec),
                                    " are not known"));
    return;
  }
  given_.clear();
  if (goes_on_at_ != moment.first) {
    if (absl::Status restarted = Restart(moment, *spec); !restarted.ok()) {
      SkipMoment(moment, std::string(restarted.message()));
      return;
    }
  }
  goes_on_at_.reset();
  EngineOutput output;
  const absl::Status read =
      reader_->ReadTo(first.scan_end, [&](const LogRecord& record) {
        absl::Status fed = replay_->Feed(record, &output);
        if (!output.windows.empty() || !output.dropped.empty()) Take(&output);
        return fed;
      });
  if (!read.ok()) {
    const CheckOutcome outcome = OutcomeOfRead(read, *reader_);
    for (size_t link = moment.first; link <= moment.last; ++link) {
      outcomes_[link] = outcome;
    }
    return;
  }
  Compare(moment);
}

void ChainReplay::Compare(const Moment& moment) {
  bool same = true;
  size_t next = 0;  // of given_, where all was the same so far
  std::vector<bool> used(given_.size(), false);
  for (size_t i = moment.first; i <= moment.last; ++i) {
    const ChainLink& link = chain_.link(i);
    if (same && next < given_.size() && given_[next].hash == link.hash) {
      used[next++] = true;
      outcomes_[i] = CheckOutcome::Of({});
      continue;
    }
    const bool followed = !same;
    same = false;
    Replayed* given = nullptr;
    for (size_t g = 0; g < given_.size(); ++g) {
      const Checkpoint& checkpoint = given_[g].checkpoint;
      if (!used[g] &&
          checkpoint.window_start_ms == link.checkpoint.window_start_ms &&
          checkpoint.revision == link.checkpoint.revision) {
        used[g] = true;
        given = &given_[g];
        break;
      }
    }
    if (given != nullptr &&
        (given->hash == link.hash ||
         (followed &&
          SameButForLinks(given->checkpoint, link.hash, link.checkpoint.seq,
                          link.checkpoint.prev, link.checkpoint.supersedes)))) {
      outcomes_[i] = CheckOutcome::Of({});
      continue;
    }
    outcomes_[i] = Differs(link, given);
    if (given != nullptr && outcomes_[i]->failed() &&
        differing_.size() < kMaxKept) {
      differing_.emplace(i, std::move(*given));
    }
  }
  // What comes after all that the ledger has of the key is not anchored yet.
  const bool open_end = moment.last + 1 == chain_.size() && same;
  for (size_t g = 0; g < given_.size() && !open_end; ++g) {
    if (used[g]) continue;
    same = false;
    const Checkpoint& extra = given_[g].checkpoint;
    Finding finding;
    finding.code = "REPLAY_EXTRA";
    finding.offset = extra.scan_end - 1;
    finding.found = HexOf(given_[g].hash);
    finding.message = absl::StrCat(
        "the log's record at offset ", extra.scan_end - 1, " writes ",
        RevisionText(extra), ", which the ledger does not have there");
    outcomes_[moment.first]->Add(CheckOutcome::Of({std::move(finding)}));
  }
  if (same) goes_on_at_ = moment.last + 1;
}

CheckOutcome ChainReplay::Differs(const ChainLink& link,
                                  const Replayed* given) {
  return ExplainDifference(*old_reader_, *spec_, link.checkpoint, given);
}

}  // namespace windproof
