#include "services/windproof/window_table.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"

namespace windproof {
namespace {

std::string AggregatesText(const Checkpoint& checkpoint) {
  std::string text;
  for (const Checkpoint::Aggregate& aggregate : checkpoint.aggregates) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", aggregate.field, " ");
    AppendCanonicalNumber(aggregate.min, &text);
    text += " / ";
    AppendCanonicalNumber(aggregate.avg, &text);
    text += " / ";
    AppendCanonicalNumber(aggregate.max, &text);
  }
  return text;
}

}  // namespace

std::string StateName(const v1::Window& window) {
  const v1::Receipt::State state = window.receipt().state();
  return v1::Receipt::State_Name(
      state == v1::Receipt::STATE_UNSPECIFIED ? v1::Receipt::PENDING : state);
}

std::string WindowTableHead() {
  return absl::StrFormat("%-14s %-12s %-24s %3s %7s %7s  %-12s %-12s  %s\n",
                         "PIPELINE", "KEY", "START", "REV", "RECORDS",
                         "DROPPED", "STATE", "ROOT", "MIN / AVG / MAX");
}

std::string WindowTableRow(const v1::Window& window) {
  const absl::StatusOr<Checkpoint> checkpoint =
      ParseCheckpoint(window.checkpoint().checkpoint());
  const std::string start = FormatTimestamp(
      {window.id().start().seconds(), window.id().start().nanos()});
  if (!checkpoint.ok()) {
    return absl::StrFormat("%-14s %-12s %-24s unreadable: %s\n",
                           window.id().pipeline(), window.id().key(), start,
                           checkpoint.status().message());
  }
  const ScanCounts& scan = checkpoint->scan;
  return absl::StrFormat(
      "%-14s %-12s %-24s %3d %7d %7d  %-12s %.12s  %s\n", checkpoint->pipeline,
      checkpoint->key, start, checkpoint->revision, checkpoint->records,
      scan.duplicate + scan.conflict + scan.late + scan.invalid,
      StateName(window), HexOf(checkpoint->root), AggregatesText(*checkpoint));
}

}  // namespace windproof
