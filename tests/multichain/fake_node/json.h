// JSON as the node reads and prints it, which is not quite JSON.
//
// Kept: the order of members, duplicate members, 64-bit integers with and
// without sign, NUL in strings. Printed: doubles with 15 significant digits,
// everything beyond ASCII as \uXXXX with upper-case digits, bytes that are not
// UTF-8 as the code points that a lax decoder makes of them, infinity as
// `infe+-2147483648`.
//
// Values; no state. Safe from any thread.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_JSON_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_JSON_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace windproof::fake_node {

class Json {
 public:
  enum class Kind {
    kNull,
    kBool,
    kInt,
    kUint,  // only what is above the largest int64_t
    kDouble,
    kString,
    kArray,
    kObject,
  };

  Json() = default;
  static Json Bool(bool value);
  static Json Int(int64_t value);
  static Json Uint(uint64_t value);
  static Json Double(double value);
  static Json String(absl::string_view value);
  static Json Array();
  static Json Object();

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_bool() const { return kind_ == Kind::kBool; }
  bool is_int() const { return kind_ == Kind::kInt; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }

  // Each is for a value of its kind; of another it is false, 0 or empty.
  bool AsBool() const { return is_bool() && integer_ != 0; }
  int64_t AsInt() const { return is_int() ? integer_ : 0; }
  uint64_t AsUint() const { return static_cast<uint64_t>(integer_); }
  double AsDouble() const { return number_; }
  const std::string& AsString() const { return text_; }
  std::string& MutableString() { return text_; }

  // Elements of an array, or values of an object's members.
  size_t size() const { return elements_.size(); }
  const Json& at(size_t i) const { return elements_[i]; }
  const std::vector<Json>& elements() const { return elements_; }
  const std::string& name(size_t i) const { return names_[i]; }
  // The last member of that name; null if there is none.
  const Json* Find(absl::string_view name) const;

  void Append(Json value) { elements_.push_back(std::move(value)); }
  void Reserve(size_t n) { elements_.reserve(n); }
  // Adds a member and returns the object. A name that is there is added again.
  Json& Add(absl::string_view name, Json value);
  Json& Add(absl::string_view name, absl::string_view value);
  // Replaces the value of a member; adds it if there is none.
  Json& Set(absl::string_view name, Json value);
  Json& Add(absl::string_view name, const char* value);
  Json& Add(absl::string_view name, const std::string& value);
  template <std::integral T>
  Json& Add(absl::string_view name, T value) {
    if constexpr (std::same_as<T, bool>) {
      return Add(name, Bool(value));
    } else {
      return Add(name, Int(static_cast<int64_t>(value)));
    }
  }

 private:
  Kind kind_ = Kind::kNull;
  int64_t integer_ = 0;
  double number_ = 0;
  std::string text_;
  std::vector<std::string> names_;
  std::vector<Json> elements_;
};

// "null", "bool", "int", "real", "str", "array", "obj": the names that the
// node's messages use.
absl::string_view KindName(const Json& value);

// Nothing if `text` is not one JSON value, holds an integer beyond 64 bits or
// is nested deeper than 20000.
absl::optional<Json> ParseJson(absl::string_view text);

void AppendJson(const Json& value, std::string* text);
std::string JsonText(const Json& value);

// As the node prints a double.
std::string DoubleText(double value);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_JSON_H_
