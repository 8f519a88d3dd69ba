// RecordReader::Explain, apart from the hot path.
#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr absl::string_view kUsableKeys =
    "1 to 128 bytes of UTF-8 without control characters";
constexpr absl::string_view kTimestamps =
    "RFC 3339 text with seconds, up to 9 fraction digits and Z or an offset, "
    "or whole milliseconds since the epoch, within the years 0000 to 9999";

}  // namespace

std::string RecordReader::Shown(const Found& found) {
  switch (found.kind) {
    case Found::Kind::kNothing:
      return "nothing";
    case Found::Kind::kNull:
      return "null";
    case Found::Kind::kFalse:
      return "false";
    case Found::Kind::kTrue:
      return "true";
    case Found::Kind::kNumber:
      return found.raw.size() <= 64
                 ? std::string(found.raw)
                 : absl::StrCat(found.raw.substr(0, 64), "...");
    case Found::Kind::kString: {
      std::string scratch;
      return ShownText(TextOf(found, &scratch));
    }
    case Found::Kind::kNested:
      return "an object or array";
  }
  return "";
}

std::optional<RecordProblem> RecordReader::Explain(const LogRecord& record) {
  const Finding finding = Classify(record);
  result_.kind = KindOf(finding);
  const std::string header = absl::StrCat("header ", kControlHeader);
  switch (finding) {
    case Finding::kCanonical:
    case Finding::kControl:
      return std::nullopt;
    case Finding::kKeyNotUsable:
      return RecordProblem{"message key", ShownText(*record.key),
                           std::string(kUsableKeys)};
    case Finding::kControlWithoutKey:
      return RecordProblem{
          "message key", "nothing",
          absl::StrCat("a control record needs a message key: ", kUsableKeys)};
    case Finding::kNoKeyInBadValue:
      // What is wrong is the value, most likely: it would have had the key.
      return RecordProblem{
          "value", record.value ? ShownText(*record.value) : "null",
          absl::StrCat(
              "one JSON object (I-JSON) whose ", spec_.key_field,
              " is the key, as there is no message key; ",
              record.value ? parse_status_.message() : "null is none")};
    case Finding::kNoKeyInField:
      return RecordProblem{
          spec_.key_field, Shown(found_[key_slot_]),
          absl::StrCat("where there is no message key, a string of ",
                       kUsableKeys)};
    case Finding::kSeveralControlHeaders:
      return RecordProblem{header, "more than one", "one"};
    case Finding::kControlHeaderUnknown: {
      const std::optional<absl::string_view> value =
          FindControlHeader(record)->value;
      return RecordProblem{header,
                           value.has_value() ? ShownText(*value) : "null",
                           std::string(kControlWatermark)};
    }
    case Finding::kControlTimeBad:
      return RecordProblem{
          "value", record.value ? ShownText(*record.value) : "null",
          "a control record's value is a timestamp and nothing else, as in "
          "2026-01-25T12:00:00Z"};
    case Finding::kLogTimeNegative:
      return RecordProblem{"log time", absl::StrCat(record.log_time_ms),
                           "milliseconds since the epoch, not negative"};
    case Finding::kBeyondSkew:
      return RecordProblem{
          FindControlHeader(record) == nullptr ? spec_.timestamp_field
                                               : "value",
          FormatTimestamp(result_.time),
          absl::StrCat(
              "at most ", spec_.future_skew_ms,
              " ms (future_skew_ms) past the log time, which is ",
              FormatTimestamp(TimestampFromMillis(std::min(
                  record.log_time_ms, kYear10000Seconds * 1000 - 1))))};
    case Finding::kValueBad:
      return RecordProblem{"value",
                           record.value ? ShownText(*record.value) : "null",
                           absl::StrCat("one JSON object (I-JSON); ",
                                        record.value ? parse_status_.message()
                                                     : "null is none")};
    case Finding::kKeysDiffer:
      return RecordProblem{
          spec_.key_field, Shown(found_[key_slot_]),
          absl::StrCat("the message key, which is ", ShownText(*record.key),
                       ", or no such field")};
    case Finding::kTimestampBad:
      return RecordProblem{spec_.timestamp_field,
                           Shown(found_[timestamp_slot_]),
                           std::string(kTimestamps)};
    case Finding::kWindowDoesNotFit:
      return RecordProblem{
          spec_.timestamp_field, FormatTimestamp(result_.time),
          absl::StrCat("a time whose window of ", spec_.window_ms,
                       " ms begins and ends within the years 0000 to 9999")};
  }
  return std::nullopt;
}

}  // namespace windproof
