#include "services/verifier/replay_culprit.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/pipeline/leaves.h"
#include "common/pipeline/record_reader.h"

namespace windproof {
namespace {

constexpr size_t kMaxOffsets = 10'000;
constexpr size_t kMaxListed = 10;
// Roots over dropped records that are tried; each is over that many.
constexpr size_t kMaxDropsTried = 300;

// What the log has in a range.
struct Surroundings {
  std::vector<int64_t> holes;
  std::vector<int64_t> own;  // of the key
};

std::string ListText(absl::Span<const int64_t> offsets) {
  std::string text;
  for (size_t i = 0; i < offsets.size() && i < kMaxListed; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", offsets[i]);
  }
  if (offsets.size() > kMaxListed) absl::StrAppend(&text, ", …");
  return text;
}

Finding Found(absl::string_view code, std::optional<int64_t> offset,
              std::string message) {
  Finding finding;
  finding.code = std::string(code);
  finding.offset = offset;
  finding.message = std::move(message);
  return finding;
}

absl::StatusOr<Surroundings> LookAround(ReplayLog& log,
                                        const PipelineSpec& spec,
                                        const std::string& key, int64_t begin,
                                        int64_t end) {
  const absl::StatusOr<LogBounds> bounds = log.Bounds(end);
  if (!bounds.ok()) return bounds.status();
  begin = std::max(begin, bounds->begin);
  Surroundings found;
  RecordReader reader(spec);
  int64_t next = begin;
  const auto add_holes = [&](int64_t until) {
    for (; next < until && found.holes.size() < kMaxOffsets; ++next) {
      found.holes.push_back(next);
    }
    next = until;
  };
  log.Seek(begin);
  const absl::Status read = log.ReadTo(end, [&](const LogRecord& record) {
    add_holes(record.offset);
    next = record.offset + 1;
    const bool own = record.key.has_value() ? *record.key == key : [&] {
      const RecordReader::Result& r = reader.Read(record);
      return r.kind != RecordReader::Kind::kOther && r.key == key;
    }();
    if (own && found.own.size() < kMaxOffsets) {
      found.own.push_back(record.offset);
    }
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  add_holes(end);
  return found;
}

// The offsets of `offsets` in [begin, end).
std::vector<int64_t> Within(absl::Span<const int64_t> offsets, int64_t begin,
                            int64_t end) {
  std::vector<int64_t> within;
  for (const int64_t offset : offsets) {
    if (offset >= begin && offset < end) within.push_back(offset);
  }
  return within;
}

bool Has(absl::Span<const int64_t> offsets, int64_t offset) {
  return std::find(offsets.begin(), offsets.end(), offset) != offsets.end();
}

// By the hash over the positions, where a single record is another.
void NameByPositions(const Checkpoint& anchored, const Replayed& given,
                     const Surroundings& around,
                     std::vector<Finding>* findings) {
  if (given.checkpoint.positions_sha256 == anchored.positions_sha256) {
    if (given.checkpoint.root == anchored.root) return;
    const bool one = anchored.records == 1;
    findings->push_back(Found(
        "LOG_RECORD_ALTERED",
        one ? std::optional<int64_t>(anchored.offsets_begin) : std::nullopt,
        one ? absl::StrCat("the log's record at offset ",
                           anchored.offsets_begin,
                           " is not the one that was anchored")
            : absl::StrCat("one or more of the ", anchored.records,
                           " records at offsets ", anchored.offsets_begin,
                           " to ", anchored.offsets_end - 1,
                           " are not those that were anchored; the ledger "
                           "alone does not tell which")));
    if (one) findings->back().record = 0;
    return;
  }
  std::vector<int64_t> candidates =
      Within(around.holes, anchored.offsets_begin, anchored.offsets_end);
  const std::vector<int64_t> own =
      Within(around.own, anchored.offsets_begin, anchored.offsets_end);
  candidates.insert(candidates.end(), own.begin(), own.end());
  const std::optional<PositionEdit> edit =
      FindPositionEdit(anchored, given.records, candidates);
  if (!edit.has_value()) return;
  const auto record = static_cast<int64_t>(edit->record);
  if (edit->removed.has_value()) {
    const bool hole = Has(around.holes, *edit->removed);
    findings->push_back(Found(
        hole ? "LOG_RECORD_REMOVED" : "LOG_RECORD_ALTERED", *edit->removed,
        absl::StrCat("the log's record at offset ", *edit->removed,
                     hole ? " is gone" : " is not the one that was anchored",
                     "; it was record ", record, " of the window")));
    findings->back().record = record;
    return;
  }
  findings->push_back(
      Found("LOG_RECORD_ADDED", *edit->added,
            absl::StrCat("the log gives the window a record at offset ",
                         *edit->added, " that was not anchored")));
  findings->back().record = record;
}

void NameByDrops(const Checkpoint& anchored, const Replayed& given,
                 std::vector<Finding>* findings) {
  const std::vector<PendingDrop>& drops = given.drops;
  if (given.checkpoint.dropped_root == anchored.dropped_root) return;
  const ScanCounts& a = anchored.scan;
  const int64_t count = a.duplicate + a.conflict + a.late + a.invalid;
  const auto replayed = static_cast<int64_t>(drops.size());
  if (count == replayed - 1 && drops.size() <= kMaxDropsTried) {
    for (size_t i = 0; i < drops.size(); ++i) {
      std::vector<PendingDrop> tried = drops;
      tried.erase(tried.begin() + static_cast<std::ptrdiff_t>(i));
      if (DroppedRoot(tried) != anchored.dropped_root) continue;
      findings->push_back(Found(
          "LOG_RECORD_ADDED", drops[i].offset,
          absl::StrCat("the log's record at offset ", drops[i].offset,
                       " would be dropped (", DropReasonName(drops[i].reason),
                       "), and was not")));
      return;
    }
  }
  if (count != replayed || drops.empty()) return;
  std::vector<int64_t> offsets;
  offsets.reserve(drops.size());
  for (const PendingDrop& drop : drops) offsets.push_back(drop.offset);
  const bool one = drops.size() == 1;
  findings->push_back(Found(
      "LOG_RECORD_ALTERED",
      one ? std::optional<int64_t>(offsets[0]) : std::nullopt,
      absl::StrCat(one ? "the dropped record at offset "
                       : "one or more of the dropped records at offsets ",
                   ListText(offsets), one ? " is" : " are",
                   " not what was anchored: log time, key, value or headers "
                   "are others, or the reason is")));
}

}  // namespace

CheckOutcome ExplainDifference(ReplayLog& log, const PipelineSpec& spec,
                               const Checkpoint& anchored,
                               const Replayed* given) {
  std::vector<Finding> findings;
  if (given != nullptr) {
    findings.push_back(ReplayDifference(anchored, given->checkpoint));
  } else {
    findings.push_back(
        Found("REPLAY_MISSING", anchored.scan_end - 1,
              absl::StrCat("the log does not give ", RevisionText(anchored),
                           ", which the record at offset ",
                           anchored.scan_end - 1, " must write")));
    findings.back().expected = HexOf(Sha256Of(EncodeCheckpoint(anchored)));
  }
  const absl::StatusOr<Surroundings> around = LookAround(
      log, spec, anchored.key,
      std::min(anchored.scan_begin, anchored.offsets_begin), anchored.scan_end);
  if (!around.ok()) {
    CheckOutcome outcome = CheckOutcome::Of(std::move(findings));
    outcome.reason = absl::StrCat("the record cannot be named: ",
                                  Shown(around.status().message()));
    return outcome;
  }
  const std::vector<int64_t> scan_holes =
      Within(around->holes, anchored.scan_begin, anchored.scan_end);
  const auto holes = static_cast<int64_t>(scan_holes.size());
  const std::vector<int64_t> window_holes =
      Within(around->holes, anchored.offsets_begin, anchored.offsets_end);
  const bool lost =
      holes > anchored.scan.gap || Has(around->holes, anchored.scan_end - 1) ||
      (!window_holes.empty() && given != nullptr &&
       given->checkpoint.positions_sha256 != anchored.positions_sha256);
  if (lost && log.may_have_holes()) {
    return CheckOutcome::Skipped(absl::StrCat(
        "expired: ", anchored.topic, "/", anchored.partition,
        " no longer holds all records of offsets ",
        std::min(anchored.scan_begin, anchored.offsets_begin), " to ",
        anchored.scan_end, "; it has none at ",
        ListText(holes > anchored.scan.gap ? scan_holes : around->holes)));
  }
  if (given != nullptr) NameByPositions(anchored, *given, *around, &findings);
  // Counted as a record then, a hole now. Which of several holes, only where
  // none was one before.
  const auto named = [&](int64_t offset) {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const Finding& f) { return f.offset == offset; });
  };
  if (holes > anchored.scan.gap) {
    if (anchored.scan.gap == 0) {
      for (const int64_t offset : scan_holes) {
        if (named(offset) && given != nullptr) continue;
        findings.push_back(
            Found("LOG_RECORD_REMOVED", offset,
                  absl::StrCat("the log's record at offset ", offset,
                               " is gone; the scan counted no gap")));
      }
    } else {
      findings.push_back(
          Found("LOG_RECORD_REMOVED", std::nullopt,
                absl::StrCat("the scan counted ", anchored.scan.gap,
                             " gaps, the log has ", holes, " now: among ",
                             ListText(scan_holes))));
    }
  }
  if (given != nullptr) NameByDrops(anchored, *given, &findings);
  return CheckOutcome::Of(std::move(findings));
}

}  // namespace windproof
