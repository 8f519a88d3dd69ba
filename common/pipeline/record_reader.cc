#include "common/pipeline/record_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>

#include "common/canonical/json_value.h"
#include "common/canonical/number.h"
#include "common/pipeline/text.h"

namespace windproof {
namespace {

constexpr size_t kKeyMax = 128;
constexpr int64_t kYear0Ms = kYear0Seconds * 1000;
constexpr int64_t kYear10000Ms = kYear10000Seconds * 1000;

// How many members of a value have a guess; further ones are looked up.
constexpr size_t kGuessed = 64;

// Whether `name` is `raw`. Most names have 8 to 16 bytes, which two loads each
// compare without a call.
bool SameName(const std::string& name, absl::string_view raw) {
  const size_t size = name.size();
  if (size != raw.size()) return false;
  if (size < 8 || size > 16) {
    return std::memcmp(name.data(), raw.data(), size) == 0;
  }
  uint64_t first[2];
  uint64_t last[2];
  std::memcpy(&first[0], name.data(), 8);
  std::memcpy(&first[1], raw.data(), 8);
  std::memcpy(&last[0], name.data() + size - 8, 8);
  std::memcpy(&last[1], raw.data() + size - 8, 8);
  return first[0] == first[1] && last[0] == last[1];
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
        if (SameName(slots_[guess].name, name.raw)) {
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
  static_assert(kMemberRoom >= 2 * kKeyMax + 2);
  static_assert(kMemberRoom > kNumberSizeMax);
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
    slot.prefix_size = slot.prefix.size();
    const size_t units = (slot.prefix_size + kPrefixUnit - 1) / kPrefixUnit;
    slot.prefix.resize(units * kPrefixUnit, ' ');
    room_ += slot.prefix.size() + kMemberRoom;
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
  const LogRecord::Header* control = FindControlHeader(record);
  return control == nullptr ? ClassifyValue(record)
                            : ClassifyControl(record, *control);
}

const LogRecord::Header* RecordReader::FindControlHeader(
    const LogRecord& record) {
  for (const LogRecord::Header& header : record.headers) {
    if (header.name == kControlHeader) return &header;
  }
  return nullptr;
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
    return ParseTimestamp(TextOf(found, &scratch_));
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
