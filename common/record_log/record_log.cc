#include "common/record_log/record_log.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace windproof {
namespace {

// The outcome travels as a payload of the status: PARTITION:OFFSET of each
// record, with a space between.
constexpr char kOutcomeUrl[] = "windproof.record_log/append_outcome";

}  // namespace

std::vector<AppendedRecord> AppendOutcome(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kOutcomeUrl);
  std::vector<AppendedRecord> outcome;
  if (!payload.has_value()) return outcome;
  const std::string text(*payload);
  for (const absl::string_view entry :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(entry, absl::MaxSplits(':', 1));
    AppendedRecord& record = outcome.emplace_back();
    if (!absl::SimpleAtoi(parts.first, &record.partition) ||
        !absl::SimpleAtoi(parts.second, &record.offset)) {
      return {};
    }
  }
  return outcome;
}

absl::Status WithAppendOutcome(absl::Status status,
                               absl::Span<const AppendedRecord> outcome) {
  std::string text;
  for (const AppendedRecord& record : outcome) {
    absl::StrAppend(&text, record.partition, ":", record.offset, " ");
  }
  status.SetPayload(kOutcomeUrl, absl::Cord(text));
  return status;
}

}  // namespace windproof
