#include "services/verifier/records_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"

namespace windproof {
namespace {

std::string NumberText(double value) {
  std::string text;
  AppendCanonicalNumber(value, &text);
  return text;
}

Finding AboutRecord(absl::string_view code, size_t record,
                    const ServedRecord& served, std::string expected,
                    std::string found, std::string message) {
  Finding finding;
  finding.code = std::string(code);
  finding.record = static_cast<int64_t>(record);
  finding.offset = served.offset;
  finding.expected = std::move(expected);
  finding.found = std::move(found);
  finding.message = std::move(message);
  return finding;
}

Finding AboutAggregate(absl::string_view code, absl::string_view member,
                       std::string anchored, std::string computed) {
  Finding finding;
  finding.code = std::string(code);
  finding.message = absl::StrCat(
      "aggregates.", member, ": the anchored checkpoint says ",
      anchored.empty() ? "nothing" : anchored, ", the records give ",
      computed.empty() ? "nothing" : computed);
  finding.expected = std::move(anchored);
  finding.found = std::move(computed);
  return finding;
}

// The timestamp in the bytes of a canonical record is for people to look at;
// what counts was parsed.
std::string WindowText(const Checkpoint& checkpoint) {
  return absl::StrCat(
      FormatTimestamp(TimestampFromMillis(checkpoint.window_start_ms)), " to ",
      FormatTimestamp(TimestampFromMillis(checkpoint.window_end_ms)));
}

}  // namespace

RecordsCheck::RecordsCheck(const PipelineSpec& spec)
    : spec_(spec), reader_(spec), sums_(spec.aggregated.size()) {}

void RecordsCheck::Begin(const Checkpoint& anchored) {
  anchored_ = &anchored;
  count_ = 0;
  before_.reset();
  std::fill(sums_.begin(), sums_.end(), Sums{});
  all_read_ = true;
  findings_.clear();

  if (anchored.window_start_ms % spec_.window_ms != 0 ||
      anchored.window_end_ms - anchored.window_start_ms != spec_.window_ms) {
    Finding finding;
    finding.code = "WINDOW_BOUNDS";
    finding.expected = absl::StrCat("a whole multiple of ", spec_.window_ms,
                                    " ms, and ", spec_.window_ms, " ms long");
    finding.found = WindowText(anchored);
    finding.message = "the window is none of the pipeline's";
    findings_.push_back(std::move(finding));
  }
}

void RecordsCheck::Add(absl::Span<const ServedRecord> records) {
  for (const ServedRecord& served : records) {
    const size_t i = count_++;
    RecordReader::Result result;
    if (!reader_.ReadCanonical(anchored_->key, served.canonical, &result)) {
      all_read_ = false;
      findings_.push_back(AboutRecord(
          "NOT_CANONICAL", i, served, "the canonical form by the rules",
          Shown(served.canonical),
          absl::StrCat("record ", i, " at offset ", served.offset,
                       " is not the canonical record of key ",
                       Shown(anchored_->key))));
      continue;
    }
    if (result.window_start_ms != anchored_->window_start_ms) {
      findings_.push_back(
          AboutRecord("OUTSIDE_WINDOW", i, served, WindowText(*anchored_),
                      FormatTimestamp(result.time),
                      absl::StrCat("record ", i, " at offset ", served.offset,
                                   " belongs to another window")));
    }
    if (before_.has_value() && !(*before_ < result.time)) {
      findings_.push_back(
          AboutRecord("OUT_OF_ORDER", i, served,
                      absl::StrCat("after ", FormatTimestamp(*before_)),
                      FormatTimestamp(result.time),
                      absl::StrCat("record ", i, " at offset ", served.offset,
                                   " is not later than the one before it")));
    }
    before_ = result.time;
    for (size_t a = 0; a < sums_.size(); ++a) {
      const AggregatedValue& value = result.aggregated[a];
      if (!value.present) continue;
      Sums& sums = sums_[a];
      sums.min =
          sums.count == 0 ? value.number : std::min(sums.min, value.number);
      sums.max =
          sums.count == 0 ? value.number : std::max(sums.max, value.number);
      sums.sum += value.nanounits;
      ++sums.count;
    }
  }
}

CheckOutcome RecordsCheck::Canonical() {
  return CheckOutcome::Of(std::move(findings_));
}

CheckOutcome RecordsCheck::Analytics() const {
  if (!all_read_) {
    return CheckOutcome::Skipped(
        "a record is not canonical, so its numbers cannot be read");
  }
  const Checkpoint& anchored = *anchored_;
  std::vector<Finding> findings;
  for (size_t a = 0; a < sums_.size(); ++a) {
    const std::string& field = spec_.aggregated[a];
    const Sums& sums = sums_[a];
    const auto stated =
        std::find_if(anchored.aggregates.begin(), anchored.aggregates.end(),
                     [&](const Checkpoint::Aggregate& aggregate) {
                       return aggregate.field == field;
                     });
    if (stated == anchored.aggregates.end()) {
      if (sums.count == 0) continue;
      findings.push_back(AboutAggregate("AGGREGATE_MISSING",
                                        absl::StrCat(field, ".count"), "",
                                        absl::StrCat(sums.count)));
      continue;
    }
    if (stated->count != sums.count) {
      findings.push_back(AboutAggregate(
          "AGGREGATE_MISMATCH", absl::StrCat(field, ".count"),
          absl::StrCat(stated->count), absl::StrCat(sums.count)));
    }
    if (sums.count == 0) continue;
    const struct {
      absl::string_view name;
      double stated;
      double computed;
    } numbers[] = {
        {"min", stated->min, sums.min},
        {"max", stated->max, sums.max},
        {"avg", stated->avg, MeanOfNanounits(sums.sum, sums.count)},
    };
    for (const auto& number : numbers) {
      if (number.stated == number.computed) continue;
      findings.push_back(AboutAggregate(
          "AGGREGATE_MISMATCH", absl::StrCat(field, ".", number.name),
          NumberText(number.stated), NumberText(number.computed)));
    }
  }
  for (const Checkpoint::Aggregate& aggregate : anchored.aggregates) {
    if (std::find(spec_.aggregated.begin(), spec_.aggregated.end(),
                  aggregate.field) == spec_.aggregated.end()) {
      findings.push_back(AboutAggregate("AGGREGATE_UNKNOWN",
                                        Shown(aggregate.field),
                                        absl::StrCat(aggregate.count), ""));
    }
  }
  return CheckOutcome::Of(std::move(findings));
}

}  // namespace windproof
