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

#include "absl/strings/string_view.h"
#include "common/canonical/decimal.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/spec.h"

namespace windproof {

inline constexpr absl::string_view kControlHeader = "windproof-control";
inline constexpr absl::string_view kControlWatermark = "watermark";

// A value of an aggregated field.
struct AggregatedValue {
  bool present = false;
  double number = 0;        // as its canonical bytes show it
  Nanounits nanounits = 0;  // rounded half-even to 9 decimals
};

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

  // Deterministic: depends on the spec and the record alone, not on its offset.
  const Result& Read(const LogRecord& record);

  // Reads a canonical record back: `canonical` must be what Read() makes of
  // itself, byte for byte, for this key. False otherwise. Result as of Read().
  bool ReadCanonical(absl::string_view key, absl::string_view canonical,
                     Result* result);

  // Says why `record` is kInvalid or kOther; nothing where it is neither. Slow.
  std::optional<RecordProblem> Explain(const LogRecord& record);

 private:
  // Completed by the implementation.
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
