#include "common/pipeline/record_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_value.h"
#include "common/canonical/number.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr size_t kKeyMax = 128;
constexpr int64_t kYear0Ms = kYear0Seconds * 1000;
constexpr int64_t kYear10000Ms = kYear10000Seconds * 1000;
constexpr double kAggregatedEnd = 1e15;

// How many members of a value have a guess; further ones are looked up.
constexpr size_t kGuessed = 64;

// Scratch memory that is kept between records.
constexpr size_t kScratchKept = size_t{1} << 16;

constexpr std::array<int64_t, 10> kPowersOf10 = {
    1,       10,        100,        1'000,       10'000,
    100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

// Fills `value` from an RFC 8785 number. False if its double is 10^15 or more
// in magnitude.
bool Aggregate(absl::string_view canonical, AggregatedValue* value) {
  constexpr size_t kExactDigits = 15;
  constexpr size_t kNanoDigits = 9;
  // Nearly all numbers have at most 15 digits, 9 of them after the point. Such
  // digits and such a power of ten are exact as doubles, so that one division
  // gives the nearest double of the number.
  const bool negative = canonical[0] == '-';
  const char* p = canonical.data() + (negative ? 1 : 0);
  const char* const end = canonical.data() + canonical.size();
  if (static_cast<size_t>(end - p) <= kExactDigits + 1) {
    int64_t digits = 0;
    size_t fraction = 0;
    for (; p != end && *p >= '0' && *p <= '9'; ++p) {
      digits = digits * 10 + (*p - '0');
    }
    if (p != end && *p == '.') {
      const char* const first = ++p;
      for (; p != end && *p >= '0' && *p <= '9'; ++p) {
        digits = digits * 10 + (*p - '0');
      }
      fraction = p - first;
    }
    constexpr int64_t kDigitsEnd = 1'000'000'000'000'000;
    if (p == end && fraction <= kNanoDigits && digits < kDigitsEnd) {
      if (negative) digits = -digits;
      value->present = true;
      value->number = static_cast<double>(digits) /
                      static_cast<double>(kPowersOf10[fraction]);
      value->nanounits =
          Nanounits(digits) * Nanounits(kPowersOf10[kNanoDigits - fraction]);
      return true;
    }
  }
  const double number = NumberFromText(canonical);
  if (!(std::abs(number) < kAggregatedEnd)) return false;
  value->present = true;
  value->number = number;
  value->nanounits = NanounitsFromCanonicalNumber(canonical);
  return true;
}

// Whether a text that ParseTimestamp takes is the canonical form for sure:
// YYYY-MM-DDThh:mm:ssZ.
bool IsCanonicalTime(absl::string_view text) {
  return text.size() == 20 && text[10] == 'T' && text[19] == 'Z';
}

// The first header that makes `record` a control record, or nullptr.
const LogRecord::Header* ControlHeader(const LogRecord& record) {
  for (const LogRecord::Header& header : record.headers) {
    if (header.name == kControlHeader) return &header;
  }
  return nullptr;
}

void Append(absl::string_view text, std::string* out) {
  out->append(text.data(), text.size());
}

}  // namespace

// Notes what stands at depth 1 under the names of slots.
class RecordReader::Collector {
 public:
  explicit Collector(RecordReader* reader)
      : slots_(reader->slots_),
        slot_of_name_(reader->slot_of_name_),
        guesses_(reader->guesses_.data()),
        found_(reader->found_.data()) {}
  // A copy would write to the original's ignored_.
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  bool root_is_object() const { return root_is_object_; }

  void OnNull() { Note(Found::Kind::kNull, {}, false); }
  void OnBool(bool value) {
    Note(value ? Found::Kind::kTrue : Found::Kind::kFalse, {}, false);
  }
  void OnNumber(absl::string_view text) {
    Note(Found::Kind::kNumber, text, false);
  }
  void OnString(const JsonString& value) {
    Note(Found::Kind::kString, value.raw, value.has_escapes);
  }

  void OnObjectStart() {
    if (depth_ == 0) root_is_object_ = true;
    Enter();
  }
  void OnObjectEnd() { --depth_; }
  void OnArrayStart() { Enter(); }
  void OnArrayEnd() { --depth_; }

  void OnName(const JsonString& name) {
    if (depth_ != 1) return;
    const size_t position = position_++;
    if (!name.has_escapes) {
      if (position < kGuessed) {
        const size_t guess = guesses_[position];
        if (slots_[guess].name == name.raw) {
          current_ = &found_[guess];
          return;
        }
      }
      LookUp(position, name.raw);
      return;
    }
    std::string unescaped;
    AppendUnescaped(name, &unescaped);
    LookUp(position, unescaped);
  }

