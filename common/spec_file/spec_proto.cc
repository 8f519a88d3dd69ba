#include "common/spec_file/spec_proto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/canonical/json_value.h"

namespace windproof {
namespace {

absl::Status Missing(absl::string_view field, absl::string_view accepted) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is missing; ", accepted, " is required"));
}

std::string FieldNames() {
  std::vector<std::string> names;
  const auto* descriptor = v1::PipelineSpec::descriptor();
  names.reserve(descriptor->field_count());
  for (int i = 0; i < descriptor->field_count(); ++i) {
    names.push_back(descriptor->field(i)->name());
  }
  return absl::StrJoin(names, ", ");
}

// The field that a JSON member sets, or nullptr.
const google::protobuf::FieldDescriptor* FindField(const std::string& name) {
  const auto* descriptor = v1::PipelineSpec::descriptor();
  const auto* field = descriptor->FindFieldByName(name);
  if (field != nullptr) return field;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    if (descriptor->field(i)->json_name() == name) return descriptor->field(i);
  }
  return nullptr;
}

using google::protobuf::FieldDescriptor;

bool IsKind(const JsonValue& value, JsonValue::Kind kind) {
  return value.kind == kind;
}

bool IsText(const JsonValue& value) {
  return IsKind(value, JsonValue::Kind::kString);
}

// Whether `value` is of the type of one value of `field`.
bool HasScalarType(const FieldDescriptor& field, const JsonValue& value) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) return IsText(value);
  if (IsKind(value, JsonValue::Kind::kNumber)) return true;
  if (!IsText(value)) return false;
  return field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM ||
         field.enum_type()->FindValueByName(
             absl::AsciiStrToUpper(value.string)) != nullptr;
}

bool HasType(const FieldDescriptor& field, const JsonValue& value) {
  // In proto-JSON null is the same as nothing.
  if (IsKind(value, JsonValue::Kind::kNull)) return true;
  if (field.is_map()) {
    const FieldDescriptor& of = *field.message_type()->map_value();
    return IsKind(value, JsonValue::Kind::kObject) &&
           std::all_of(value.members.begin(), value.members.end(),
                       [&of](const auto& member) {
                         return HasScalarType(of, member.second);
                       });
  }
  if (field.is_repeated()) {
    return IsKind(value, JsonValue::Kind::kArray) &&
           std::all_of(value.elements.begin(), value.elements.end(), IsText);
  }
  return HasScalarType(field, value);
}

absl::string_view AcceptedType(const FieldDescriptor& field) {
  if (field.is_map()) {
    return field.message_type()->map_value()->cpp_type() ==
                   FieldDescriptor::CPPTYPE_ENUM
               ? "an object of STRING, NUMBER and BOOLEAN"
               : "an object of strings";
  }
  if (field.is_repeated()) return "a list of strings";
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return "a string";
    case FieldDescriptor::CPPTYPE_ENUM:
      return "REJECT or AMEND";
    default:
      return "a whole number";
  }
}

// proto-JSON takes whole numbers as text too.
bool IsZero(const JsonValue& value) {
  return (IsKind(value, JsonValue::Kind::kNumber) && value.number == 0) ||
         (IsText(value) && value.string == "0");
}

// What protobuf's parser would take silently or say badly.
absl::Status CheckMembers(const JsonValue& json) {
  if (json.kind != JsonValue::Kind::kObject) {
    return absl::InvalidArgumentError("a pipeline spec must be a JSON object");
  }
  std::set<const FieldDescriptor*> seen;
  for (const auto& [name, value] : json.members) {
    const auto* field = FindField(name);
    if (field == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", name, "\" is no field of a pipeline spec; ",
                       FieldNames(), " are accepted"));
    }
    if (!seen.insert(field).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(field->name(), " is there twice, as \"", field->name(),
                       "\" and as \"", field->json_name(), "\""));
    }
    if (!HasType(*field, value)) {
      return absl::InvalidArgumentError(
          absl::StrCat(field->name(), " is ",
                       absl::string_view(CanonicalJson(value)).substr(0, 80),
                       "; ", AcceptedType(*field), " is accepted"));
    }
  }
  // Protobuf cannot tell a zero from nothing.
  const JsonValue* window = json.Find("window_ms");
  if (window == nullptr) window = json.Find("windowMs");
  if (window != nullptr && IsZero(*window)) {
    return absl::InvalidArgumentError(
        "window_ms is 0; the length of a window, 1 to 31622400000 "
        "milliseconds, is accepted");
  }
  return absl::OkStatus();
}

v1::PipelineSpec::FieldType ToProto(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return v1::PipelineSpec::STRING;
    case FieldType::kNumber:
      return v1::PipelineSpec::NUMBER;
    case FieldType::kBoolean:
      return v1::PipelineSpec::BOOLEAN;
  }
  return v1::PipelineSpec::FIELD_TYPE_UNSPECIFIED;
}

}  // namespace

