#include "services/verifier/culprit_names.h"

#include <iterator>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/leaves.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/window_records.h"
#include "services/verifier/completeness_check.h"
#include "services/verifier/log_records.h"
#include "services/verifier/window_reader.h"

namespace windproof {
namespace {

// Puts what the record log names in the place of what hashes could only
// suspect.
void NameByLog(const NamingSources& sources, const Checkpoint& checkpoint,
               const PipelineSpec& spec, int64_t origin,
               absl::Span<const ServedRecord> records, CheckOutcome* outcome) {
  const absl::StatusOr<WindowRecords> truth = ReadWindowFromLog(
      *sources.log, spec, checkpoint, origin, sources.cancelled);
  if (!truth.ok()) {
    absl::StrAppend(&outcome->reason, outcome->reason.empty() ? "" : "; ",
                    "the record log could not name the records: ",
                    Shown(truth.status().message()));
    return;
  }
  std::vector<Finding> findings = DiffRecords(*truth, records);
  if (!AreTheRecords(checkpoint, *truth)) {
    findings.push_back(
        MakeFinding("LOG_DIFFERS", HexOf(checkpoint.root), "",
                    "the record log does not give the anchored window either; "
                    "what it gives is compared all the same"));
  }
  for (const Finding& finding : outcome->findings) {
    if (!finding.record.has_value()) findings.push_back(finding);
  }
  *outcome = CheckOutcome::Of(std::move(findings));
}

// What window-hash serves; without what cannot be read.
WindowRecords ServedRecords(const Peers& peers, const WindowName& name,
                            const Checkpoint& checkpoint,
                            const v1::Window& served) {
  WindowRecords records;
  ReadRecords(peers, name, served, checkpoint.records,
              [&](absl::Span<const ServedRecord> part) {
                for (const ServedRecord& record : part) {
                  WindowRecords::Entry& entry = records.entries.emplace_back();
                  entry.offset = record.offset;
                  entry.begin = static_cast<uint32_t>(records.bytes.size());
                  entry.size = static_cast<uint32_t>(record.canonical.size());
                  entry.leaf_hash = HashLeaf(record.canonical);
                  records.bytes.append(record.canonical.data(),
                                       record.canonical.size());
                }
              })
      .IgnoreError();
  return records;
}

}  // namespace

CheckOutcome NameServedRecords(const NamingSources& sources,
                               const WindowName& name,
                               const Checkpoint& checkpoint,
                               const PipelineSpec* spec, int64_t origin,
                               const v1::Window& served) {
  // Whoever is to be named must be looked back at: all records once more, kept.
  const absl::StatusOr<KeptRecords> kept =
      KeepRecords(sources.peers, name, served, checkpoint.records);
  CheckOutcome outcome;
  if (kept.ok()) {
    outcome = CheckCompleteness(checkpoint, kept->records, spec);
    if (outcome.failed() && sources.log != nullptr && spec != nullptr) {
      NameByLog(sources, checkpoint, *spec, origin, kept->records, &outcome);
    }
  }
  if (!outcome.failed()) {
    outcome = CheckOutcome::Of({MakeFinding(
        "RECORDS_CHANGED", HexOf(checkpoint.root), "",
        absl::StrCat(
            "the records that window-hash served are not the anchored "
            "ones; asked again, it ",
            kept.ok() ? "served others" : Shown(kept.status().message())))});
  }
  return outcome;
}

std::vector<Finding> NameLogRecords(const Peers& peers, const WindowName& name,
                                    const Checkpoint& checkpoint,
                                    const Replayed& given,
                                    const v1::Window* served) {
  std::vector<Finding> named;
  if (served != nullptr &&
      (given.checkpoint.root != checkpoint.root ||
       given.checkpoint.positions_sha256 != checkpoint.positions_sha256)) {
    const WindowRecords records =
        ServedRecords(peers, name, checkpoint, *served);
    if (AreTheRecords(checkpoint, records)) {
      named = DiffLogRecords(records, given.records);
    }
  }
  if (given.checkpoint.dropped_root != checkpoint.dropped_root &&
      checkpoint.scan_begin < checkpoint.scan_end) {
    std::vector<PendingDrop> drops;
    const absl::Status read = ReadDropped(
        peers, name.pipeline, name.key, checkpoint, checkpoint.scan_begin,
        checkpoint.scan_end, [&](const ServedDropped& dropped) {
          drops.push_back({dropped.record.offset,
                           dropped.reason.value_or(DropReason::kInvalid),
                           RecordHash(dropped.record)});
        });
    if (read.ok() && DroppedRoot(drops) == checkpoint.dropped_root) {
      std::vector<Finding> more = DiffLogDrops(drops, given.drops);
      named.insert(named.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
    }
  }
  return named;
}

}  // namespace windproof
