#include "common/pipeline/spec_rules.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/canonical/json_value.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr size_t kNameMax = 32;
constexpr size_t kUnitMax = 32;

bool IsLowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsPipelineName(absl::string_view name) {
  if (name.empty() || name.size() > kNameMax || !IsLowerOrDigit(name[0])) {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '-';
  });
}

absl::Status CheckMs(absl::string_view member, int64_t value, int64_t least) {
  if (value >= least && value <= kMaxDurationMs) return absl::OkStatus();
  return WrongInSpec(member, absl::StrCat(value),
                     absl::StrCat(least, " to ", kMaxDurationMs,
                                  " milliseconds (a leap year) are accepted"));
}

absl::Status CheckFieldName(absl::string_view member, absl::string_view name) {
  // Any name that JSON can have, "" among them.
  if (IsValidUtf8(name)) return absl::OkStatus();
  return WrongInSpec(member, ShownText(name), "valid UTF-8 is accepted");
}

absl::Status CheckFields(const PipelineSpec& spec) {
  absl::Status status = CheckFieldName("key_field", spec.key_field);
  if (!status.ok()) return status;
  status = CheckFieldName("timestamp_field", spec.timestamp_field);
  if (!status.ok()) return status;
  if (spec.key_field == spec.timestamp_field) {
    return WrongInSpec("timestamp_field", ShownText(spec.timestamp_field),
                       "it must be another field than key_field");
  }
  for (const auto& [name, type] : spec.fields) {
    status = CheckFieldName("a name in fields", name);
    if (!status.ok()) return status;
    if (name == spec.key_field || name == spec.timestamp_field) {
      return WrongInSpec(
          "a name in fields", ShownText(name),
          "key_field and timestamp_field are always kept and must not "
          "be in fields");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAggregated(const PipelineSpec& spec) {
  for (size_t i = 0; i < spec.aggregated.size(); ++i) {
    const std::string& name = spec.aggregated[i];
    const std::string member = absl::StrCat("aggregated[", i, "]");
    const auto field = spec.fields.find(name);
    if (field == spec.fields.end() || field->second != FieldType::kNumber) {
      return WrongInSpec(member, ShownText(name),
                         "only a number field of fields can be aggregated");
    }
    if (std::count(spec.aggregated.begin(), spec.aggregated.end(), name) > 1) {
      return WrongInSpec(member, ShownText(name),
                         "no field may be there twice");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLateness(const PipelineSpec& spec) {
  if (spec.late_policy == LatePolicy::kAmend) {
    return CheckMs("amend_ms (with late_policy AMEND)", spec.amend_ms, 1);
  }
  if (spec.amend_ms != 0) {
    return WrongInSpec("amend_ms", absl::StrCat(spec.amend_ms),
                       "with late_policy REJECT only 0 is accepted");
  }
  return absl::OkStatus();
}

absl::Status CheckUnits(const PipelineSpec& spec) {
  for (const auto& [name, unit] : spec.units) {
    if (spec.fields.find(name) == spec.fields.end()) {
      return WrongInSpec("a name in units", ShownText(name),
                         "only names of fields are accepted");
    }
    const bool printable =
        std::none_of(unit.begin(), unit.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    if (unit.empty() || unit.size() > kUnitMax || !printable ||
        !IsValidUtf8(unit)) {
      return WrongInSpec(absl::StrCat("units.", name), ShownText(unit),
                         "1 to 32 bytes of text without control characters are "
                         "accepted");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WrongInSpec(absl::string_view member, absl::string_view found,
                         absl::string_view accepted) {
  return absl::InvalidArgumentError(
      absl::StrCat(member, " is ", found, "; ", accepted));
}

absl::Status CheckSpecRules(const PipelineSpec& spec) {
  if (!IsPipelineName(spec.name)) {
    return WrongInSpec(
        "name", ShownText(spec.name),
        "1 to 32 of a-z 0-9 . _ - are accepted, the first a letter or "
        "digit");
  }
  absl::Status status = CheckFields(spec);
  if (status.ok()) status = CheckAggregated(spec);
  if (status.ok()) status = CheckMs("window_ms", spec.window_ms, 1);
  if (status.ok()) status = CheckMs("grace_ms", spec.grace_ms, 0);
  if (status.ok()) status = CheckMs("future_skew_ms", spec.future_skew_ms, 0);
  if (status.ok()) status = CheckLateness(spec);
  return status;
}

void SortAggregated(PipelineSpec* spec) {
  std::sort(spec->aggregated.begin(), spec->aggregated.end(),
            [](const std::string& a, const std::string& b) {
              return Utf16Less(a, b);
            });
}

absl::Status ValidateSpec(PipelineSpec* spec) {
  absl::Status status = CheckSpecRules(*spec);
  if (!status.ok()) return status;
  const auto matcher = TopicMatcher::Create(spec->topics);
  if (!matcher.ok()) return matcher.status();
  status = CheckUnits(*spec);
  if (!status.ok()) return status;
  SortAggregated(spec);
  return absl::OkStatus();
}

}  // namespace windproof
