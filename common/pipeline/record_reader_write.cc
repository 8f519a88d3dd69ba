// The part of RecordReader that writes canonical records.
#include <cassert>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/field_number.h"
#include "common/pipeline/record_reader.h"

namespace windproof {
namespace {

// A longer canonical record does not keep its room.
constexpr size_t kRoomKept = size_t{1} << 16;

// Whether a text that ParseTimestamp takes is the canonical form for sure:
// YYYY-MM-DDThh:mm:ssZ. An escape makes the text of a JSON string longer.
constexpr size_t kCanonicalTimeSize = 20;
bool IsCanonicalTime(absl::string_view text) {
  return text.size() == kCanonicalTimeSize && text[10] == 'T' &&
         text[19] == 'Z';
}

char* Put(absl::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace

void RecordReader::WriteCanonical() {
  MakeRoom();
  for (AggregatedValue& value : aggregated_) value.present = false;
  char* out = canonical_.data();
  for (size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    const Found& found = found_[i];
    switch (slot.role) {
      case Slot::Role::kKey:
        out = PutKey(found, PutPrefix(slot, out));
        break;
      case Slot::Role::kTimestamp:
        out = PutTimestamp(found, PutPrefix(slot, out));
        break;
      case Slot::Role::kString:
        if (found.kind == Found::Kind::kString) {
          out = PutString(found, PutPrefix(slot, out));
        }
        break;
      case Slot::Role::kNumber:
        if (found.kind == Found::Kind::kNumber) {
          out = PutNumberMember(slot, found.raw, out);
        }
        break;
      case Slot::Role::kBoolean:
        if (found.kind == Found::Kind::kTrue) {
          out = Put("true", PutPrefix(slot, out));
        } else if (found.kind == Found::Kind::kFalse) {
          out = Put("false", PutPrefix(slot, out));
        }
        break;
    }
  }
  canonical_[0] = '{';  // in place of the first comma
  *out++ = '}';
  result_.canonical =
      absl::string_view(canonical_.data(), out - canonical_.data());
  result_.aggregated = aggregated_.data();
}

void RecordReader::MakeRoom() {
  // RFC 8785 makes no string longer than a document had it.
  size_t room = room_;
  for (const Found& found : found_) {
    if (found.kind == Found::Kind::kString) room += found.raw.size();
  }
  if (room > canonical_.size() || canonical_.size() > kRoomKept) {
    canonical_ = std::string(room, '\0');
  }
}

char* RecordReader::PutPrefix(const Slot& slot, char* out) {
  for (size_t i = 0; i < slot.prefix.size(); i += kPrefixUnit) {
    std::memcpy(out + i, slot.prefix.data() + i, kPrefixUnit);
  }
  return out + slot.prefix_size;
}

char* RecordReader::PutKey(const Found& found, char* out) {
  if (found.kind == Found::Kind::kString) return PutString(found, out);
  scratch_.clear();
  AppendQuoted(result_.key, &scratch_);
  return Put(scratch_, out);
}

char* RecordReader::PutTimestamp(const Found& found, char* out) {
  *out++ = '"';
  if (found.kind == Found::Kind::kString && IsCanonicalTime(found.raw)) {
    out = Put(found.raw.substr(0, kCanonicalTimeSize), out);
  } else {
    scratch_.clear();
    AppendTimestamp(result_.time, &scratch_);
    out = Put(scratch_, out);
  }
  *out++ = '"';
  return out;
}

char* RecordReader::PutString(const Found& found, char* out) {
  if (!found.has_escapes) {
    *out++ = '"';
    out = Put(found.raw, out);
    *out++ = '"';
    return out;
  }
  scratch_.clear();
  AppendCanonicalString({.raw = found.raw, .has_escapes = true}, &scratch_);
  assert(scratch_.size() <= found.raw.size() + 2);
  return Put(scratch_, out);
}

char* RecordReader::PutNumberMember(const Slot& slot, absl::string_view text,
                                    char* out) {
  char* const number = PutPrefix(slot, out);
  if (slot.aggregated < 0) return PutNumber(text, number, &scratch_);
  char* const end = PutAggregatedNumber(text, number, &scratch_,
                                        &aggregated_[slot.aggregated]);
  return end == nullptr ? out : end;  // too large: wrongly typed
}

}  // namespace windproof
