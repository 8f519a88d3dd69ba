#include "tests/multichain/fake_node/json.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace windproof::fake_node {

Json Json::Bool(bool value) {
  Json json;
  json.kind_ = Kind::kBool;
  json.integer_ = value ? 1 : 0;
  return json;
}

Json Json::Int(int64_t value) {
  Json json;
  json.kind_ = Kind::kInt;
  json.integer_ = value;
  return json;
}

Json Json::Uint(uint64_t value) {
  Json json;
  json.kind_ =
      value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())
          ? Kind::kUint
          : Kind::kInt;
  json.integer_ = static_cast<int64_t>(value);
  return json;
}

Json Json::Double(double value) {
  Json json;
  json.kind_ = Kind::kDouble;
  json.number_ = value;
  return json;
}

Json Json::String(absl::string_view value) {
  Json json;
  json.kind_ = Kind::kString;
  json.text_.assign(value.data(), value.size());
  return json;
}

Json Json::Array() {
  Json json;
  json.kind_ = Kind::kArray;
  return json;
}

Json Json::Object() {
  Json json;
  json.kind_ = Kind::kObject;
  return json;
}

const Json* Json::Find(absl::string_view name) const {
  for (size_t i = names_.size(); i-- > 0;) {
    if (names_[i] == name) return &elements_[i];
  }
  return nullptr;
}

Json& Json::Add(absl::string_view name, Json value) {
  names_.emplace_back(name.data(), name.size());
  elements_.push_back(std::move(value));
  return *this;
}

Json& Json::Set(absl::string_view name, Json value) {
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) {
      elements_[i] = std::move(value);
      return *this;
    }
  }
  return Add(name, std::move(value));
}

Json& Json::Add(absl::string_view name, absl::string_view value) {
  return Add(name, String(value));
}

Json& Json::Add(absl::string_view name, const char* value) {
  return Add(name, String(value));
}

Json& Json::Add(absl::string_view name, const std::string& value) {
  return Add(name, String(value));
}

absl::string_view KindName(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return "null";
    case Json::Kind::kBool:
      return "bool";
    case Json::Kind::kInt:
    case Json::Kind::kUint:
      return "int";
    case Json::Kind::kDouble:
      return "real";
    case Json::Kind::kString:
      return "str";
    case Json::Kind::kArray:
      return "array";
    case Json::Kind::kObject:
      return "obj";
  }
  return "null";
}

namespace {

constexpr int kMaxDepth = 20000;

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | code >> 6));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | code >> 12));
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | code >> 18));
    out->push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::optional<Json> Parse() {
    Json value;
    if (!Value(0, &value)) return absl::nullopt;
    SkipSpace();
    if (at_ != text_.size()) return absl::nullopt;
    return value;
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' ||
                                  text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool Word(absl::string_view word) {
    if (!absl::StartsWith(text_.substr(at_), word)) return false;
    at_ += word.size();
    return true;
  }

  bool Value(int depth, Json* value) {
    if (depth > kMaxDepth) return false;
    SkipSpace();
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return Object(depth, value);
      case '[':
        return Array(depth, value);
      case '"':
        *value = Json::String("");
        return String(&value->MutableString());
      case 't':
        *value = Json::Bool(true);
        return Word("true");
      case 'f':
        *value = Json::Bool(false);
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number(value);
    }
  }

  bool Object(int depth, Json* value) {
    ++at_;
    *value = Json::Object();
    if (Take('}')) return true;
    do {
      SkipSpace();
      std::string name;
      Json member;
      if (at_ >= text_.size() || text_[at_] != '"' || !String(&name) ||
          !Take(':') || !Value(depth + 1, &member)) {
        return false;
      }
      value->Add(name, std::move(member));
    } while (Take(','));
    return Take('}');
  }

  bool Array(int depth, Json* value) {
    ++at_;
    *value = Json::Array();
    if (Take(']')) return true;
    do {
      Json element;
      if (!Value(depth + 1, &element)) return false;
      value->Append(std::move(element));
    } while (Take(','));
    return Take(']');
  }

  bool Hex4(uint32_t* code) {
    if (text_.size() - at_ < 4) return false;
    *code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      const uint32_t digit = c >= '0' && c <= '9'   ? c - '0'
                             : c >= 'a' && c <= 'f' ? c - 'a' + 10
                             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                    : 16;
      if (digit == 16) return false;
      *code = *code << 4 | digit;
    }
    return true;
  }

  bool Escape(std::string* out) {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    switch (c) {
      case 'b':
        out->push_back('\b');
        return true;
      case 'f':
        out->push_back('\f');
        return true;
      case 'n':
        out->push_back('\n');
        return true;
      case 'r':
        out->push_back('\r');
        return true;
      case 't':
        out->push_back('\t');
        return true;
      case '"':
      case '\\':
      case '/':
        out->push_back(c);
        return true;
      case 'u':
        break;
      default:
        return false;
    }
    uint32_t code;
    if (!Hex4(&code)) return false;
    if (code >= 0xD800 && code < 0xDC00 &&
        absl::StartsWith(text_.substr(at_), "\\u")) {
      const size_t before = at_;
      at_ += 2;
      uint32_t low;
      if (!Hex4(&low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = before;
      }
    }
    AppendUtf8(code, out);
    return true;
  }

  bool String(std::string* out) {
    ++at_;
    while (true) {
      size_t end = at_;
      while (end < text_.size() && text_[end] != '"' && text_[end] != '\\') {
        ++end;
      }
      out->append(text_.data() + at_, end - at_);
      if (end >= text_.size()) return false;
      at_ = end + 1;
      if (text_[end] == '"') return true;
      if (!Escape(out)) return false;
    }
  }

  bool Number(Json* value) {
    const size_t start = at_;
    bool real = false;
    bool digits = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c >= '0' && c <= '9') {
        digits = true;
      } else if (c == '.' || c == 'e' || c == 'E' || c == '+') {
        real = true;
      } else if (c == '-') {
        if (at_ != start) real = true;
      } else {
        break;
      }
      ++at_;
    }
    if (!digits) return false;
    const std::string token(text_.substr(start, at_ - start));
    if (real) {
      char* end = nullptr;
      const double number = std::strtod(token.c_str(), &end);
      *value = Json::Double(number);
      return end == token.c_str() + token.size();
    }
    int64_t small;
    uint64_t large;
    if (absl::SimpleAtoi(token, &small)) {
      *value = Json::Int(small);
      return true;
    }
    if (!absl::SimpleAtoi(token, &large)) return false;
    *value = Json::Uint(large);
    return true;
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

