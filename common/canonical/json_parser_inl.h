// The part of json_parser.h that is a template or must be inlined.
#ifndef WINDPROOF_COMMON_CANONICAL_JSON_PARSER_INL_H_
#define WINDPROOF_COMMON_CANONICAL_JSON_PARSER_INL_H_

#include <bit>
#include <cstring>

#include "common/canonical/json_parser.h"

namespace windproof {

inline const char* JsonParser::SkipSpace(const char* p) const {
  while (p != end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
    ++p;
  }
  return p;
}

inline const char* JsonParser::ReadString(const char* p, JsonString* string) {
  // Quote, backslash and control characters end the run of plain bytes. Eight
  // at a time: the high bit of a byte of `found` is set where its byte is one
  // of those; above the first such byte there may be wrong alarms, as borrows
  // run upwards, but never below it.
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  const char* const first = ++p;
  bool has_escapes = false;
  while (true) {
    while (end_ - p >= 8) {
      uint64_t word;
      std::memcpy(&word, p, sizeof(word));
      const uint64_t quote = word ^ (kOnes * '"');
      const uint64_t backslash = word ^ (kOnes * '\\');
      const uint64_t found = ((quote - kOnes) & ~quote) |
                             ((backslash - kOnes) & ~backslash) |
                             ((word - kOnes * 0x20) & ~word);
      if ((found & kHighs) != 0) {
        if constexpr (std::endian::native == std::endian::little) {
          p += std::countr_zero(found & kHighs) / 8;
        }
        break;
      }
      p += 8;
    }
    while (p != end_ && *p != '"' && *p != '\\' &&
           static_cast<unsigned char>(*p) >= 0x20) {
      ++p;
    }
    if (p == end_) return Fail(p, "the document ends within a string");
    if (*p == '"') break;
    if (*p != '\\') {
      return Fail(p, "a control character in a string must be escaped");
    }
    has_escapes = true;
    p = ReadEscape(p);
    if (p == nullptr) return nullptr;
  }
  string->raw = absl::string_view(first, p - first);
  string->has_escapes = has_escapes;
  return p + 1;
}

inline const char* JsonParser::ReadNumber(const char* p,
                                          absl::string_view* text) {
  const auto is_digit = [this](const char* at) {
    return at != end_ && *at >= '0' && *at <= '9';
  };
  const char* const first = p;
  if (*p == '-') ++p;
  if (!is_digit(p)) return Fail(p, "a digit must follow a minus sign");
  if (*p == '0') {
    ++p;
    if (is_digit(p)) return Fail(p, "a number must not begin with 0");
  } else {
    while (is_digit(p)) ++p;
  }
  if (p != end_ && *p == '.') {
    ++p;
    if (!is_digit(p)) return Fail(p, "a digit must follow the decimal point");
    while (is_digit(p)) ++p;
  }
  bool may_be_infinite = p - first > 300;
  if (p != end_ && (*p == 'e' || *p == 'E')) {
    may_be_infinite = true;
    ++p;
    if (p != end_ && (*p == '+' || *p == '-')) ++p;
    if (!is_digit(p)) return Fail(p, "an exponent must have a digit");
    while (is_digit(p)) ++p;
  }
  *text = absl::string_view(first, p - first);
  return may_be_infinite ? CheckFinite(p, *text) : p;
}

inline bool JsonParser::AddName(const JsonString& name) {
  const absl::string_view text =
      name.has_escapes ? KeepUnescaped(name) : name.raw;
  Object& object = objects_[objects_open_ - 1];
  // Length and two characters tell nearly all names of an object apart.
  const size_t mixed = text.empty()
                           ? 0
                           : text.size() * 7 +
                                 static_cast<unsigned char>(text.front()) * 5 +
                                 static_cast<unsigned char>(text.back());
  const uint64_t bit = uint64_t{1} << (mixed % 64);
  const size_t count = names_.size() - object.first_name;
  if (count >= kNamesCompared) {
    if (!AddToLargeObject(object, text)) return false;
  } else if ((object.filter & bit) != 0) {
    for (size_t i = object.first_name; i < names_.size(); ++i) {
      if (names_[i] == text) return false;
    }
  }
  object.filter |= bit;
  names_.push_back(text);
  return true;
}

inline const char* JsonParser::ReadName(const char* p, JsonString* name) {
  p = SkipSpace(p);
  if (p == end_ || *p != '"') {
    return Fail(p, "a member must begin with its name in quotes");
  }
  const char* const first = p;
  p = ReadString(p, name);
  if (p == nullptr) return nullptr;
  if (!AddName(*name)) {
    return Fail(first, "an object must not have the same name twice");
  }
  p = SkipSpace(p);
  if (p == end_ || *p != ':') return Fail(p, "a colon must follow a name");
  return p + 1;
}

inline void JsonParser::StartObject() {
  objects_[objects_open_++] = {names_.size(), unescaped_count_, 0};
}

inline void JsonParser::EndObject() {
  const Object& object = objects_[--objects_open_];
  names_.resize(object.first_name);
  unescaped_count_ = object.first_unescaped;
}

template <typename Handler>
absl::Status JsonParser::Parse(absl::string_view document, Handler& handler) {
  if (!Start(document)) return Error();
  // The containers that are open, innermost last: bit set for an object.
  uint64_t is_object = 0;
  int depth = 0;
  const char* p = begin_;
  while (true) {
    // A value begins here.
    p = SkipSpace(p);
    if (p == end_) {
      Fail(p, "the document ends where a value must follow");
      return Error();
    }
    switch (*p) {
      case '"': {
        JsonString string;
        p = ReadString(p, &string);
        if (p == nullptr) return Error();
        handler.OnString(string);
        break;
      }
      case '{':
      case '[': {
        const bool opens_object = *p == '{';
        if (depth == kJsonMaxDepth) {
          Fail(p, "more than 64 levels of objects and arrays");
          return Error();
        }
        is_object = is_object << 1 | (opens_object ? 1 : 0);
        ++depth;
        p = SkipSpace(p + 1);
        if (opens_object) {
          handler.OnObjectStart();
          StartObject();
          if (p != end_ && *p == '}') break;  // ended below
          JsonString name;
          p = ReadName(p, &name);
          if (p == nullptr) return Error();
          handler.OnName(name);
        } else {
          handler.OnArrayStart();
          if (p != end_ && *p == ']') break;  // ended below
        }
        continue;
      }
      case 't':
        p = ReadWord(p, "true");
        if (p == nullptr) return Error();
        handler.OnBool(true);
        break;
      case 'f':
        p = ReadWord(p, "false");
        if (p == nullptr) return Error();
        handler.OnBool(false);
        break;
      case 'n':
        p = ReadWord(p, "null");
        if (p == nullptr) return Error();
        handler.OnNull();
        break;
      default: {
        if (*p != '-' && (*p < '0' || *p > '9')) {
          Fail(p, "this begins no JSON value");
          return Error();
        }
        absl::string_view text;
        p = ReadNumber(p, &text);
        if (p == nullptr) return Error();
        handler.OnNumber(text);
        break;
      }
    }
    // A value, or the start of an empty container, ends here. Ends what ends
    // with it, up to the next value.
    while (true) {
      p = SkipSpace(p);
      if (depth == 0) {
        if (p == end_) {
          Trim();
          return absl::OkStatus();
        }
        Fail(p, "nothing may follow the value");
        return Error();
      }
      const bool in_object = (is_object & 1) != 0;
      if (p == end_) {
        Fail(p, in_object ? "the document ends within an object"
                          : "the document ends within an array");
        return Error();
      }
      if (*p == ',') {
        ++p;
        if (in_object) {
          JsonString name;
          p = ReadName(p, &name);
          if (p == nullptr) return Error();
          handler.OnName(name);
        }
        break;
      }
      if (*p != (in_object ? '}' : ']')) {
        Fail(p, in_object ? "a comma or } must follow a member"
                          : "a comma or ] must follow an element");
        return Error();
      }
      ++p;
      is_object >>= 1;
      --depth;
      if (in_object) {
        EndObject();
        handler.OnObjectEnd();
      } else {
        handler.OnArrayEnd();
      }
    }
  }
}

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CANONICAL_JSON_PARSER_INL_H_
