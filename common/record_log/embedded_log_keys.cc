#include "common/record_log/embedded_log_keys.h"

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr size_t kPartitionSize = 4;
constexpr size_t kOffsetSize = 8;

void AppendBigEndian(uint64_t bits, size_t size, std::string* out) {
  for (size_t i = size; i > 0; --i) {
    out->push_back(static_cast<char>(bits >> (8 * (i - 1))));
  }
}

uint64_t ReadBigEndian(absl::string_view bytes) {
  uint64_t bits = 0;
  for (const char c : bytes) bits = bits << 8 | static_cast<uint8_t>(c);
  return bits;
}

}  // namespace

std::string TopicKey(absl::string_view topic) {
  return absl::StrCat(kEmbeddedLogTopicPrefix, topic);
}

std::string PartitionCountValue(int32_t partitions) {
  std::string value;
  AppendBigEndian(static_cast<uint32_t>(partitions), kPartitionSize, &value);
  return value;
}

std::optional<int32_t> ParsePartitionCount(absl::string_view value) {
  if (value.size() != kPartitionSize) return std::nullopt;
  const int32_t partitions =
      static_cast<int32_t>(static_cast<uint32_t>(ReadBigEndian(value)));
  if (partitions < 1) return std::nullopt;
  return partitions;
}

std::string RecordKey(const TopicPartition& source, int64_t offset) {
  std::string key;
  key.reserve(source.topic.size() + 1 + kPartitionSize + kOffsetSize);
  key.append(source.topic);
  key.push_back('\0');
  AppendBigEndian(static_cast<uint32_t>(source.partition), kPartitionSize,
                  &key);
  AppendBigEndian(static_cast<uint64_t>(offset), kOffsetSize, &key);
  return key;
}

void SetRecordKeyOffset(int64_t offset, std::string* key) {
  const uint64_t bits = static_cast<uint64_t>(offset);
  char* const end = key->data() + key->size();
  for (size_t i = 0; i < kOffsetSize; ++i) {
    end[-1 - static_cast<ptrdiff_t>(i)] = static_cast<char>(bits >> (8 * i));
  }
}

std::optional<RecordPlace> ParseRecordKey(absl::string_view key) {
  const size_t zero = key.find('\0');
  if (zero == absl::string_view::npos || zero == 0 ||
      key.size() != zero + 1 + kPartitionSize + kOffsetSize) {
    return std::nullopt;
  }
  RecordPlace place;
  place.source.topic = std::string(key.substr(0, zero));
  place.source.partition = static_cast<int32_t>(
      static_cast<uint32_t>(ReadBigEndian(key.substr(zero + 1, 4))));
  place.offset = static_cast<int64_t>(
      ReadBigEndian(key.substr(zero + 1 + kPartitionSize)));
  if (place.source.partition < 0 || place.offset < 0) return std::nullopt;
  return place;
}

std::optional<int64_t> ParseRecordOffset(absl::string_view key) {
  if (key.size() < kOffsetSize) return std::nullopt;
  const int64_t offset =
      static_cast<int64_t>(ReadBigEndian(key.substr(key.size() - kOffsetSize)));
  if (offset < 0) return std::nullopt;
  return offset;
}

}  // namespace windproof
