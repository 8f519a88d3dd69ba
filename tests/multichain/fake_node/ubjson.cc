#include "tests/multichain/fake_node/ubjson.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <utility>

namespace windproof::fake_node {
namespace {

constexpr int kMaxDepth = 99;

void AppendBigEndian(uint64_t value, int bytes, std::string* out) {
  for (int i = bytes - 1; i >= 0; --i) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

template <typename T>
bool Fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() &&
         value <= std::numeric_limits<T>::max();
}

void AppendInteger(int64_t value, std::string* out) {
  const auto bits = static_cast<uint64_t>(value);
  if (Fits<int8_t>(value)) {
    out->push_back('i');
    AppendBigEndian(bits, 1, out);
  } else if (Fits<int16_t>(value)) {
    out->push_back('I');
    AppendBigEndian(bits, 2, out);
  } else if (Fits<int32_t>(value)) {
    out->push_back('l');
    AppendBigEndian(bits, 4, out);
  } else {
    out->push_back('L');
    AppendBigEndian(bits, 8, out);
  }
}

void AppendText(absl::string_view text, std::string* out) {
  AppendInteger(static_cast<int64_t>(text.size()), out);
  out->append(text.data(), text.size());
}

bool Encode(const Json& value, int depth, std::string* out) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      out->push_back('Z');
      return true;
    case Json::Kind::kBool:
      out->push_back(value.AsBool() ? 'T' : 'F');
      return true;
    case Json::Kind::kInt:
      AppendInteger(value.AsInt(), out);
      return true;
    case Json::Kind::kUint:
      AppendInteger(static_cast<int64_t>(value.AsUint()), out);
      return true;
    case Json::Kind::kDouble:
      out->push_back('D');
      AppendBigEndian(std::bit_cast<uint64_t>(value.AsDouble()), 8, out);
      return true;
    case Json::Kind::kString:
      out->push_back('S');
      AppendText(value.AsString(), out);
      return true;
    case Json::Kind::kArray:
    case Json::Kind::kObject:
      break;
  }
  if (depth >= kMaxDepth) return false;
  out->push_back(value.is_array() ? '[' : '{');
  for (size_t i = 0; i < value.size(); ++i) {
    if (value.is_object()) AppendText(value.name(i), out);
    if (!Encode(value.at(i), depth + 1, out)) return false;
  }
  out->push_back(value.is_array() ? ']' : '}');
  return true;
}

class Decoder {
 public:
  explicit Decoder(absl::string_view bytes) : bytes_(bytes) {}

  absl::optional<Json> Decode() {
    Json value;
    if (!Value(0, &value) || at_ != bytes_.size()) return absl::nullopt;
    return value;
  }

 private:
  bool BigEndian(size_t count, uint64_t* value) {
    if (bytes_.size() - at_ < count) return false;
    *value = 0;
    for (size_t i = 0; i < count; ++i) {
      *value = *value << 8 | static_cast<uint8_t>(bytes_[at_++]);
    }
    return true;
  }

  bool Integer(char type, int64_t* value) {
    uint64_t bits;
    switch (type) {
      case 'i':
        if (!BigEndian(1, &bits)) return false;
        *value = static_cast<int8_t>(bits);
        return true;
      case 'U':
        if (!BigEndian(1, &bits)) return false;
        *value = static_cast<uint8_t>(bits);
        return true;
      case 'I':
        if (!BigEndian(2, &bits)) return false;
        *value = static_cast<int16_t>(bits);
        return true;
      case 'l':
        if (!BigEndian(4, &bits)) return false;
        *value = static_cast<int32_t>(bits);
        return true;
      case 'L':
        if (!BigEndian(8, &bits)) return false;
        *value = static_cast<int64_t>(bits);
        return true;
      default:
        return false;
    }
  }

  bool Text(absl::string_view* text) {
    int64_t length;
    if (at_ >= bytes_.size() || !Integer(bytes_[at_++], &length) ||
        length < 0 || bytes_.size() - at_ < static_cast<size_t>(length)) {
      return false;
    }
    *text = bytes_.substr(at_, static_cast<size_t>(length));
    at_ += static_cast<size_t>(length);
    return true;
  }

  bool Container(char type, int depth, Json* value) {
    const char end = type == '[' ? ']' : '}';
    *value = type == '[' ? Json::Array() : Json::Object();
    while (at_ < bytes_.size() && bytes_[at_] != end) {
      absl::string_view name;
      Json element;
      if (type == '{' && !Text(&name)) return false;
      if (!Value(depth + 1, &element)) return false;
      if (type == '{') {
        value->Add(name, std::move(element));
      } else {
        value->Append(std::move(element));
      }
    }
    return at_++ < bytes_.size();
  }

  bool Value(int depth, Json* value) {
    if (at_ >= bytes_.size() || depth > kMaxDepth) return false;
    const char type = bytes_[at_++];
    switch (type) {
      case 'Z':
        *value = Json();
        return true;
      case 'T':
      case 'F':
        *value = Json::Bool(type == 'T');
        return true;
      case 'D': {
        uint64_t bits;
        if (!BigEndian(8, &bits)) return false;
        *value = Json::Double(std::bit_cast<double>(bits));
        return true;
      }
      case 'S': {
        absl::string_view text;
        if (!Text(&text)) return false;
        *value = Json::String(text);
        return true;
      }
      case '[':
      case '{':
        return Container(type, depth, value);
      default: {
        int64_t integer;
        if (!Integer(type, &integer)) return false;
        *value = Json::Int(integer);
        return true;
      }
    }
  }

  const absl::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace

absl::optional<std::string> EncodeUbjson(const Json& value) {
  std::string out;
  if (!Encode(value, 0, &out)) return absl::nullopt;
  return out;
}

absl::optional<Json> DecodeUbjson(absl::string_view bytes) {
  return Decoder(bytes).Decode();
}

}  // namespace windproof::fake_node