void AppendCode(uint32_t code, std::string* out) {
  char escaped[16];
  if (code >= 0x10000) {
    code -= 0x10000;
    std::snprintf(escaped, sizeof(escaped), "\\u%04X\\u%04X",
                  static_cast<unsigned>(0xD800 + (code >> 10 & 0x3FF)),
                  static_cast<unsigned>(0xDC00 + (code & 0x3FF)));
  } else {
    std::snprintf(escaped, sizeof(escaped), "\\u%04X",
                  static_cast<unsigned>(code));
  }
  out->append(escaped);
}

// The length that a lax decoder takes from the first byte; 1 if it is no
// leading byte or the text ends before.
size_t LaxLength(absl::string_view text, size_t at) {
  const auto first = static_cast<uint8_t>(text[at]);
  const size_t length = (first & 0xE0) == 0xC0   ? 2
                        : (first & 0xF0) == 0xE0 ? 3
                        : (first & 0xF8) == 0xF0 ? 4
                                                 : 1;
  return at + length <= text.size() ? length : 1;
}

size_t AppendBeyondAscii(absl::string_view text, size_t at, std::string* out) {
  const auto first = static_cast<uint8_t>(text[at]);
  const size_t length = LaxLength(text, at);
  if (length == 1) {
    AppendCode(first, out);
    return 1;
  }
  uint32_t code = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    code = code << 6 | (static_cast<uint8_t>(text[at + i]) & 0x3F);
  }
  AppendCode(code, out);
  return length;
}

void AppendString(absl::string_view text, std::string* out) {
  out->push_back('"');
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size()) {
      const auto c = static_cast<uint8_t>(text[end]);
      if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') break;
      ++end;
    }
    out->append(text.data() + at, end - at);
    at = end;
    if (at == text.size()) break;
    const char c = text[at];
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\b':
        out->append("\\b");
        break;
      case '\f':
        out->append("\\f");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        at += AppendBeyondAscii(text, at, out);
        continue;
    }
    ++at;
  }
  out->push_back('"');
}

}  // namespace

std::string DoubleText(double value) {
  if (std::isinf(value))
    return value < 0 ? "-infe+-2147483648" : "infe+-2147483648";
  if (std::isnan(value)) return "nan";
  if (value == 0) return "0";
  char printed[64];
  std::snprintf(printed, sizeof(printed), "%.14e", value);
  std::string text = printed;
  const size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  std::string mantissa = text.substr(0, e);
  mantissa.erase(mantissa.find_last_not_of('0') + 1);
  if (mantissa.back() == '.') mantissa.pop_back();
  if (exponent < -7 || exponent >= 15) {
    return absl::StrCat(mantissa, "e", exponent < 0 ? "" : "+", exponent);
  }
  std::snprintf(printed, sizeof(printed), "%.*f", 14 - exponent, value);
  text = printed;
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

absl::optional<Json> ParseJson(absl::string_view text) {
  return Parser(text).Parse();
}

void AppendJson(const Json& value, std::string* text) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      text->append("null");
      return;
    case Json::Kind::kBool:
      text->append(value.AsBool() ? "true" : "false");
      return;
    case Json::Kind::kInt:
      absl::StrAppend(text, value.AsInt());
      return;
    case Json::Kind::kUint:
      absl::StrAppend(text, value.AsUint());
      return;
    case Json::Kind::kDouble:
      text->append(DoubleText(value.AsDouble()));
      return;
    case Json::Kind::kString:
      AppendString(value.AsString(), text);
      return;
    case Json::Kind::kArray:
      text->push_back('[');
      for (size_t i = 0; i < value.size(); ++i) {
        if (i > 0) text->push_back(',');
        AppendJson(value.at(i), text);
      }
      text->push_back(']');
      return;
    case Json::Kind::kObject:
      text->push_back('{');
      for (size_t i = 0; i < value.size(); ++i) {
        if (i > 0) text->push_back(',');
        AppendString(value.name(i), text);
        text->push_back(':');
        AppendJson(value.at(i), text);
      }
      text->push_back('}');
      return;
  }
}

std::string JsonText(const Json& value) {
  std::string text;
  AppendJson(value, &text);
  return text;
}

}  // namespace windproof::fake_node
