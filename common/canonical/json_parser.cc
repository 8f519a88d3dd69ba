#include "common/canonical/json_parser.h"

#include <cmath>
#include <cstring>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/number.h"
#include "simdjson.h"

namespace windproof {
namespace {

bool IsContinuation(unsigned char c) { return (c & 0xC0) == 0x80; }

// The bytes of the well-formed UTF-8 sequence (Unicode, table 3-7) that `text`
// begins with; 0 if it begins with none.
size_t SequenceSize(absl::string_view text) {
  const auto at = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const unsigned char first = at(0);
  const unsigned char second = at(1);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !IsContinuation(second)) return 0;
  if (first < 0xE0) return 2;
  if (!IsContinuation(at(2))) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool beyond_unicode = first == 0xF4 && second >= 0x90;
  return overlong || beyond_unicode || !IsContinuation(at(3)) ? 0 : 4;
}

// Nearly all records are ASCII, and this costs a third of the full check.
bool IsAscii(absl::string_view text) {
  uint64_t seen = 0;
  const char* p = text.data();
  const char* const end = p + text.size();
  for (; end - p >= 16; p += 16) {
    uint64_t words[2];
    std::memcpy(words, p, sizeof(words));
    seen |= words[0] | words[1];
  }
  for (; p != end; ++p) seen |= static_cast<unsigned char>(*p);
  return (seen & 0x8080808080808080) == 0;
}

// Only for error messages: the hot path asks simdjson just whether there is
// one.
size_t FirstInvalidUtf8(absl::string_view text) {
  size_t position = 0;
  while (const size_t size = SequenceSize(text.substr(position))) {
    position += size;
  }
  return position;
}

// The value of a hexadecimal digit; -1 for any other character.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The UTF-16 code unit that four hexadecimal digits show; -1 if they are none.
int CodeUnit(const char* p) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexValue(p[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool IsHighSurrogate(int unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool IsLowSurrogate(int unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

void AppendUtf8(char32_t c, std::string* out) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xC0 | c >> 6));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | c >> 12));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | c >> 18));
    out->push_back(static_cast<char>(0x80 | (c >> 12 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3F)));
  }
}

bool NeedsEscape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

// The escape of RFC 8785 section 3.2.2.2 for a character that needs one.
void AppendEscape(char c, std::string* out) {
  out->push_back('\\');
  switch (c) {
    case '"':
    case '\\':
      out->push_back(c);
      return;
    case '\b':
      out->push_back('b');
      return;
    case '\t':
      out->push_back('t');
      return;
    case '\n':
      out->push_back('n');
      return;
    case '\f':
      out->push_back('f');
      return;
    case '\r':
      out->push_back('r');
      return;
    default:
      constexpr char kHex[] = "0123456789abcdef";
      out->append("u00");
      out->push_back(kHex[c >> 4]);
      out->push_back(kHex[c & 0xF]);
  }
}

// Reads the escape sequence, already checked, that `text` begins with.
char32_t TakeEscape(absl::string_view* text) {
  const char kind = (*text)[1];
  if (kind != 'u') {
    text->remove_prefix(2);
    switch (kind) {
      case 'b':
        return '\b';
      case 't':
        return '\t';
      case 'n':
        return '\n';
      case 'f':
        return '\f';
      case 'r':
        return '\r';
      default:
        return static_cast<char32_t>(kind);  // quote, backslash, slash
    }
  }
  const int unit = CodeUnit(text->data() + 2);
  text->remove_prefix(6);
  if (!IsHighSurrogate(unit)) return static_cast<char32_t>(unit);
  const int low = CodeUnit(text->data() + 2);
  text->remove_prefix(6);
  return static_cast<char32_t>(0x10000 + ((unit - 0xD800) << 10) +
                               (low - 0xDC00));
}

