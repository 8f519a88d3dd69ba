#include "services/verifier/chain_check.h"

#include <algorithm>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/canonical/timestamp.h"

namespace windproof {
namespace {

Finding About(const Checkpoint& checkpoint, absl::string_view code,
              std::string expected, std::string found,
              absl::string_view message) {
  Finding finding;
  finding.code = std::string(code);
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.message =
      absl::StrCat("checkpoint seq ", checkpoint.seq, ": ", message);
  return finding;
}

std::string MillisText(int64_t millis) {
  return FormatTimestamp(TimestampFromMillis(millis));
}

std::string SourceText(const Checkpoint& checkpoint) {
  return absl::StrCat(Shown(checkpoint.topic), "/", checkpoint.partition);
}

bool IsEmptyScan(const Checkpoint& checkpoint) {
  return checkpoint.scan_begin == checkpoint.scan_end;
}

// PASS, FAIL or, where nothing failed but a part did not run, SKIPPED.
CheckOutcome Conclude(std::vector<Finding> findings,
                      const std::vector<std::string>& skipped) {
  CheckOutcome outcome = CheckOutcome::Of(std::move(findings));
  if (!skipped.empty()) {
    if (outcome.passed()) outcome.result = CheckResult::kSkipped;
    outcome.reason = absl::StrJoin(skipped, "; ");
  }
  return outcome;
}

// What every pair of successive checkpoints must have in common. `self` is the
// one that the findings are about.
void CompareNeighbours(const Checkpoint& self, const Checkpoint& neighbour,
                       std::vector<Finding>* findings) {
  if (self.topic != neighbour.topic || self.partition != neighbour.partition) {
    findings->push_back(
        About(self, "SOURCE_CHANGED", SourceText(neighbour), SourceText(self),
              absl::StrCat("its source is not that of seq ", neighbour.seq)));
  }
  if (self.spec != neighbour.spec) {
    findings->push_back(
        About(self, "SPEC_CHANGED", HexOf(neighbour.spec), HexOf(self.spec),
              absl::StrCat("its rules are not those of seq ", neighbour.seq)));
  }
}

}  // namespace

KeyChain::KeyChain(std::vector<ChainLink> links,
                   std::vector<UnusableItem> unusable)
    : links_(std::move(links)), unusable_(std::move(unusable)) {
  std::sort(links_.begin(), links_.end(),
            [](const ChainLink& a, const ChainLink& b) {
              if (a.checkpoint.seq != b.checkpoint.seq) {
                return a.checkpoint.seq < b.checkpoint.seq;
              }
              return a.position < b.position;
            });
  closing_before_.resize(links_.size());
  closing_after_.resize(links_.size());
  std::optional<size_t> closing;
  for (size_t i = 0; i < links_.size(); ++i) {
    const Checkpoint& checkpoint = links_[i].checkpoint;
    windows_[checkpoint.window_start_ms].push_back(i);
    closing_before_[i] = closing;
    if (checkpoint.revision != 0) continue;
    closing = i;
    closings_.push_back(i);
    highest_start_.push_back(
        highest_start_.empty()
            ? checkpoint.window_start_ms
            : std::max(highest_start_.back(), checkpoint.window_start_ms));
  }
  closing.reset();
  for (size_t i = links_.size(); i-- > 0;) {
    closing_after_[i] = closing;
    if (links_[i].checkpoint.revision == 0) closing = i;
  }
  for (auto& [start, indexes] : windows_) {
    std::stable_sort(indexes.begin(), indexes.end(), [&](size_t a, size_t b) {
      return links_[a].checkpoint.revision < links_[b].checkpoint.revision;
    });
  }
}

const std::vector<size_t>* KeyChain::Window(int64_t start_ms) const {
  const auto window = windows_.find(start_ms);
  return window == windows_.end() ? nullptr : &window->second;
}

std::optional<std::string> KeyChain::WhyUnusable(int64_t seq) const {
  if (unusable_.empty()) return std::nullopt;
  return absl::StrCat("seq ", seq, " may be the ledger item at position ",
                      unusable_.front().position, ", which ",
                      unusable_.front().why);
}

std::optional<size_t> KeyChain::Before(size_t index) const {
  const int64_t seq = links_[index].checkpoint.seq;
  for (size_t i = index; i-- > 0;) {
    if (links_[i].checkpoint.seq == seq) continue;
    if (links_[i].checkpoint.seq != seq - 1) return std::nullopt;
    return i;
  }
  return std::nullopt;
}

CheckOutcome KeyChain::CheckLink(size_t index, const PipelineSpec* spec) const {
  const Checkpoint& self = links_[index].checkpoint;
  std::vector<Finding> findings;
  std::vector<std::string> skipped;
  CheckBefore(index, &findings, &skipped);
  CheckAfter(index, &findings, &skipped);
  CheckRevision(index, &findings, &skipped);
  CheckClosings(index, &findings);
  if (spec != nullptr) {
    if (spec->name != self.pipeline) {
      findings.push_back(About(self, "SPEC_CHANGED", Shown(self.pipeline),
                               Shown(spec->name),
                               "its rules are those of another pipeline"));
    }
    // Below 2^63 by far: both lie in the years 0 to 10000, grace is a year.
    const int64_t closes = self.window_end_ms + spec->grace_ms;
    if (self.watermark < TimestampFromMillis(closes)) {
      findings.push_back(
          About(self, "CLOSED_EARLY",
                absl::StrCat("at least ", MillisText(self.window_end_ms), " + ",
                             spec->grace_ms, " ms"),
                FormatTimestamp(self.watermark),
                "its watermark has not reached the window's end and grace"));
    }
  }
  return Conclude(std::move(findings), skipped);
}

void KeyChain::CheckBefore(size_t index, std::vector<Finding>* findings,
                           std::vector<std::string>* skipped) const {
  const ChainLink& self = links_[index];
  const int64_t seq = self.checkpoint.seq;
  for (const size_t other : {index - 1, index + 1}) {
    if (other >= links_.size() || links_[other].checkpoint.seq != seq) continue;
    findings->push_back(About(
        self.checkpoint, "SEQ_FORK", HexOf(self.hash),
        HexOf(links_[other].hash),
        absl::StrCat("another checkpoint of the key has this seq, for ",
                     "the window that starts ",
                     MillisText(links_[other].checkpoint.window_start_ms))));
  }
  if (seq == 0) {
    if (self.checkpoint.prev != kZeroDigest) {
      findings->push_back(About(self.checkpoint, "PREV_MISMATCH",
                                HexOf(kZeroDigest), HexOf(self.checkpoint.prev),
                                "the first of a chain has no checkpoint "
                                "before it"));
    }
    return;
  }
  const std::optional<size_t> before = Before(index);
  if (!before.has_value()) {
    if (std::optional<std::string> why = WhyUnusable(seq - 1)) {
      skipped->push_back(std::move(*why));
    } else {
      findings->push_back(
          About(self.checkpoint, "SEQ_GAP", absl::StrCat(seq - 1), "",
                absl::StrCat("the checkpoint before it, seq ", seq - 1,
                             ", is not on the ledger")));
    }
    return;
  }
  const ChainLink& previous = links_[*before];
  if (self.checkpoint.prev != previous.hash) {
    findings->push_back(
        About(self.checkpoint, "PREV_MISMATCH", HexOf(previous.hash),
              HexOf(self.checkpoint.prev),
              absl::StrCat("prev is not the SHA-256 of seq ", seq - 1)));
  }
  CompareNeighbours(self.checkpoint, previous.checkpoint, findings);
  if (self.checkpoint.watermark < previous.checkpoint.watermark) {
    findings->push_back(
        About(self.checkpoint, "WATERMARK_BACK",
              absl::StrCat("at least ",
                           FormatTimestamp(previous.checkpoint.watermark)),
              FormatTimestamp(self.checkpoint.watermark),
              absl::StrCat("its watermark is below that of seq ", seq - 1)));
  }
  if (IsEmptyScan(self.checkpoint) &&
      (self.checkpoint.watermark != previous.checkpoint.watermark ||
       self.checkpoint.scan_low != previous.checkpoint.scan_low)) {
    findings->push_back(
        About(self.checkpoint, "MOMENT_DIFFERS",
              absl::StrCat(FormatTimestamp(previous.checkpoint.watermark),
                           ", low ", previous.checkpoint.scan_low),
              absl::StrCat(FormatTimestamp(self.checkpoint.watermark), ", low ",
                           self.checkpoint.scan_low),
              absl::StrCat("its scan is empty, so it was written with seq ",
                           seq - 1, ", but watermark or scan.low differ")));
  }
}

void KeyChain::CheckAfter(size_t index, std::vector<Finding>* findings,
                          std::vector<std::string>* skipped) const {
  const ChainLink& self = links_[index];
  const int64_t seq = self.checkpoint.seq;
  size_t after = index + 1;
  while (after < links_.size() && links_[after].checkpoint.seq == seq) ++after;
  if (after == links_.size()) {
    // The newest: none follows. Unless one does that cannot be read.
    for (const UnusableItem& item : unusable_) {
      if (item.position > self.position) {
        skipped->push_back(absl::StrCat("what follows cannot be looked at: ",
                                        "the ledger item at position ",
                                        item.position, " ", item.why));
        return;
      }
    }
    return;
  }
  const ChainLink& next = links_[after];
  if (next.checkpoint.seq != seq + 1) {
    if (std::optional<std::string> why = WhyUnusable(seq + 1)) {
      skipped->push_back(std::move(*why));
    } else {
      findings->push_back(
          About(self.checkpoint, "SEQ_GAP", absl::StrCat(seq + 1),
                absl::StrCat(next.checkpoint.seq),
                absl::StrCat("the checkpoint after it, seq ", seq + 1,
                             ", is not on the ledger")));
    }
    return;
  }
  if (next.checkpoint.prev != self.hash) {
    findings->push_back(
        About(self.checkpoint, "PREV_MISMATCH", HexOf(self.hash),
              HexOf(next.checkpoint.prev),
              absl::StrCat("prev of seq ", seq + 1, " is not its SHA-256")));
  }
  CompareNeighbours(self.checkpoint, next.checkpoint, findings);
}

void KeyChain::CheckRevision(size_t index, std::vector<Finding>* findings,
                             std::vector<std::string>* skipped) const {
  const ChainLink& self = links_[index];
  const Checkpoint& checkpoint = self.checkpoint;
  if (checkpoint.revision == 0) return;
  const std::vector<size_t>& window = *Window(checkpoint.window_start_ms);
  const auto superseded =
      std::find_if(window.begin(), window.end(), [&](size_t other) {
        return links_[other].checkpoint.revision == checkpoint.revision - 1;
      });
  const Digest supersedes = checkpoint.supersedes.value_or(kZeroDigest);
  if (superseded == window.end()) {
    if (checkpoint.revision == 1 && supersedes == kZeroDigest) return;
    if (!unusable_.empty()) {
      skipped->push_back(absl::StrCat("revision ", checkpoint.revision - 1,
                                      " may be the ledger item at ",
                                      "position ", unusable_.front().position,
                                      ", which ", unusable_.front().why));
      return;
    }
    findings->push_back(
        About(checkpoint, "REVISION_GAP",
              absl::StrCat("revision ", checkpoint.revision - 1), "",
              absl::StrCat("the revision that it supersedes, ",
                           HexOf(supersedes), ", is not on the ledger")));
    return;
  }
  const ChainLink& before = links_[*superseded];
  if (supersedes != before.hash) {
    findings->push_back(
        About(checkpoint, "SUPERSEDES_MISMATCH", HexOf(before.hash),
              HexOf(supersedes),
              absl::StrCat("supersedes is not the SHA-256 of revision ",
                           checkpoint.revision - 1)));
  }
  if (before.checkpoint.seq >= checkpoint.seq) {
    findings->push_back(
        About(checkpoint, "REVISION_GAP",
              absl::StrCat("a seq above ", before.checkpoint.seq),
              absl::StrCat(checkpoint.seq),
              absl::StrCat("revision ", checkpoint.revision,
                           " comes before the revision that it supersedes")));
  }
}

void KeyChain::CheckClosings(size_t index,
                             std::vector<Finding>* findings) const {
  const Checkpoint& self = links_[index].checkpoint;
  if (self.revision != 0) return;
  if (closing_before_[index].has_value()) {
    const Checkpoint& before = links_[*closing_before_[index]].checkpoint;
    if (before.window_start_ms >= self.window_start_ms) {
      findings->push_back(
          About(self, "CLOSING_ORDER",
                absl::StrCat("after ", MillisText(before.window_start_ms)),
                MillisText(self.window_start_ms),
                absl::StrCat("it starts no later than the closing before it, ",
                             "seq ", before.seq)));
    }
  }
  if (closing_after_[index].has_value()) {
    const Checkpoint& after = links_[*closing_after_[index]].checkpoint;
    if (after.window_start_ms <= self.window_start_ms) {
      findings->push_back(
          About(self, "CLOSING_ORDER",
                absl::StrCat("before ", MillisText(after.window_start_ms)),
                MillisText(self.window_start_ms),
                absl::StrCat("it starts no earlier than the closing after it, ",
                             "seq ", after.seq)));
    }
  }
}

CheckOutcome KeyChain::CheckScan(size_t index,
                                 absl::Span<const KnownOrigin> origins) const {
  const Checkpoint& self = links_[index].checkpoint;
  std::vector<Finding> findings;
  std::vector<std::string> skipped;

  // Counts are not to be trusted: their sum may be beyond 64 bits. Above 2^53 a
  // JSON number is what a double makes of the gap.
  const ScanCounts& scan = self.scan;
  const absl::int128 own = absl::int128(scan.accepted) + scan.conflict +
                           scan.control + scan.duplicate + scan.invalid +
                           scan.late + scan.other;
  const absl::int128 gap = absl::int128(self.scan_end) - self.scan_begin - own;
  const bool exact = gap == scan.gap;
  const bool as_double =
      gap > (absl::int128(1) << 53) &&
      static_cast<double>(gap) == static_cast<double>(scan.gap);
  if (!exact && !as_double) {
    findings.push_back(About(
        self, "SCAN_SUM", absl::StrCat(self.scan_end, " - ", self.scan_begin),
        absl::StrCat("accepted ", scan.accepted, ", conflict ", scan.conflict,
                     ", control ", scan.control, ", duplicate ", scan.duplicate,
                     ", gap ", scan.gap, ", invalid ", scan.invalid, ", late ",
                     scan.late, ", other ", scan.other),
        "the eight counts do not sum to the length of the scan"));
  }

  // Every record of a window was scanned before the window was written; the
  // open ones lie before the scan's end as well, or low is that end.
  const auto check_below_end = [&](absl::string_view member, int64_t value) {
    if (value <= self.scan_end) return;
    findings.push_back(About(
        self, "SCAN_RANGE", absl::StrCat("at most ", self.scan_end),
        absl::StrCat(value), absl::StrCat(member, " lies after the scan")));
  };
  check_below_end("offsets.end", self.offsets_end);
  check_below_end("scan.low", self.scan_low);
  if (self.offsets_begin >= self.offsets_end) {
    findings.push_back(
        About(self, "SCAN_RANGE", absl::StrCat("above ", self.offsets_begin),
              absl::StrCat(self.offsets_end), "offsets is an empty range"));
  }

  if (links_.front().checkpoint.seq == 0 &&
      self.offsets_begin < links_.front().checkpoint.scan_begin) {
    findings.push_back(
        About(self, "SCAN_RANGE",
              absl::StrCat("at least ", links_.front().checkpoint.scan_begin),
              absl::StrCat(self.offsets_begin),
              "offsets.begin lies before the first scan of the chain"));
  }
  if (self.seq == 0) {
    bool known = false;
    for (const KnownOrigin& origin : origins) {
      known = true;
      if (origin.offset == self.scan_begin) continue;
      findings.push_back(About(
          self, "ORIGIN_MISMATCH", absl::StrCat(origin.offset),
          absl::StrCat(self.scan_begin),
          absl::StrCat("the first scan does not begin at the origin of the ",
                       "partition that ", origin.who, " has")));
    }
    if (!known) {
      skipped.push_back(
          "nothing else tells the partition's origin, where the first scan "
          "begins");
    }
    if (IsEmptyScan(self)) {
      findings.push_back(About(self, "SCAN_RANGE",
                               absl::StrCat("beyond ", self.scan_begin),
                               absl::StrCat(self.scan_end),
                               "the first scan of a chain cannot be empty"));
    }
  } else if (const std::optional<size_t> before = Before(index)) {
    const Checkpoint& previous = links_[*before].checkpoint;
    if (self.scan_begin != previous.scan_end) {
      findings.push_back(
          About(self, "SCAN_TOUCH", absl::StrCat(previous.scan_end),
                absl::StrCat(self.scan_begin),
                absl::StrCat("its scan does not begin where that of seq ",
                             previous.seq, " ended")));
    }
  } else {
    skipped.push_back(
        absl::StrCat("seq ", self.seq - 1,
                     " is not there to tell where the scan must begin"));
  }
  size_t after = index + 1;
  while (after < links_.size() && links_[after].checkpoint.seq == self.seq) {
    ++after;
  }
  if (after < links_.size() && links_[after].checkpoint.seq == self.seq + 1 &&
      links_[after].checkpoint.scan_begin != self.scan_end) {
    findings.push_back(
        About(self, "SCAN_TOUCH", absl::StrCat(self.scan_end),
              absl::StrCat(links_[after].checkpoint.scan_begin),
              absl::StrCat("the scan of seq ", self.seq + 1,
                           " does not begin where this one ended")));
  }
  return Conclude(std::move(findings), skipped);
}

std::optional<KeyChain::Run> KeyChain::EmptyEvidence(int64_t start_ms) const {
  if (Window(start_ms) != nullptr) return std::nullopt;
  const auto after =
      std::upper_bound(highest_start_.begin(), highest_start_.end(), start_ms);
  if (after == highest_start_.end()) return std::nullopt;
  const size_t closing = static_cast<size_t>(after - highest_start_.begin());
  Run run;
  run.first = closing == 0 ? 0 : closings_[closing - 1];
  run.last = closings_[closing];
  return run;
}

}  // namespace windproof
