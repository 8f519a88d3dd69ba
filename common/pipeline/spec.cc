#include "common/pipeline/spec.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/json_value.h"
#include "common/pipeline/spec_rules.h"

namespace windproof {
namespace {

constexpr double kVersion = 1;

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

}  // namespace

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
  const absl::Status status = CheckSpecRules(spec);
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

}  // namespace windproof