 private:
  void Enter() {
    Note(Found::Kind::kNested, {}, false);
    ++depth_;
  }

  void Note(Found::Kind kind, absl::string_view raw, bool has_escapes) {
    if (depth_ != 1) return;
    current_->kind = kind;
    current_->has_escapes = has_escapes;
    current_->raw = raw;
  }

  void LookUp(size_t position, absl::string_view name) {
    const auto slot = slot_of_name_.find(name);
    if (slot == slot_of_name_.end()) {
      current_ = &ignored_;
      return;
    }
    current_ = &found_[slot->second];
    if (position < kGuessed) guesses_[position] = slot->second;
  }

  const std::vector<Slot>& slots_;
  const absl::flat_hash_map<std::string, size_t>& slot_of_name_;
  size_t* const guesses_;
  Found* const found_;

  int depth_ = 0;
  bool root_is_object_ = false;
  size_t position_ = 0;  // of the next member at depth 1
  Found ignored_;
  Found* current_ = &ignored_;
};

RecordReader::RecordReader(const PipelineSpec& spec) : spec_(spec) {
  slots_.push_back({.role = Slot::Role::kKey, .name = spec.key_field});
  slots_.push_back(
      {.role = Slot::Role::kTimestamp, .name = spec.timestamp_field});
  for (const auto& [name, type] : spec.fields) {
    Slot slot;
    slot.name = name;
    slot.role = type == FieldType::kString   ? Slot::Role::kString
                : type == FieldType::kNumber ? Slot::Role::kNumber
                                             : Slot::Role::kBoolean;
    const auto aggregated =
        std::find(spec.aggregated.begin(), spec.aggregated.end(), name);
    if (aggregated != spec.aggregated.end()) {
      slot.aggregated = static_cast<int>(aggregated - spec.aggregated.begin());
    }
    slots_.push_back(std::move(slot));
  }
  std::sort(slots_.begin(), slots_.end(), [](const Slot& a, const Slot& b) {
    return Utf16Less(a.name, b.name);
  });
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.prefix = ",";
    AppendQuoted(slot.name, &slot.prefix);
    slot.prefix.push_back(':');
    if (slot.role == Slot::Role::kKey) key_slot_ = i;
    if (slot.role == Slot::Role::kTimestamp) timestamp_slot_ = i;
    slot_of_name_[slot.name] = i;
  }
  guesses_.resize(kGuessed);
  found_.resize(slots_.size());
  aggregated_.resize(spec.aggregated.size());
}

RecordReader::Kind RecordReader::KindOf(Finding finding) {
  switch (finding) {
    case Finding::kCanonical:
      return Kind::kCanonical;
    case Finding::kControl:
      return Kind::kControl;
    case Finding::kKeyNotUsable:
    case Finding::kControlWithoutKey:
    case Finding::kNoKeyInBadValue:
    case Finding::kNoKeyInField:
      return Kind::kOther;
    case Finding::kSeveralControlHeaders:
    case Finding::kControlHeaderUnknown:
    case Finding::kControlTimeBad:
    case Finding::kLogTimeNegative:
    case Finding::kBeyondSkew:
    case Finding::kValueBad:
    case Finding::kKeysDiffer:
    case Finding::kTimestampBad:
    case Finding::kWindowDoesNotFit:
      return Kind::kInvalid;
  }
  return Kind::kInvalid;
}

const RecordReader::Result& RecordReader::Read(const LogRecord& record) {
  result_.kind = KindOf(Classify(record));
  return result_;
}

bool RecordReader::ReadCanonical(absl::string_view key,
                                 absl::string_view canonical, Result* result) {
  LogRecord record;
  record.log_time_ms = std::numeric_limits<int64_t>::max();
  record.key = key;
  record.value = canonical;
  *result = Read(record);
  return result->kind == Kind::kCanonical && result->canonical == canonical;
}

RecordReader::Finding RecordReader::Classify(const LogRecord& record) {
  result_ = Result();
  if (record.key.has_value()) {
    if (!IsUsableKey(*record.key)) return Finding::kKeyNotUsable;
    result_.key = *record.key;
  }
  const LogRecord::Header* control = ControlHeader(record);
  return control == nullptr ? ClassifyValue(record)
                            : ClassifyControl(record, *control);
}

