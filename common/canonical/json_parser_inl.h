// The part of json_parser.h that is a template or must be inlined.
#ifndef WINDPROOF_COMMON_CANONICAL_JSON_PARSER_INL_H_
#define WINDPROOF_COMMON_CANONICAL_JSON_PARSER_INL_H_

#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/canonical/json_parser.h"

namespace windproof {

inline const char* JsonParser::SkipSpace(const char* p) const {
  // Mostly there is none.
  if (p != end_ && static_cast<unsigned char>(*p) > ' ') return p;
  while (p != end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
    ++p;
  }
  return p;
}

inline const char* JsonParser::SkipPlain(const char* p) const {
#ifdef __SSE2__
  while (end_ - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    // Unsigned bytes, for which SSE2 has no comparison: min(x, 31) == x.
    const __m128i control =
        _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const int found = _mm_movemask_epi8(
        _mm_or_si128(_mm_or_si128(quote, backslash), control));
    if (found != 0) return p + std::countr_zero(static_cast<unsigned>(found));
    p += 16;
  }
#endif
  while (p != end_ && *p != '"' && *p != '\\' &&
         static_cast<unsigned char>(*p) >= 0x20) {
    ++p;
  }
  return p;
}

inline const char* JsonParser::ReadString(const char* p, JsonString* string) {
  const char* const first = ++p;
  p = SkipPlain(p);
  if (p == end_ || *p != '"') return ReadUnusualString(first, p, string);
  string->raw = absl::string_view(first, p - first);
  string->has_escapes = false;
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

inline uint64_t JsonParser::FilterBit(absl::string_view name) {
  if (name.empty()) return 1;
  // Length and two characters tell nearly all names of an object apart.
  const unsigned first = static_cast<unsigned char>(name.front());
  const unsigned last = static_cast<unsigned char>(name.back());
  return uint64_t{1} << ((name.size() * 7 + first * 5 + last) % 64);
}

inline bool JsonParser::AddName(const JsonString& name) {
  Object& object = objects_[objects_open_ - 1];
  const uint64_t bit = FilterBit(name.raw);
  const bool is_new = !name.has_escapes && (object.filter & bit) == 0 &&
                      name_count_ - object.first_name < kNamesCompared &&
                      name_count_ < names_.size();
  if (!is_new) return AddUnusualName(name);
  object.filter |= bit;
  names_[name_count_++] = name.raw;
  return true;
}

inline bool JsonParser::Expected::Begins(const char* other,
                                         size_t other_size) const {
  if (other_size < size) return false;
  // Two loads that overlap compare most names without a call.
  if (size >= 8 && size <= 16) {
    uint64_t ours[2];
    uint64_t theirs[2];
    std::memcpy(&ours[0], text.data(), 8);
    std::memcpy(&theirs[0], other, 8);
    std::memcpy(&ours[1], text.data() + size - 8, 8);
    std::memcpy(&theirs[1], other + size - 8, 8);
    return ours[0] == theirs[0] && ours[1] == theirs[1];
  }
  return std::memcmp(text.data(), other, size) == 0;
}

inline const char* JsonParser::ReadName(const char* p, JsonString* name) {
  p = SkipSpace(p);
  // All names so far were the expected ones, and the expected ones differ, so
  // that the next of them is no name twice.
  if (objects_open_ == 1 && name_count_ < expected_count_) {
    const Expected& expected = expected_[name_count_];
    if (expected.Begins(p, end_ - p)) {
      name->raw = absl::string_view(p + 1, expected.size - 3);
      name->has_escapes = false;
      objects_[0].filter |= expected.filter_bit;
      names_[name_count_++] = name->raw;
      return p + expected.size;
    }
  }
  return ReadOtherName(p, name);
}

inline void JsonParser::StartObject() {
  objects_[objects_open_++] = {name_count_, unescaped_count_, 0};
}

inline void JsonParser::EndObject() {
  const Object& object = objects_[--objects_open_];
  name_count_ = object.first_name;
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
