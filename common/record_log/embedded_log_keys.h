// What the embedded log stores under which key: for the log itself, and for
// tools that look into a stopped store.
//
// One RocksDB database, default column family:
//   "\0format"               -> kEmbeddedLogFormat
//   "\0topic\0" topic        -> number of its partitions, int32 big-endian
//   topic "\0" partition (int32 BE) offset (int64 BE) -> raw record
// A topic name holds no zero byte and is not empty, so the three never collide,
// and a partition's records lie side by side in offset order. The raw record is
// that of common/pipeline/log_record.h: its SHA-256 is the record hash.
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_KEYS_H_
#define WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/record_log/record_log.h"

namespace windproof {

// The views hold zero bytes, hence their lengths.
inline constexpr absl::string_view kEmbeddedLogFormatKey("\0format", 7);
inline constexpr absl::string_view kEmbeddedLogFormat =
    "windproof record log 1";
inline constexpr absl::string_view kEmbeddedLogTopicPrefix("\0topic\0", 7);

std::string TopicKey(absl::string_view topic);
std::string PartitionCountValue(int32_t partitions);
// Nothing where `value` is no count of at least 1.
std::optional<int32_t> ParsePartitionCount(absl::string_view value);

std::string RecordKey(const TopicPartition& source, int64_t offset);

// Writes another offset into a key of RecordKey().
void SetRecordKeyOffset(int64_t offset, std::string* key);

// The source and offset of a record's key; nothing where it is no such key.
struct RecordPlace {
  TopicPartition source;
  int64_t offset = 0;
};
std::optional<RecordPlace> ParseRecordKey(absl::string_view key);

// The offset alone, where the source is known to be right: fast.
std::optional<int64_t> ParseRecordOffset(absl::string_view key);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_LOG_KEYS_H_
