// A strict JSON parser that reports what it reads as events, in one pass.
//
// Source: RFC 8259 grammar; I-JSON (RFC 7493) limits as docs/formats/ states
// them: UTF-8 without BOM, no name twice in one object at any depth (compared
// after unescaping), no lone surrogate (escaped or encoded), every number
// finite as a double, at most 64 levels of objects and arrays.
// Pure; safe from any thread; no recursion, so no input can exhaust the stack.
#ifndef WINDPROOF_COMMON_CANONICAL_JSON_PARSER_H_
#define WINDPROOF_COMMON_CANONICAL_JSON_PARSER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace windproof {

inline constexpr int kJsonMaxDepth = 64;

// A string of the input: the bytes between its quotes, as they stand there.
struct JsonString {
  absl::string_view raw;
  bool has_escapes = false;  // false: `raw` is the string itself
};

// Appends the string with its escapes resolved, in UTF-8.
void AppendUnescaped(const JsonString& string, std::string* out);

// Appends the string as RFC 8785 writes it, quotes included.
void AppendCanonicalString(const JsonString& string, std::string* out);

// Appends any valid UTF-8 `text` as an RFC 8785 string, quotes included.
void AppendQuoted(absl::string_view text, std::string* out);

// What a document consists of, in order. Views point into the document. A
// handler that is not interested in an event leaves its method empty; the
// parser checks everything all the same.
//
// Parse() is a template over the handler (json_parser_inl.h is included at the
// end of this header) so that the hot path pays no virtual call:
//
//   struct Handler {
//     void OnNull();
//     void OnBool(bool value);
//     void OnNumber(absl::string_view text);   // RFC 8259 grammar, finite
//     void OnString(const JsonString& value);
//     void OnObjectStart();
//     void OnName(const JsonString& name);     // before each member's value
//     void OnObjectEnd();
//     void OnArrayStart();
//     void OnArrayEnd();
//   };
//
// InvalidArgument names the byte position and what is wrong there. Handlers see
// the events up to that point, so they must wait for OK before believing any.
//
// A JsonParser keeps its scratch memory between documents: one a thread.
class JsonParser {
 public:
  template <typename Handler>
  absl::Status Parse(absl::string_view document, Handler& handler);

  // Implementation state lives in json_parser_inl.h / private members.
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_CANONICAL_JSON_PARSER_H_