// Appends `string` with each escape resolved and handed to `append`.
template <typename AppendCharacter>
void AppendResolved(const JsonString& string, std::string* out,
                    AppendCharacter append) {
  absl::string_view rest = string.raw;
  while (true) {
    const size_t plain = rest.find('\\');
    if (plain == absl::string_view::npos) break;
    out->append(rest.data(), plain);
    rest.remove_prefix(plain);
    append(TakeEscape(&rest));
  }
  out->append(rest.data(), rest.size());
}

}  // namespace

void AppendUnescaped(const JsonString& string, std::string* out) {
  if (!string.has_escapes) {
    out->append(string.raw.data(), string.raw.size());
    return;
  }
  AppendResolved(string, out, [out](char32_t c) { AppendUtf8(c, out); });
}

void AppendCanonicalString(const JsonString& string, std::string* out) {
  out->push_back('"');
  if (string.has_escapes) {
    AppendResolved(string, out, [out](char32_t c) {
      if (c < 0x80 && NeedsEscape(static_cast<char>(c))) {
        AppendEscape(static_cast<char>(c), out);
      } else {
        AppendUtf8(c, out);
      }
    });
  } else {
    // What the grammar allows unescaped is what RFC 8785 leaves unescaped.
    out->append(string.raw.data(), string.raw.size());
  }
  out->push_back('"');
}

void AppendQuoted(absl::string_view text, std::string* out) {
  out->push_back('"');
  size_t plain = 0;  // where the run of characters without escape began
  for (size_t i = 0; i < text.size(); ++i) {
    if (!NeedsEscape(text[i])) continue;
    out->append(text.data() + plain, i - plain);
    AppendEscape(text[i], out);
    plain = i + 1;
  }
  out->append(text.data() + plain, text.size() - plain);
  out->push_back('"');
}

bool JsonParser::Start(absl::string_view document) {
  begin_ = document.data();
  end_ = begin_ + document.size();
  objects_open_ = 0;
  name_count_ = 0;
  unescaped_count_ = 0;
  if (IsAscii(document)) return true;
  constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (document.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    Fail(begin_, "a byte order mark must not precede the value");
    return false;
  }
  if (!simdjson::validate_utf8(document.data(), document.size())) {
    Fail(begin_ + FirstInvalidUtf8(document), "invalid UTF-8");
    return false;
  }
  return true;
}

const char* JsonParser::ReadUnusualString(const char* first, const char* p,
                                          JsonString* string) {
  string->has_escapes = false;
  while (p != end_ && *p == '\\') {
    string->has_escapes = true;
    p = ReadEscape(p);
    if (p == nullptr) return nullptr;
    p = SkipPlain(p);
  }
  if (p == end_) return Fail(p, "the document ends within a string");
  if (*p != '"') {
    return Fail(p, "a control character in a string must be escaped");
  }
  string->raw = absl::string_view(first, p - first);
  return p + 1;
}

const char* JsonParser::ReadEscape(const char* p) {
  const char* const first = p++;
  if (p == end_) return Fail(first, "the document ends within a string");
  if (*p != 'u') {
    if (*p == '\0' || std::strchr("\"\\/bfnrt", *p) == nullptr) {
      return Fail(first, "unknown escape sequence");
    }
    return p + 1;
  }
  ++p;
  const int unit = end_ - p >= 4 ? CodeUnit(p) : -1;
  if (unit < 0) {
    return Fail(first, "four hexadecimal digits must follow \\u");
  }
  p += 4;
  if (IsHighSurrogate(unit)) {
    const bool pair = end_ - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
                      IsLowSurrogate(CodeUnit(p + 2));
    if (!pair) return Fail(first, "lone surrogate");
    return p + 6;
  }
  if (IsLowSurrogate(unit)) return Fail(first, "lone surrogate");
  return p;
}

const char* JsonParser::ReadWord(const char* p, absl::string_view word) {
  const absl::string_view rest(p, end_ - p);
  if (rest.substr(0, word.size()) != word) {
    return Fail(p, "this begins no JSON value");
  }
  return p + word.size();
}

const char* JsonParser::CheckFinite(const char* end, absl::string_view text) {
  if (std::isfinite(NumberFromText(text))) return end;
  return Fail(text.data(), "a number must not be beyond a double");
}