RecordReader::Finding RecordReader::ClassifyControl(
    const LogRecord& record, const LogRecord::Header& control) {
  if (!record.key.has_value()) return Finding::kControlWithoutKey;
  const auto is_control = [](const LogRecord::Header& header) {
    return header.name == kControlHeader;
  };
  if (std::count_if(record.headers.begin(), record.headers.end(), is_control) !=
      1) {
    return Finding::kSeveralControlHeaders;
  }
  if (control.value != kControlWatermark) return Finding::kControlHeaderUnknown;
  if (!record.value.has_value()) return Finding::kControlTimeBad;
  const std::optional<Timestamp> time = ParseTimestamp(*record.value);
  if (!time.has_value()) return Finding::kControlTimeBad;
  if (record.log_time_ms < 0) return Finding::kLogTimeNegative;
  result_.time = *time;
  return IsWithinSkew(*time, record.log_time_ms) ? Finding::kControl
                                                 : Finding::kBeyondSkew;
}

RecordReader::Finding RecordReader::ClassifyValue(const LogRecord& record) {
  const bool parsed = record.value.has_value() && ParseValue(*record.value);
  if (!record.key.has_value() && !parsed) return Finding::kNoKeyInBadValue;
  if (!parsed) return Finding::kValueBad;

  const Found& key = found_[key_slot_];
  if (!record.key.has_value()) {
    if (key.kind != Found::Kind::kString) return Finding::kNoKeyInField;
    const absl::string_view text = TextOf(key, &key_scratch_);
    if (!IsUsableKey(text)) return Finding::kNoKeyInField;
    result_.key = text;
  } else if (key.kind == Found::Kind::kString) {
    if (TextOf(key, &key_scratch_) != *record.key) return Finding::kKeysDiffer;
  } else if (key.kind != Found::Kind::kNothing &&
             key.kind != Found::Kind::kNull) {
    return Finding::kKeysDiffer;
  }

  const std::optional<Timestamp> time = FindTimestamp();
  if (!time.has_value()) return Finding::kTimestampBad;
  result_.time = *time;
  if (record.log_time_ms < 0) return Finding::kLogTimeNegative;
  if (!IsWithinSkew(*time, record.log_time_ms)) return Finding::kBeyondSkew;
  result_.window_start_ms = WindowStartMs(*time, spec_.window_ms);
  if (!WindowFits(result_.window_start_ms, spec_.window_ms)) {
    return Finding::kWindowDoesNotFit;
  }
  WriteCanonical();
  return Finding::kCanonical;
}

bool RecordReader::ParseValue(absl::string_view value) {
  for (Found& found : found_) found.kind = Found::Kind::kNothing;
  Collector collector(this);
  parse_status_ = parser_.Parse(value, collector);
  if (!parse_status_.ok()) return false;
  if (!collector.root_is_object()) {
    parse_status_ = absl::InvalidArgumentError("the value is no object");
    return false;
  }
  return true;
}

absl::string_view RecordReader::TextOf(const Found& found,
                                       std::string* scratch) {
  if (!found.has_escapes) return found.raw;
  scratch->clear();
  AppendUnescaped({.raw = found.raw, .has_escapes = true}, scratch);
  return *scratch;
}

std::optional<Timestamp> RecordReader::FindTimestamp() {
  const Found& found = found_[timestamp_slot_];
  if (found.kind == Found::Kind::kString) {
    return ParseTimestamp(TextOf(found, &time_scratch_));
  }
  if (found.kind == Found::Kind::kNumber) {
    return TimestampFromMillisDouble(NumberFromText(found.raw));
  }
  return std::nullopt;
}

bool RecordReader::IsWithinSkew(const Timestamp& time,
                                int64_t log_time_ms) const {
  // No time reaches the year 10000, so that the sum need not go beyond it.
  const int64_t limit_ms =
      std::min(log_time_ms, kYear10000Ms) + spec_.future_skew_ms;
  const int64_t time_ms = FloorMillis(time);
  return time_ms < limit_ms ||
         (time_ms == limit_ms && time.nanos % 1'000'000 == 0);
}

void RecordReader::WriteCanonical() {
  if (canonical_.capacity() > kScratchKept) canonical_ = std::string();
  canonical_.clear();
  for (AggregatedValue& value : aggregated_) value.present = false;
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    const Found& found = found_[i];
    switch (slot.role) {
      case Slot::Role::kKey:
        Append(slot.prefix, &canonical_);
        WriteKey(found);
        break;
      case Slot::Role::kTimestamp:
        Append(slot.prefix, &canonical_);
        WriteTimestamp(found);
        break;
      case Slot::Role::kString:
        if (found.kind != Found::Kind::kString) break;
        Append(slot.prefix, &canonical_);
        AppendCanonicalString(
            {.raw = found.raw, .has_escapes = found.has_escapes}, &canonical_);
        break;
      case Slot::Role::kNumber:
        if (found.kind == Found::Kind::kNumber) WriteNumber(slot, found.raw);
        break;
      case Slot::Role::kBoolean:
        if (found.kind != Found::Kind::kTrue &&
            found.kind != Found::Kind::kFalse) {
          break;
        }
        Append(slot.prefix, &canonical_);
        Append(found.kind == Found::Kind::kTrue ? "true" : "false",
               &canonical_);
        break;
    }
  }
  canonical_[0] = '{';  // in place of the first comma
  canonical_.push_back('}');
  result_.canonical = canonical_;
  result_.aggregated = aggregated_.data();
}

