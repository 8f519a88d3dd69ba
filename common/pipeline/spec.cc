#include "common/pipeline/spec.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/json_value.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr size_t kNameMax = 32;
constexpr size_t kTopicMax = 249;     // Kafka's own limit
constexpr size_t kPatternMax = 1000;  // std::regex compiles by recursion
constexpr double kVersion = 1;

absl::Status Wrong(absl::string_view member, absl::string_view found,
                   absl::string_view accepted) {
  return absl::InvalidArgumentError(
      absl::StrCat(member, " is ", found, "; ", accepted));
}

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

bool IsTopicName(absl::string_view topic) {
  if (topic.empty() || topic.size() > kTopicMax || topic == "." ||
      topic == "..") {
    return false;
  }
  return std::all_of(topic.begin(), topic.end(), [](char c) {
    return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

bool IsPattern(absl::string_view topic) {
  return !topic.empty() && topic[0] == '^';
}

absl::StatusOr<std::regex> CompilePattern(absl::string_view member,
                                          absl::string_view pattern) {
  constexpr absl::string_view kAccepted =
      "a pattern is ^ and an ECMAScript regular expression, up to 1000 bytes";
  if (pattern.size() > kPatternMax) {
    return Wrong(member, ShownText(pattern), kAccepted);
  }
  try {
    return std::regex(pattern.begin(), pattern.end(),
                      std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    return Wrong(member, ShownText(pattern),
                 absl::StrCat(kAccepted, " (", error.what(), ")"));
  }
}

absl::Status CheckMs(absl::string_view member, int64_t value, int64_t least) {
  if (value >= least && value <= kMaxDurationMs) return absl::OkStatus();
  return Wrong(member, absl::StrCat(value),
               absl::StrCat(least, " to ", kMaxDurationMs,
                            " milliseconds (a leap year) are accepted"));
}

absl::Status CheckFieldName(absl::string_view member, absl::string_view name) {
  // Any name that JSON can have, "" among them.
  if (IsValidUtf8(name)) return absl::OkStatus();
  return Wrong(member, ShownText(name), "valid UTF-8 is accepted");
}

absl::Status CheckFields(const PipelineSpec& spec) {
  absl::Status status = CheckFieldName("key_field", spec.key_field);
  if (!status.ok()) return status;
  status = CheckFieldName("timestamp_field", spec.timestamp_field);
  if (!status.ok()) return status;
  if (spec.key_field == spec.timestamp_field) {
    return Wrong("timestamp_field", ShownText(spec.timestamp_field),
                 "it must be another field than key_field");
  }
  for (const auto& [name, type] : spec.fields) {
    status = CheckFieldName("a name in fields", name);
    if (!status.ok()) return status;
    if (name == spec.key_field || name == spec.timestamp_field) {
      return Wrong("a name in fields", ShownText(name),
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
      return Wrong(member, ShownText(name),
                   "only a number field of fields can be aggregated");
    }
    if (std::count(spec.aggregated.begin(), spec.aggregated.end(), name) > 1) {
      return Wrong(member, ShownText(name), "no field may be there twice");
    }
  }
  return absl::OkStatus();
}

void SortAggregated(PipelineSpec* spec) {
  std::sort(spec->aggregated.begin(), spec->aggregated.end(),
            [](const std::string& a, const std::string& b) {
              return Utf16Less(a, b);
            });
}

absl::Status CheckLateness(const PipelineSpec& spec) {
  if (spec.late_policy == LatePolicy::kAmend) {
    return CheckMs("amend_ms (with late_policy AMEND)", spec.amend_ms, 1);
  }
  if (spec.amend_ms != 0) {
    return Wrong("amend_ms", absl::StrCat(spec.amend_ms),
                 "with late_policy REJECT only 0 is accepted");
  }
  return absl::OkStatus();
}

// All that the canonical form holds.
absl::Status CheckRules(const PipelineSpec& spec) {
  if (!IsPipelineName(spec.name)) {
    return Wrong("name", ShownText(spec.name),
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

absl::Status CheckUnits(const PipelineSpec& spec) {
  for (const auto& [name, unit] : spec.units) {
    if (spec.fields.find(name) == spec.fields.end()) {
      return Wrong("a name in units", ShownText(name),
                   "only names of fields are accepted");
    }
    const bool printable =
        std::none_of(unit.begin(), unit.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    if (unit.empty() || unit.size() > kNameMax || !printable ||
        !IsValidUtf8(unit)) {
      return Wrong(absl::StrCat("units.", name), ShownText(unit),
                   "1 to 32 bytes of text without control characters are "
                   "accepted");
    }
  }
  return absl::OkStatus();
}

absl::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return "string";
    case FieldType::kNumber:
      return "number";
    case FieldType::kBoolean:
      return "boolean";
  }
  return "";
}

JsonValue StringValue(absl::string_view text) {
  JsonValue value;
  value.kind = JsonValue::Kind::kString;
  value.string = std::string(text);
  return value;
}

JsonValue NumberValue(double number) {
  JsonValue value;
  value.kind = JsonValue::Kind::kNumber;
  value.number = number;
  return value;
}

// Reads the members of a canonical spec; the first error stays.
class MemberReader {
 public:
  explicit MemberReader(const JsonValue& object) : object_(object) {}

  const absl::Status& status() const { return status_; }

  std::string String(absl::string_view name) {
    const JsonValue* value = Member(name, JsonValue::Kind::kString, "a string");
    return value == nullptr ? std::string() : value->string;
  }

  int64_t Whole(absl::string_view name) {
    constexpr absl::string_view kAccepted = "a whole number";
    const JsonValue* value = Member(name, JsonValue::Kind::kNumber, kAccepted);
    if (value == nullptr) return 0;
    constexpr double kExactMax = 9007199254740992.0;  // 2^53
    if (std::abs(value->number) > kExactMax ||
        value->number != std::trunc(value->number)) {
      Refuse(name, kAccepted);
      return 0;
    }
    return static_cast<int64_t>(value->number);
  }

  std::vector<std::string> Strings(absl::string_view name) {
    constexpr absl::string_view kAccepted = "an array of strings";
    std::vector<std::string> strings;
    const JsonValue* value = Member(name, JsonValue::Kind::kArray, kAccepted);
    if (value == nullptr) return strings;
    for (const JsonValue& element : value->elements) {
      if (element.kind != JsonValue::Kind::kString) {
        Refuse(name, kAccepted);
        break;
      }
      strings.push_back(element.string);
    }
    return strings;
  }

  std::map<std::string, FieldType> Fields(absl::string_view name) {
    constexpr absl::string_view kAccepted =
        "an object of \"string\", \"number\" and \"boolean\"";
    std::map<std::string, FieldType> fields;
    const JsonValue* value = Member(name, JsonValue::Kind::kObject, kAccepted);
    if (value == nullptr) return fields;
    for (const auto& [field, type] : value->members) {
      if (type.kind == JsonValue::Kind::kString && type.string == "string") {
        fields[field] = FieldType::kString;
      } else if (type.kind == JsonValue::Kind::kString &&
                 type.string == "number") {
        fields[field] = FieldType::kNumber;
      } else if (type.kind == JsonValue::Kind::kString &&
                 type.string == "boolean") {
        fields[field] = FieldType::kBoolean;
      } else {
        Refuse(absl::StrCat(name, ".", field), "one of those types");
        break;
      }
    }
    return fields;
  }

  LatePolicy Policy(absl::string_view name) {
    const std::string policy = String(name);
    if (policy == "AMEND") return LatePolicy::kAmend;
    if (policy != "REJECT") Refuse(name, "REJECT or AMEND");
    return LatePolicy::kReject;
  }

 private:
  const JsonValue* Member(absl::string_view name, JsonValue::Kind kind,
                          absl::string_view accepted) {
    const JsonValue* value = object_.Find(name);
    if (value != nullptr && value->kind == kind) return value;
    Refuse(name, accepted);
    return nullptr;
  }

  void Refuse(absl::string_view name, absl::string_view accepted) {
    if (!status_.ok()) return;
    const JsonValue* value = object_.Find(name);
    status_ = absl::InvalidArgumentError(
        absl::StrCat("the spec's ", name, " is ",
                     value == nullptr ? "missing" : CanonicalJson(*value), "; ",
                     accepted, " is accepted"));
  }

  const JsonValue& object_;
  absl::Status status_;
};

PipelineSpec MakeWeather() {
  PipelineSpec spec;
  spec.name = "weather";
  spec.topics = {R"(^weather\.[0-9]{5}$)"};
  spec.key_field = "station_id";
  spec.timestamp_field = "timestamp";
  spec.fields = {{"dew_point", FieldType::kNumber},
                 {"ground_temperature", FieldType::kNumber},
                 {"humidity", FieldType::kNumber},
                 {"pressure", FieldType::kNumber},
                 {"temperature", FieldType::kNumber}};
  spec.aggregated = {"temperature"};
  spec.window_ms = 3'600'000;
  spec.grace_ms = 1'200'000;
  spec.late_policy = LatePolicy::kReject;
  spec.future_skew_ms = 300'000;
  spec.units = {{"dew_point", "°C"},
                {"ground_temperature", "°C"},
                {"humidity", "%"},
                {"pressure", "hPa"},
                {"temperature", "°C"}};
  return spec;
}

PipelineSpec MakeWeatherHourly() {
  PipelineSpec spec = MakeWeather();
  spec.name = "weather-hourly";
  spec.window_ms = 86'400'000;
  spec.grace_ms = 7'200'000;
  return spec;
}

const std::vector<PipelineSpec>& BuiltIns() {
  static const auto* const specs =
      new std::vector<PipelineSpec>{MakeWeather(), MakeWeatherHourly()};
  return *specs;
}

}  // namespace

absl::Status ValidateSpec(PipelineSpec* spec) {
  absl::Status status = CheckRules(*spec);
  if (!status.ok()) return status;
  const auto matcher = TopicMatcher::Create(spec->topics);
  if (!matcher.ok()) return matcher.status();
  status = CheckUnits(*spec);
  if (!status.ok()) return status;
  SortAggregated(spec);
  return absl::OkStatus();
}

std::string CanonicalSpec(const PipelineSpec& spec) {
  JsonValue aggregated;
  aggregated.kind = JsonValue::Kind::kArray;
  for (const std::string& name : spec.aggregated) {
    aggregated.elements.push_back(StringValue(name));
  }
  JsonValue fields;
  fields.kind = JsonValue::Kind::kObject;
  for (const auto& [name, type] : spec.fields) {
    fields.members.emplace_back(name, StringValue(FieldTypeName(type)));
  }
  JsonValue object;
  object.kind = JsonValue::Kind::kObject;
  object.members = {
      {"aggregated", std::move(aggregated)},
      {"amend_ms", NumberValue(static_cast<double>(spec.amend_ms))},
      {"fields", std::move(fields)},
      {"future_skew_ms", NumberValue(static_cast<double>(spec.future_skew_ms))},
      {"grace_ms", NumberValue(static_cast<double>(spec.grace_ms))},
      {"key_field", StringValue(spec.key_field)},
      {"late_policy",
       StringValue(spec.late_policy == LatePolicy::kAmend ? "AMEND"
                                                          : "REJECT")},
      {"name", StringValue(spec.name)},
      {"timestamp_field", StringValue(spec.timestamp_field)},
      {"version", NumberValue(kVersion)},
      {"window_ms", NumberValue(static_cast<double>(spec.window_ms))},
  };
  return CanonicalJson(object);
}

Digest SpecHash(const PipelineSpec& spec) {
  return Sha256Of(CanonicalSpec(spec));
}

absl::StatusOr<PipelineSpec> ParseCanonicalSpec(absl::string_view json) {
  const absl::StatusOr<JsonValue> object = ParseJson(json);
  if (!object.ok()) return object.status();
  if (object->kind != JsonValue::Kind::kObject) {
    return absl::InvalidArgumentError("a spec must be a JSON object");
  }
  const JsonValue* version = object->Find("version");
  if (version == nullptr || version->kind != JsonValue::Kind::kNumber) {
    return absl::InvalidArgumentError(
        "the spec's version is missing or no number; 1 is accepted");
  }
  if (version->number != kVersion) {
    return absl::UnimplementedError(absl::StrCat(
        "the spec's version is ", CanonicalJson(*version), "; 1 is supported"));
  }

  MemberReader members(*object);
  PipelineSpec spec;
  spec.name = members.String("name");
  spec.key_field = members.String("key_field");
  spec.timestamp_field = members.String("timestamp_field");
  spec.fields = members.Fields("fields");
  spec.aggregated = members.Strings("aggregated");
  spec.window_ms = members.Whole("window_ms");
  spec.grace_ms = members.Whole("grace_ms");
  spec.late_policy = members.Policy("late_policy");
  spec.amend_ms = members.Whole("amend_ms");
  spec.future_skew_ms = members.Whole("future_skew_ms");
  if (!members.status().ok()) return members.status();
  const absl::Status status = CheckRules(spec);
  if (!status.ok()) return status;
  SortAggregated(&spec);
  // Settles the rest: unknown members, order, spelling and white space.
  if (CanonicalSpec(spec) != json) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the spec is not in canonical form, which for its rules is ",
        CanonicalSpec(spec)));
  }
  return spec;
}

const PipelineSpec* BuiltInSpec(absl::string_view name) {
  for (const PipelineSpec& spec : BuiltIns()) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::vector<std::string> BuiltInSpecNames() {
  std::vector<std::string> names;
  for (const PipelineSpec& spec : BuiltIns()) names.push_back(spec.name);
  return names;
}

struct TopicMatcher::Compiled {
  std::vector<std::string> names;
  std::vector<std::regex> patterns;
};

absl::StatusOr<TopicMatcher> TopicMatcher::Create(
    const std::vector<std::string>& topics) {
  if (topics.empty()) {
    return absl::InvalidArgumentError(
        "topics is empty; at least one topic name or ^pattern is accepted");
  }
  auto compiled = std::make_shared<Compiled>();
  for (size_t i = 0; i < topics.size(); ++i) {
    const std::string member = absl::StrCat("topics[", i, "]");
    if (IsPattern(topics[i])) {
      absl::StatusOr<std::regex> pattern = CompilePattern(member, topics[i]);
      if (!pattern.ok()) return pattern.status();
      compiled->patterns.push_back(*std::move(pattern));
    } else if (IsTopicName(topics[i])) {
      compiled->names.push_back(topics[i]);
    } else {
      return Wrong(member, ShownText(topics[i]),
                   "1 to 249 of a-z A-Z 0-9 . _ - (not . or ..), or a pattern "
                   "that begins with ^, is accepted");
    }
  }
  TopicMatcher matcher;
  matcher.compiled_ = std::move(compiled);
  return matcher;
}

bool TopicMatcher::Matches(absl::string_view topic) const {
  // No topic has such a name, and a regular expression takes stack for each
  // character that it matches.
  if (!IsTopicName(topic)) return false;
  const auto& names = compiled_->names;
  if (std::find(names.begin(), names.end(), topic) != names.end()) return true;
  return std::any_of(compiled_->patterns.begin(), compiled_->patterns.end(),
                     [topic](const std::regex& pattern) {
                       try {
                         return std::regex_match(topic.begin(), topic.end(),
                                                 pattern);
                       } catch (const std::regex_error&) {
                         return false;  // too complex to match: not a match
                       }
                     });
}

}  // namespace windproof