const char* JsonParser::ReadOtherName(const char* p, JsonString* name) {
  const size_t index = name_count_;
  const bool outermost = objects_open_ == 1;
  // What follows here is not what was expected.
  if (outermost && index < expected_count_) expected_count_ = index;
  if (p == end_ || *p != '"') {
    return Fail(p, "a member must begin with its name in quotes");
  }
  const char* const first = p;
  p = ReadString(p, name);
  if (p == nullptr) return nullptr;
  if (!AddName(*name)) {
    return Fail(first, "an object must not have the same name twice");
  }
  const char* const colon = SkipSpace(p);
  if (colon == end_ || *colon != ':') {
    return Fail(colon, "a colon must follow a name");
  }
  if (outermost && colon == p && !name->has_escapes) {
    Expect(index, absl::string_view(first, colon + 1 - first));
  }
  return colon + 1;
}

void JsonParser::Expect(size_t index, absl::string_view text) {
  // Only behind names of the same object, all of them: see ReadName().
  if (index != expected_count_ || index == expected_.size() ||
      text.size() > Expected::kSizeMax) {
    return;
  }
  Expected& expected = expected_[expected_count_++];
  expected.size = text.size();
  expected.filter_bit = FilterBit(text.substr(1, text.size() - 3));
  std::memcpy(expected.text.data(), text.data(), text.size());
}

absl::string_view JsonParser::KeepUnescaped(const JsonString& name) {
  if (unescaped_count_ == unescaped_names_.size()) {
    unescaped_names_.push_back(std::make_unique<std::string>());
  }
  std::string& text = *unescaped_names_[unescaped_count_++];
  text.clear();
  AppendUnescaped(name, &text);
  return text;
}

bool JsonParser::AddUnusualName(const JsonString& name) {
  const absl::string_view text =
      name.has_escapes ? KeepUnescaped(name) : name.raw;
  Object& object = objects_[objects_open_ - 1];
  const uint64_t bit = FilterBit(text);
  const size_t count = name_count_ - object.first_name;
  if (count >= kNamesCompared) {
    if (!AddToLargeObject(object, text)) return false;
  } else if ((object.filter & bit) != 0) {
    for (size_t i = object.first_name; i < name_count_; ++i) {
      if (names_[i] == text) return false;
    }
  }
  object.filter |= bit;
  if (name_count_ == names_.size()) {
    names_.resize(2 * name_count_ + kNamesCompared);
  }
  names_[name_count_++] = text;
  return true;
}

bool JsonParser::AddToLargeObject(const Object& object,
                                  absl::string_view name) {
  const size_t index = objects_open_ - 1;
  if (name_sets_.size() <= index) name_sets_.resize(index + 1);
  absl::flat_hash_set<absl::string_view>& names = name_sets_[index];
  if (name_count_ == object.first_name + kNamesCompared) {
    names.clear();
    names.insert(names_.begin() + object.first_name,
                 names_.begin() + name_count_);
  }
  return names.insert(name).second;
}

ABSL_ATTRIBUTE_COLD ABSL_ATTRIBUTE_NOINLINE const char* JsonParser::Fail(
    const char* p, const char* what) {
  error_at_ = p;
  error_ = what;
  return nullptr;
}

absl::Status JsonParser::Error() {
  Trim();
  return absl::InvalidArgumentError(
      absl::StrCat("JSON byte ", error_at_ - begin_, ": ", error_));
}

void JsonParser::Trim() {
  constexpr size_t kNamesKept = 1024;
  constexpr ptrdiff_t kUnescapedKept = 4096;
  if (names_.size() > kNamesKept) {
    names_ = {};
    name_count_ = 0;
    expected_count_ = 0;
    name_sets_.clear();
  }
  // No string is longer, nor are there more of them, than the document is long.
  if (!unescaped_names_.empty() && end_ - begin_ > kUnescapedKept) {
    unescaped_names_.clear();
    unescaped_count_ = 0;
  }
}

}  // namespace windproof