void RecordReader::WriteKey(const Found& found) {
  if (found.kind == Found::Kind::kString && !found.has_escapes) {
    canonical_.push_back('"');
    Append(found.raw, &canonical_);
    canonical_.push_back('"');
  } else {
    AppendQuoted(result_.key, &canonical_);
  }
}

void RecordReader::WriteTimestamp(const Found& found) {
  canonical_.push_back('"');
  if (found.kind == Found::Kind::kString && !found.has_escapes &&
      IsCanonicalTime(found.raw)) {
    Append(found.raw, &canonical_);
  } else {
    AppendTimestamp(result_.time, &canonical_);
  }
  canonical_.push_back('"');
}

void RecordReader::WriteNumber(const Slot& slot, absl::string_view text) {
  const size_t before = canonical_.size();
  Append(slot.prefix, &canonical_);
  const size_t first = canonical_.size();
  AppendCanonicalNumberText(text, &canonical_);
  if (slot.aggregated < 0) return;
  if (!Aggregate(absl::string_view(canonical_).substr(first),
                 &aggregated_[slot.aggregated])) {
    canonical_.resize(before);  // too large to aggregate: wrongly typed
  }
}

std::optional<RecordProblem> RecordReader::Explain(const LogRecord& record) {
  constexpr absl::string_view kUsableKeys =
      "1 to 128 bytes of UTF-8 without control characters";
  constexpr absl::string_view kTimestamps =
      "RFC 3339 text with seconds, up to 9 fraction digits and Z or an offset, "
      "or whole milliseconds since the epoch, within the years 0000 to 9999";
  const auto shown = [](const Found& found) -> std::string {
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
  };
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
      return RecordProblem{
          "message key", "nothing",
          absl::StrCat("a message key, or a value whose ", spec_.key_field,
                       " is one; the value is not: ",
                       record.value.has_value() ? parse_status_.message()
                                                : "it is null")};
    case Finding::kNoKeyInField:
      return RecordProblem{
          spec_.key_field, shown(found_[key_slot_]),
          absl::StrCat("where there is no message key, a string of ",
                       kUsableKeys)};
    case Finding::kSeveralControlHeaders:
      return RecordProblem{header, "more than one", "one"};
    case Finding::kControlHeaderUnknown: {
      const std::optional<absl::string_view> value =
          ControlHeader(record)->value;
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
          ControlHeader(record) == nullptr ? spec_.timestamp_field : "value",
          FormatTimestamp(result_.time),
          absl::StrCat("at most ", spec_.future_skew_ms,
                       " ms (future_skew_ms) past the log time, which is ",
                       FormatTimestamp(TimestampFromMillis(
                           std::min(record.log_time_ms, kYear10000Ms - 1))))};
    case Finding::kValueBad:
      return RecordProblem{"value",
                           record.value ? ShownText(*record.value) : "null",
                           absl::StrCat("one JSON object (I-JSON); ",
                                        record.value ? parse_status_.message()
                                                     : "null is none")};
    case Finding::kKeysDiffer:
      return RecordProblem{
          spec_.key_field, shown(found_[key_slot_]),
          absl::StrCat("the message key, which is ", ShownText(*record.key),
                       ", or no such field")};
    case Finding::kTimestampBad:
      return RecordProblem{spec_.timestamp_field,
                           shown(found_[timestamp_slot_]),
                           std::string(kTimestamps)};
    case Finding::kWindowDoesNotFit:
      return RecordProblem{
          spec_.timestamp_field, FormatTimestamp(result_.time),
          absl::StrCat("a time whose window of ", spec_.window_ms,
                       " ms begins and ends within the years 0000 to 9999")};
  }
  return std::nullopt;
}

bool IsUsableKey(absl::string_view key) {
  if (key.empty() || key.size() > kKeyMax) return false;
  bool ascii = true;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
    ascii = ascii && byte < 0x80;
  }
  return ascii || IsValidUtf8(key);
}

int64_t WindowStartMs(const Timestamp& time, int64_t window_ms) {
  const int64_t time_ms = FloorMillis(time);
  const int64_t into = time_ms % window_ms;
  return time_ms - into - (into < 0 ? window_ms : 0);
}

bool WindowFits(int64_t start_ms, int64_t window_ms) {
  // Its end is written into checkpoints, so it lies within the years as well.
  return start_ms >= kYear0Ms && start_ms < kYear10000Ms - window_ms;
}

}  // namespace windproof
