// A JSON document as a tree, for what is not hot: checkpoints, specs, tests.
//
// Pure; a value is thread-compatible.
#ifndef WINDPROOF_COMMON_CANONICAL_JSON_VALUE_H_
#define WINDPROOF_COMMON_CANONICAL_JSON_VALUE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

struct JsonValue {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  double number = 0;
  std::string string;  // unescaped UTF-8
  std::vector<JsonValue> elements;
  std::vector<std::pair<std::string, JsonValue>> members;  // in document order

  // Defined where the type is complete, which clang's std::pair insists on.
  JsonValue();
  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;
  ~JsonValue();

  // The member of that name, or nullptr; nullptr too where this is no object.
  const JsonValue* Find(absl::string_view name) const;
};

// Parses any JSON value by the rules of json_parser.h.
absl::StatusOr<JsonValue> ParseJson(absl::string_view document);

// The RFC 8785 form: members sorted by the UTF-16 code units of their names.
std::string CanonicalJson(const JsonValue& value);

// Parses and canonicalises: JCS(document).
absl::StatusOr<std::string> CanonicalizeJson(absl::string_view document);

// The order of RFC 8785 section 3.2.3: by UTF-16 code units. `a`, `b`: UTF-8.
bool Utf16Less(absl::string_view a, absl::string_view b);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CANONICAL_JSON_VALUE_H_
