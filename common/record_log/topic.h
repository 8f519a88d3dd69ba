// Topic names, and which partition of a topic a record belongs to.
//
// Both as in Kafka, so that a log can move there and its records stay where
// they were. Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_RECORD_LOG_TOPIC_H_
#define WINDPROOF_COMMON_RECORD_LOG_TOPIC_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace windproof {

inline constexpr size_t kMaxTopicSize = 249;

// OK for 1 to 249 of `a-z A-Z 0-9 . _ -`, but not `.` and `..`.
// InvalidArgument names the topic and what is accepted.
absl::Status CheckTopicName(absl::string_view topic);

// The partition, in [0, partitions), of a record with this message key: that of
// Kafka's own producer in Java (murmur2). A record without a key always goes to
// partition 0: its key stands in its value, which a log does not look into, and
// a key must not spread over several partitions.
int32_t PartitionOfKey(const std::optional<absl::string_view>& key,
                       int32_t partitions);

// MurmurHash2 (32 bits) with Kafka's seed.
uint32_t Murmur2(absl::string_view bytes);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_TOPIC_H_
