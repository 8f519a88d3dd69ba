#include "services/verifier/dropped_check.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/leaves.h"

namespace windproof {

DroppedCheck::DroppedCheck(const PipelineSpec* spec) : spec_(spec) {
  if (spec != nullptr) reader_.emplace(*spec);
}

void DroppedCheck::Begin(const Checkpoint& anchored) {
  anchored_ = &anchored;
  counts_.fill(0);
  root_.Clear();
  last_offset_ = -1;
  findings_.clear();
}

void DroppedCheck::Found(absl::string_view code, std::optional<int64_t> offset,
                         std::string expected, std::string found,
                         std::string message) {
  Finding finding;
  finding.code = std::string(code);
  finding.offset = offset;
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.message =
      absl::StrCat("checkpoint seq ", anchored_->seq, ": ", message);
  findings_.push_back(std::move(finding));
}

void DroppedCheck::Add(const ServedDropped& dropped) {
  const int64_t offset = dropped.record.offset;
  if (offset < anchored_->scan_begin || offset >= anchored_->scan_end ||
      offset <= last_offset_) {
    Found("DROPPED_OFFSET", offset,
          absl::StrCat("in [", anchored_->scan_begin, ", ", anchored_->scan_end,
                       "), rising"),
          absl::StrCat(offset),
          "a dropped record lies outside the scan, or out of order");
  }
  last_offset_ = offset;

  const Digest hash = RecordHash(dropped.record);
  const bool intact = dropped.record_sha256 == BytesOf(hash);
  if (!intact) {
    Found("DROPPED_ALTERED", offset,
          absl::BytesToHexString(dropped.record_sha256), HexOf(hash),
          absl::StrCat("the dropped record at offset ", offset,
                       " is not the one whose hash was kept"));
  }
  if (!dropped.reason.has_value()) {
    Found("DROPPED_REASON", offset, "duplicate, conflict, late or invalid",
          "another",
          absl::StrCat("the dropped record at offset ", offset,
                       " has no reason that these rules know"));
    return;
  }
  ++counts_[static_cast<size_t>(*dropped.reason)];
  const absl::StatusOr<Digest> kept = DigestFromBytes(dropped.record_sha256);
  root_.Add(
      DroppedLeaf(offset, *dropped.reason, kept.ok() ? *kept : kZeroDigest));
  if (intact && reader_.has_value()) CheckReason(dropped, *dropped.reason);
}

void DroppedCheck::CheckReason(const ServedDropped& dropped,
                               DropReason reason) {
  const int64_t offset = dropped.record.offset;
  const RecordReader::Result& result = reader_->Read(dropped.record);
  const bool is_invalid = result.kind == RecordReader::Kind::kInvalid;
  const bool is_canonical = result.kind == RecordReader::Kind::kCanonical;
  if ((!is_invalid && !is_canonical) || result.key != anchored_->key) {
    Found("DROPPED_REASON", offset, "a record of this key",
          std::string(DropReasonName(reason)),
          absl::StrCat("the record at offset ", offset,
                       " is none of this key that can be dropped"));
    return;
  }
  if (is_invalid != (reason == DropReason::kInvalid)) {
    Found("DROPPED_REASON", offset,
          is_invalid ? "invalid" : "duplicate, conflict or late",
          std::string(DropReasonName(reason)),
          absl::StrCat("by the rules the record at offset ", offset, " is ",
                       is_invalid ? "invalid" : "valid"));
    return;
  }
  if (reason != DropReason::kLate) return;
  const int64_t closes =
      result.window_start_ms + spec_->window_ms + spec_->grace_ms;
  if (anchored_->watermark < TimestampFromMillis(closes)) {
    Found("DROPPED_REASON", offset, "in time", "late",
          absl::StrCat("the window of the record at offset ", offset,
                       " was still open when this checkpoint was written"));
  }
}

CheckOutcome DroppedCheck::Finish() {
  const ScanCounts& scan = anchored_->scan;
  const std::pair<DropReason, int64_t> stated[] = {
      {DropReason::kDuplicate, scan.duplicate},
      {DropReason::kConflict, scan.conflict},
      {DropReason::kLate, scan.late},
      {DropReason::kInvalid, scan.invalid},
  };
  for (const auto& [reason, count] : stated) {
    const int64_t listed = counts_[static_cast<size_t>(reason)];
    if (listed == count) continue;
    Found("DROPPED_COUNT", std::nullopt,
          absl::StrCat(DropReasonName(reason), " ", count),
          absl::StrCat(DropReasonName(reason), " ", listed),
          absl::StrCat("the scan counts ", count, " ", DropReasonName(reason),
                       ", ", listed, " are listed"));
  }
  const Digest root = root_.Root();
  if (root != anchored_->dropped_root) {
    Found("DROPPED_ROOT", std::nullopt, HexOf(anchored_->dropped_root),
          HexOf(root), "the dropped records do not lead to dropped_root");
  }
  return CheckOutcome::Of(std::move(findings_));
}

}  // namespace windproof
