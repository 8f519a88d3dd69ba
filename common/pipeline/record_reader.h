// What a pipeline makes of one log record, before any window is looked at:
// another's, a control record, invalid, or a canonical record of a key.
//
// Source: docs/formats/ ("Reading one log record" to "Canonical record").
// Pure: no I/O, no clock. A RecordReader belongs to one thread.
#ifndef WINDPROOF_COMMON_PIPELINE_RECORD_READER_H_
#define WINDPROOF_COMMON_PIPELINE_RECORD_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/field_number.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/spec.h"

namespace windproof {

inline constexpr absl::string_view kControlHeader = "windproof-control";
inline constexpr absl::string_view kControlWatermark = "watermark";

// Why a record is invalid or nobody's, for people.
struct RecordProblem {
  std::string field;     // `value`, `key`, `timestamp`, a field's name …
  std::string found;     // shortened
  std::string accepted;  // what would have been fine
};

class RecordReader {
 public:
  enum class Kind { kOther, kControl, kInvalid, kCanonical };

  // What Read() found. Views live until the next call of Read() or as long as
  // the record that was read, whichever is shorter.
  struct Result {
    Kind kind = Kind::kOther;
    absl::string_view key;        // not for kOther
    Timestamp time;               // kControl: the watermark; kCanonical
    int64_t window_start_ms = 0;  // kCanonical
    absl::string_view canonical;  // kCanonical: RFC 8785 bytes
    // kCanonical: one for each of spec.aggregated, in that order.
    const AggregatedValue* aggregated = nullptr;
  };

  // `spec` must be valid (ValidateSpec) and outlive the reader.
  explicit RecordReader(const PipelineSpec& spec);
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Deterministic: depends on the spec and the record alone, not on its offset.
  const Result& Read(const LogRecord& record);

  // Reads a canonical record back: `canonical` must be what Read() makes of
  // itself, byte for byte, for this key. False otherwise. Result as of Read().
  bool ReadCanonical(absl::string_view key, absl::string_view canonical,
                     Result* result);

  // Says why `record` is kInvalid or kOther; nothing where it is neither. Slow;
  // ends the views of the last Result as another Read() does.
  std::optional<RecordProblem> Explain(const LogRecord& record);

 private:
  // How a record ended, from the first test of docs/formats/ that applied.
  enum class Finding {
    kCanonical,
    kControl,
    // Nobody's.
    kKeyNotUsable,
    kControlWithoutKey,
    kNoKeyInBadValue,
    kNoKeyInField,
    // Invalid control records.
    kSeveralControlHeaders,
    kControlHeaderUnknown,
    kControlTimeBad,
    // Invalid: control records and others.
    kLogTimeNegative,
    kBeyondSkew,
    // Invalid.
    kValueBad,
    kKeysDiffer,
    kTimestampBad,
    kWindowDoesNotFit,
  };

  // A member that a canonical record can have.
  struct Slot {
    enum class Role { kKey, kTimestamp, kString, kNumber, kBoolean };

    Role role = Role::kString;
    int aggregated = -1;  // its index in spec.aggregated
    std::string name;
    // `,"name":`, then spaces up to a multiple of kPrefixUnit: whole units are
    // copied faster than a length that only the run knows.
    std::string prefix;
    size_t prefix_size = 0;  // without those spaces
  };

  // What a value holds under the name of a slot.
  struct Found {
    enum class Kind {
      kNothing,
      kNull,
      kFalse,
      kTrue,
      kNumber,
      kString,
      kNested
    };

    Kind kind = Kind::kNothing;
    bool has_escapes = false;  // kString
    absl::string_view raw;     // kString: between its quotes; kNumber: its text
  };

  // Handler of the parser: fills found_.
  class Collector;

  static constexpr size_t kPrefixUnit = 32;
  // Room for the value of a member and what follows it, but for the text of a
  // string: a number, a timestamp, `false`, the quotes of a string, a key from
  // the message (128 bytes) with all its characters escaped.
  static constexpr size_t kMemberRoom = 2 * 128 + 2;

  static Kind KindOf(Finding finding);
  // The first header that makes `record` a control record, or nullptr.
  static const LogRecord::Header* FindControlHeader(const LogRecord& record);

  // Each applies tests and fills result_ and, below, what they need.
  Finding Classify(const LogRecord& record);
  Finding ClassifyControl(const LogRecord& record,
                          const LogRecord::Header& control);
  Finding ClassifyValue(const LogRecord& record);
  static std::string Shown(const Found& found);  // for people

  // Fills found_. False where the value is not one JSON object, which
  // parse_status_ then explains.
  bool ParseValue(absl::string_view value);
  std::optional<Timestamp> FindTimestamp();
  bool IsWithinSkew(const Timestamp& time, int64_t log_time_ms) const;
  // The string of `found`: a view into the record, or into `scratch`.
  static absl::string_view TextOf(const Found& found, std::string* scratch);

  // Writes canonical_ and aggregated_ from found_. Each Put function writes to
  // `out` and returns the position after that.
  void WriteCanonical();
  void MakeRoom();
  static char* PutPrefix(const Slot& slot, char* out);
  char* PutKey(const Found& found, char* out);
  char* PutTimestamp(const Found& found, char* out);
  char* PutString(const Found& found, char* out);
  // As PutPrefix and the number, or nothing where it is too large.
  char* PutNumberMember(const Slot& slot, absl::string_view text, char* out);

  const PipelineSpec& spec_;
  std::vector<Slot> slots_;  // in RFC 8785 member order
  size_t room_ = 0;          // of a canonical record but for its strings
  size_t key_slot_ = 0;
  size_t timestamp_slot_ = 0;
  absl::flat_hash_map<std::string, size_t> slot_of_name_;

  JsonParser parser_;
  // The slot that the i-th member of the last value had: most records of a
  // stream are written in one order.
  std::vector<size_t> guesses_;

  // Of the record that is read.
  std::vector<Found> found_;  // one a slot
  absl::Status parse_status_;
  std::string key_scratch_;
  std::string scratch_;
  std::string canonical_;  // the record is its beginning
  std::vector<AggregatedValue> aggregated_;
  Result result_;
};

// Whether `key` can be a message key: 1 to 128 bytes of valid UTF-8, none of
// U+0000 to U+001F, U+007F.
bool IsUsableKey(absl::string_view key);

// floor(time / window) * window, in milliseconds since the epoch.
int64_t WindowStartMs(const Timestamp& time, int64_t window_ms);

// Whether the window [start, start + window) lies within the years 0 to 9999.
bool WindowFits(int64_t start_ms, int64_t window_ms);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_RECORD_READER_H_