v1::PipelineSpec ToProto(const PipelineSpec& spec) {
  v1::PipelineSpec message;
  message.set_name(spec.name);
  for (const std::string& topic : spec.topics) message.add_topics(topic);
  message.set_key_field(spec.key_field);
  message.set_timestamp_field(spec.timestamp_field);
  for (const auto& [name, type] : spec.fields) {
    (*message.mutable_fields())[name] = ToProto(type);
  }
  for (const std::string& name : spec.aggregated) message.add_aggregated(name);
  message.set_window_ms(spec.window_ms);
  message.set_grace_ms(spec.grace_ms);
  message.set_late_policy(spec.late_policy == LatePolicy::kAmend
                              ? v1::PipelineSpec::AMEND
                              : v1::PipelineSpec::REJECT);
  message.set_amend_ms(spec.amend_ms);
  message.set_future_skew_ms(spec.future_skew_ms);
  for (const auto& [name, unit] : spec.units) {
    (*message.mutable_units())[name] = unit;
  }
  return message;
}

absl::StatusOr<PipelineSpec> FromProto(const v1::PipelineSpec& message) {
  if (message.name().empty()) {
    return Missing("name", "1 to 32 of a-z 0-9 . _ -");
  }
  if (message.key_field().empty()) {
    return Missing("key_field", "the member that holds a record's key");
  }
  if (message.timestamp_field().empty()) {
    return Missing("timestamp_field", "the member that holds the event time");
  }
  if (message.window_ms() == 0) {
    return Missing("window_ms", "the length of a window in milliseconds");
  }
  if (!message.has_grace_ms()) {
    return Missing("grace_ms",
                   "how long after its end a window stays open, in "
                   "milliseconds (may be 0)");
  }
  if (!message.has_future_skew_ms()) {
    return Missing("future_skew_ms",
                   "how far a record's time may lie past its log time, in "
                   "milliseconds (may be 0)");
  }

  PipelineSpec spec;
  spec.name = message.name();
  spec.topics.assign(message.topics().begin(), message.topics().end());
  spec.key_field = message.key_field();
  spec.timestamp_field = message.timestamp_field();
  for (const auto& [name, type] : message.fields()) {
    switch (type) {
      case v1::PipelineSpec::STRING:
        spec.fields[name] = FieldType::kString;
        break;
      case v1::PipelineSpec::NUMBER:
        spec.fields[name] = FieldType::kNumber;
        break;
      case v1::PipelineSpec::BOOLEAN:
        spec.fields[name] = FieldType::kBoolean;
        break;
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("fields.", name, " is ", static_cast<int>(type),
                         "; STRING, NUMBER and BOOLEAN are accepted"));
    }
  }
  spec.aggregated.assign(message.aggregated().begin(),
                         message.aggregated().end());
  spec.window_ms = message.window_ms();
  spec.grace_ms = message.grace_ms();
  switch (message.late_policy()) {
    case v1::PipelineSpec::LATE_POLICY_UNSPECIFIED:
    case v1::PipelineSpec::REJECT:
      spec.late_policy = LatePolicy::kReject;
      break;
    case v1::PipelineSpec::AMEND:
      spec.late_policy = LatePolicy::kAmend;
      break;
    default:
      return absl::InvalidArgumentError(absl::StrCat(
          "late_policy is ", static_cast<int>(message.late_policy()),
          "; REJECT and AMEND are accepted"));
  }
  spec.amend_ms = message.amend_ms();
  spec.future_skew_ms = message.future_skew_ms();
  spec.units.insert(message.units().begin(), message.units().end());
  const absl::Status status = ValidateSpec(&spec);
  if (!status.ok()) return status;
  return spec;
}

absl::StatusOr<PipelineSpec> SpecFromProtoJson(absl::string_view json) {
  // Protobuf's own parser takes more than JSON, and of two members with one
  // name the last.
  const absl::StatusOr<JsonValue> tree = ParseJson(json);
  if (!tree.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a pipeline spec must be JSON: ", tree.status().message()));
  }
  const absl::Status members = CheckMembers(*tree);
  if (!members.ok()) return members;

  google::protobuf::util::JsonParseOptions options;
  options.case_insensitive_enum_parsing = true;
  v1::PipelineSpec message;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &message,
      options);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the pipeline spec has a wrong value: ",
        absl::string_view(parsed.message().data(), parsed.message().size())));
  }
  return FromProto(message);
}

std::string SpecToProtoJson(const PipelineSpec& spec) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(
      ToProto(spec), &json, options);
  // A message that we made ourselves can be printed.
  if (!status.ok()) std::abort();
  return json;
}

}  // namespace windproof
