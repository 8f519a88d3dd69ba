// The keys under which window-hash keeps things in RocksDB.
//
// Source: docs/formats/window-store.md. Names end with a zero byte, which none
// of them can contain: so the order of bytes is the order of names, and a name
// never runs into its neighbour. Numbers are big-endian; those that can be
// negative have the sign bit turned over.
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_STORE_KEYS_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_STORE_KEYS_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/record_log/record_log.h"

namespace windproof {

// One partition as one pipeline reads it.
struct PipelineSource {
  std::string pipeline;
  TopicPartition source;

  friend auto operator<=>(const PipelineSource&,
                          const PipelineSource&) = default;
};

// One revision of a closed window. The source is part of it, so that a key
// which wrongly comes from two partitions cannot overwrite its own windows.
struct WindowKey {
  std::string pipeline;
  std::string key;
  int64_t start_ms = 0;
  int64_t revision = 0;
  TopicPartition source;

  friend bool operator==(const WindowKey&, const WindowKey&) = default;
};

// A place in a key's outbox (number: seq) or among its dropped records
// (number: offset).
struct KeyedNumber {
  PipelineSource source;
  std::string key;
  int64_t number = 0;

  friend bool operator==(const KeyedNumber&, const KeyedNumber&) = default;
};

// An open window of a partition.
struct OpenWindowKey {
  PipelineSource source;
  std::string key;
  int64_t start_ms = 0;

  friend bool operator==(const OpenWindowKey&, const OpenWindowKey&) = default;
};

// Whether a name can be part of a store key: not empty, without a zero byte.
bool IsStorableName(absl::string_view name);

// Whether a window can start at `start_ms`: in the years 0000 to 9999.
bool IsWindowStart(int64_t start_ms);

// Column families `checkpoints` and `payloads`: pipeline 0 key 0 start revision
// topic 0 partition.
// Decoding gives nothing where the bytes are no key of a window.
std::string EncodeWindowKey(const WindowKey& window);
std::optional<WindowKey> DecodeWindowKey(absl::string_view bytes);

// What all windows of a pipeline, of a key, of a start begin with.
std::string PipelinePrefix(absl::string_view pipeline);
std::string KeyPrefix(absl::string_view pipeline, absl::string_view key);
std::string WindowPrefix(absl::string_view pipeline, absl::string_view key,
                         int64_t start_ms);

// The first byte string above all that begin with `prefix`, which must not be
// empty nor end in 0xff.
std::string PrefixEnd(std::string prefix);

// Column families `outbox` and `dropped`: pipeline 0 key 0 topic 0 partition
// number.
std::string EncodeKeyedNumber(const PipelineSource& source,
                              absl::string_view key, int64_t number);
std::optional<KeyedNumber> DecodeKeyedNumber(absl::string_view bytes);

// Column family `open`: pipeline 0 topic 0 partition key 0 start.
std::string SourcePrefix(const PipelineSource& source);
std::string EncodeOpenWindowKey(const PipelineSource& source,
                                absl::string_view key, int64_t start_ms);
std::optional<OpenWindowKey> DecodeOpenWindowKey(absl::string_view bytes);

// Column family `state`: a letter, then what it is about.
std::string FormatStateKey();                                 // f
std::string PipelineStateKey(absl::string_view pipeline);     // s pipeline
std::string PartitionStateKey(const PipelineSource& source);  // p source
std::string PartitionStatePrefix(absl::string_view pipeline);
std::optional<PipelineSource> DecodePartitionStateKey(absl::string_view bytes);
std::string ChangelogOffsetKey(const PipelineSource& source);  // c source
std::string KeyStatePrefix(const PipelineSource& source);      // k source
std::string KeyStateKey(const PipelineSource& source,          // k source key
                        absl::string_view key);
// The key of a KeyStateKey() that begins with `prefix`.
std::optional<std::string> DecodeKeyStateKey(absl::string_view prefix,
                                             absl::string_view bytes);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_STORE_KEYS_H_
