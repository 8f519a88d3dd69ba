#include "services/ingest/live/live_sink.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "services/ingest/record_validator.h"

namespace windproof {

absl::StatusOr<std::vector<LiveRefusal>> LiveLogSink::Append(
    std::vector<NewRecord> records) {
  std::vector<LiveRefusal> refused;
  std::vector<NewRecord> good;
  good.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    // One by one: a refusal names only the first of several.
    const std::optional<Refusal> refusal =
        validators_.Check(absl::MakeConstSpan(&records[i], 1));
    if (!refusal.has_value()) {
      good.push_back(std::move(records[i]));
      continue;
    }
    absl::string_view reason = refusal->message;
    absl::ConsumePrefix(&reason, "records[0]: ");
    if (refusal->reason == Refusal::Reason::kTopic) {
      return absl::InvalidArgumentError(reason);
    }
    refused.push_back({i, std::string(reason)});
  }
  if (good.empty()) return refused;
  const auto appended = log_.Append(good);
  if (!appended.ok()) return appended.status();
  return refused;
}

}  // namespace windproof
