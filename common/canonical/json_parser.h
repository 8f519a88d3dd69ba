// A strict JSON parser that reports what it reads as events, in one pass.
//
// Source: RFC 8259 grammar; I-JSON (RFC 7493) limits as docs/formats/ states
// them: UTF-8 without BOM, no name twice in one object at any depth (compared
// after unescaping), no lone surrogate (escaped or encoded), every number
// finite as a double, at most 64 levels of objects and arrays.
// Pure; safe from any thread; no recursion, so no input can exhaust the stack.
#ifndef WINDPROOF_COMMON_CANONICAL_JSON_PARSER_H_
#define WINDPROOF_COMMON_CANONICAL_JSON_PARSER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace windproof {

inline constexpr int kJsonMaxDepth = 64;

// A string of the input: the bytes between its quotes, as they stand there.
struct JsonString {
  absl::string_view raw;
  bool has_escapes = false;  // false: `raw` is the string itself
};

// Appends the string with its escapes resolved, in UTF-8. `string` must come
// from a JsonParser, as in AppendCanonicalString.
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
// A JsonParser keeps its scratch memory between documents, and the names of the
// last one's members, since most documents of a stream have the same in the
// same order: one a thread. What it reports does not depend on either. The
// handler must not use the parser that calls it.
class JsonParser {
 public:
  JsonParser() = default;
  JsonParser(const JsonParser&) = delete;
  JsonParser& operator=(const JsonParser&) = delete;

  template <typename Handler>
  absl::Status Parse(absl::string_view document, Handler& handler);

 private:
  // Objects of up to this many names compare each with those before it; larger
  // ones use a hash set, so that no document costs quadratic time.
  static constexpr size_t kNamesCompared = 16;

  // The names of an object that is open, for the search for duplicates.
  struct Object {
    size_t first_name = 0;       // in names_
    size_t first_unescaped = 0;  // in unescaped_names_
    uint64_t filter = 0;         // a bit for each name's FilterBit
  };

  // A member that may begin as it did in the last document: `"name":`.
  struct Expected {
    static constexpr size_t kSizeMax = 32;

    // Whether `text`, which has `size` bytes, begins with it.
    bool Begins(const char* text, size_t size) const;

    size_t size = 0;
    uint64_t filter_bit = 0;
    std::array<char, kSizeMax> text;
  };

  // Begins a document. False if its encoding is wrong.
  bool Start(absl::string_view document);

  // Each reads one item of the grammar that begins at `p` and returns the
  // position after it, or nullptr after Fail().
  const char* ReadString(const char* p, JsonString* string);
  // Goes on at `p` with a string that begins at `first`.
  const char* ReadUnusualString(const char* first, const char* p,
                                JsonString* string);
  const char* ReadNumber(const char* p, absl::string_view* text);
  const char* ReadEscape(const char* p);
  const char* ReadWord(const char* p, absl::string_view word);
  const char* ReadName(const char* p, JsonString* name);
  const char* ReadOtherName(const char* p, JsonString* name);

  // Ends ReadNumber for a number that may be beyond a double.
  const char* CheckFinite(const char* end, absl::string_view text);

  const char* SkipSpace(const char* p) const;
  // Skips what needs no second look within a string: returns the position of
  // the first quote, backslash or control character, or end_.
  const char* SkipPlain(const char* p) const;

  void StartObject();
  void EndObject();
  // False if the innermost object has that name already.
  bool AddName(const JsonString& name);
  bool AddUnusualName(const JsonString& name);
  bool AddToLargeObject(const Object& object, absl::string_view name);
  static uint64_t FilterBit(absl::string_view name);
  // Expects `"name":`, which a member of an outermost object began with, there.
  void Expect(size_t index, absl::string_view text);
  absl::string_view KeepUnescaped(const JsonString& name);

  // Notes an error at `p`. Returns nullptr.
  const char* Fail(const char* p, const char* what);
  // Ends a document with the error that Fail() noted.
  absl::Status Error();
  // Ends a document: drops scratch memory that only unusual ones need.
  void Trim();

  const char* begin_ = nullptr;
  const char* end_ = nullptr;

  int objects_open_ = 0;
  std::array<Object, kJsonMaxDepth> objects_;
  // The names of all objects that are open, the first name_count_ of it.
  std::vector<absl::string_view> names_;
  size_t name_count_ = 0;
  // The first expected_count_ names of the outermost object that was read last.
  // They differ from each other; all of them are expected anew in the next.
  std::array<Expected, kNamesCompared> expected_;
  size_t expected_count_ = 0;
  // Names of large objects, by objects_ index. May hold names of an object
  // that has ended until another one takes its place.
  std::vector<absl::flat_hash_set<absl::string_view>> name_sets_;
  // What names_ of names with escapes point to: strings that do not move. Those
  // from unescaped_count_ on are free.
  std::vector<std::unique_ptr<std::string>> unescaped_names_;
  size_t unescaped_count_ = 0;

  const char* error_at_ = nullptr;
  const char* error_ = nullptr;
};

}  // namespace windproof

#include "common/canonical/json_parser_inl.h"

#endif  // WINDPROOF_COMMON_CANONICAL_JSON_PARSER_H_
