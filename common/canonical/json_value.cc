#include "common/canonical/json_value.h"

#include <algorithm>

#include "absl/status/status.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/number.h"

namespace windproof {
namespace {

// Builds the tree. A container that is open never moves: it is the last one in
// its parent, which takes no other element before it has ended.
class TreeBuilder {
 public:
  void OnNull() { Add(JsonValue::Kind::kNull); }
  void OnBool(bool value) { Add(JsonValue::Kind::kBool)->boolean = value; }
  void OnNumber(absl::string_view text) {
    Add(JsonValue::Kind::kNumber)->number = NumberFromText(text);
  }
  void OnString(const JsonString& value) {
    AppendUnescaped(value, &Add(JsonValue::Kind::kString)->string);
  }
  void OnObjectStart() { open_.push_back(Add(JsonValue::Kind::kObject)); }
  void OnName(const JsonString& name) {
    open_.back()->members.emplace_back();
    AppendUnescaped(name, &open_.back()->members.back().first);
  }
  void OnObjectEnd() { open_.pop_back(); }
  void OnArrayStart() { open_.push_back(Add(JsonValue::Kind::kArray)); }
  void OnArrayEnd() { open_.pop_back(); }

  JsonValue TakeRoot() { return std::move(root_); }

 private:
  // The place of the value that begins now.
  JsonValue* Add(JsonValue::Kind kind) {
    JsonValue* value = &root_;
    if (!open_.empty()) {
      JsonValue* const parent = open_.back();
      value = parent->kind == JsonValue::Kind::kObject
                  ? &parent->members.back().second
                  : &parent->elements.emplace_back();
    }
    value->kind = kind;
    return value;
  }

  JsonValue root_;
  std::vector<JsonValue*> open_;
};

void AppendCanonical(const JsonValue& value, std::string* out) {
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      out->append("null");
      return;
    case JsonValue::Kind::kBool:
      out->append(value.boolean ? "true" : "false");
      return;
    case JsonValue::Kind::kNumber:
      AppendCanonicalNumber(value.number, out);
      return;
    case JsonValue::Kind::kString:
      AppendQuoted(value.string, out);
      return;
    case JsonValue::Kind::kArray: {
      const char* separator = "";
      out->push_back('[');
      for (const JsonValue& element : value.elements) {
        out->append(separator);
        AppendCanonical(element, out);
        separator = ",";
      }
      out->push_back(']');
      return;
    }
    case JsonValue::Kind::kObject: {
      std::vector<const std::pair<std::string, JsonValue>*> sorted;
      sorted.reserve(value.members.size());
      for (const auto& member : value.members) sorted.push_back(&member);
      std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return Utf16Less(a->first, b->first);
      });
      const char* separator = "";
      out->push_back('{');
      for (const auto* member : sorted) {
        out->append(separator);
        AppendQuoted(member->first, out);
        out->push_back(':');
        AppendCanonical(member->second, out);
        separator = ",";
      }
      out->push_back('}');
      return;
    }
  }
}

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(const JsonValue& other) = default;
JsonValue::JsonValue(JsonValue&& other) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue& other) = default;
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept = default;
JsonValue::~JsonValue() = default;

const JsonValue* JsonValue::Find(absl::string_view name) const {
  for (const auto& [member_name, value] : members) {
    if (member_name == name) return &value;
  }
  return nullptr;
}

absl::StatusOr<JsonValue> ParseJson(absl::string_view document) {
  JsonParser parser;
  TreeBuilder builder;
  const absl::Status status = parser.Parse(document, builder);
  if (!status.ok()) return status;
  return builder.TakeRoot();
}

std::string CanonicalJson(const JsonValue& value) {
  std::string text;
  AppendCanonical(value, &text);
  return text;
}

absl::StatusOr<std::string> CanonicalizeJson(absl::string_view document) {
  const absl::StatusOr<JsonValue> value = ParseJson(document);
  if (!value.ok()) return value.status();
  return CanonicalJson(*value);
}

bool Utf16Less(absl::string_view a, absl::string_view b) {
  const size_t size = std::min(a.size(), b.size());
  const size_t same =
      std::mismatch(a.begin(), a.begin() + size, b.begin()).first - a.begin();
  if (same == size) return a.size() < b.size();
  // UTF-8 and UTF-16 order alike, but for the characters beyond U+FFFF: their
  // surrogates come before U+E000 to U+FFFF. In UTF-8 these begin with 0xEE or
  // 0xEF, those with 0xF0 and up; nothing else has such bytes.
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x100 : int{byte};
  };
  return rank(a[same]) < rank(b[same]);
}

}  // namespace windproof
