#include "common/pipeline/log_record.h"

#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr int32_t kNullLength = -1;
// A header with an empty name and no value: two lengths.
constexpr size_t kMinHeaderSize = 8;

char* PutInt32(int32_t value, char* out) {
  const uint32_t bits = static_cast<uint32_t>(value);
  out[0] = static_cast<char>(bits >> 24);
  out[1] = static_cast<char>(bits >> 16);
  out[2] = static_cast<char>(bits >> 8);
  out[3] = static_cast<char>(bits);
  return out + 4;
}

char* PutInt64(int64_t value, char* out) {
  const uint64_t bits = static_cast<uint64_t>(value);
  return PutInt32(static_cast<int32_t>(bits),
                  PutInt32(static_cast<int32_t>(bits >> 32), out));
}

char* PutBytes(absl::string_view bytes, char* out) {
  out = PutInt32(static_cast<int32_t>(bytes.size()), out);
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

char* PutNullable(const std::optional<absl::string_view>& bytes, char* out) {
  return bytes.has_value() ? PutBytes(*bytes, out) : PutInt32(kNullLength, out);
}

size_t SizeOf(const std::optional<absl::string_view>& bytes) {
  return 4 + (bytes.has_value() ? bytes->size() : 0);
}

size_t RawSize(const LogRecord& record) {
  size_t size = 8 + SizeOf(record.key) + SizeOf(record.value) + 4;
  for (const LogRecord::Header& header : record.headers) {
    size += 4 + header.name.size() + SizeOf(header.value);
  }
  return size;
}

// Writes RawSize(record) bytes.
void PutRawRecord(const LogRecord& record, char* out) {
  out = PutInt64(record.log_time_ms, out);
  out = PutNullable(record.key, out);
  out = PutNullable(record.value, out);
  out = PutInt32(static_cast<int32_t>(record.headers.size()), out);
  for (const LogRecord::Header& header : record.headers) {
    out = PutBytes(header.name, out);
    out = PutNullable(header.value, out);
  }
}

// Takes raw bytes apart from the front. Each Read answers false where the
// bytes do not hold what is asked for.
class RawReader {
 public:
  explicit RawReader(absl::string_view raw) : rest_(raw) {}

  bool ReadInt32(int32_t* value) {
    if (rest_.size() < 4) return false;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; ++i) {
      bits = bits << 8 | static_cast<uint8_t>(rest_[i]);
    }
    *value = static_cast<int32_t>(bits);
    rest_.remove_prefix(4);
    return true;
  }

  bool ReadInt64(int64_t* value) {
    int32_t high;
    int32_t low;
    if (!ReadInt32(&high) || !ReadInt32(&low)) return false;
    *value = static_cast<int64_t>(
        static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32 |
        static_cast<uint32_t>(low));
    return true;
  }

  bool ReadNullable(std::optional<absl::string_view>* bytes) {
    int32_t length;
    if (!ReadInt32(&length)) return false;
    if (length == kNullLength) {
      bytes->reset();
      return true;
    }
    if (length < 0 || static_cast<size_t>(length) > rest_.size()) return false;
    *bytes = rest_.substr(0, static_cast<size_t>(length));
    rest_.remove_prefix(static_cast<size_t>(length));
    return true;
  }

  size_t remaining() const { return rest_.size(); }

 private:
  absl::string_view rest_;
};

absl::Status Malformed(int64_t offset, absl::string_view part) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the raw record at offset ", offset, " has no well-formed ", part,
      "; log time, key, value and headers are accepted, each with its length"));
}

}  // namespace

void AppendRawRecord(const LogRecord& record, std::string* out) {
  const size_t begin = out->size();
  out->resize(begin + RawSize(record));
  PutRawRecord(record, out->data() + begin);
}

void AssignRawRecord(const LogRecord& record, std::string* out) {
  out->resize(RawSize(record));
  PutRawRecord(record, out->data());
}

Digest RecordHash(const LogRecord& record) {
  std::string raw;
  AppendRawRecord(record, &raw);
  return Sha256Of(raw);
}

absl::StatusOr<LogRecord> ParseRawRecord(int64_t offset,
                                         absl::string_view raw) {
  RawReader reader(raw);
  LogRecord record;
  record.offset = offset;
  if (!reader.ReadInt64(&record.log_time_ms)) {
    return Malformed(offset, "log time");
  }
  if (!reader.ReadNullable(&record.key)) return Malformed(offset, "key");
  if (!reader.ReadNullable(&record.value)) return Malformed(offset, "value");

  int32_t headers;
  // The bound keeps a damaged count from asking for memory.
  if (!reader.ReadInt32(&headers) || headers < 0 ||
      static_cast<size_t>(headers) > reader.remaining() / kMinHeaderSize) {
    return Malformed(offset, "number of headers");
  }
  record.headers.resize(static_cast<size_t>(headers));
  for (LogRecord::Header& header : record.headers) {
    std::optional<absl::string_view> name;
    if (!reader.ReadNullable(&name) || !name.has_value()) {
      return Malformed(offset, "header name");
    }
    header.name = *name;
    if (!reader.ReadNullable(&header.value)) {
      return Malformed(offset, "header value");
    }
  }
  if (reader.remaining() != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the raw record at offset ", offset, " is followed by ",
                     reader.remaining(), " bytes; none are accepted"));
  }
  return record;
}

}  // namespace windproof
