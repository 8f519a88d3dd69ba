// A record as it stands in the record log, and its bytes.
//
// Source: docs/formats/ ("Trees and hashes", record hash). Pure.
#ifndef WINDPROOF_COMMON_PIPELINE_LOG_RECORD_H_
#define WINDPROOF_COMMON_PIPELINE_LOG_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace windproof {

// Views into memory that somebody else keeps.
struct LogRecord {
  struct Header {
    absl::string_view name;
    std::optional<absl::string_view> value;  // Kafka allows null
  };

  int64_t offset = 0;       // >= 0
  int64_t log_time_ms = 0;  // of the log, not the event
  std::optional<absl::string_view> key;
  std::optional<absl::string_view> value;
  std::vector<Header> headers;
};

// The raw record: log time (8 bytes) || key || value || number of headers (4)
// || name || value of each; key, value, name: length (4), then the bytes; null
// is length -1; signed big-endian integers. The offset is not part of it.
void AppendRawRecord(const LogRecord& record, std::string* out);

// As AppendRawRecord, in place of what `out` holds; its memory is used again.
void AssignRawRecord(const LogRecord& record, std::string* out);

// SHA-256 of the raw record.
Digest RecordHash(const LogRecord& record);

// Reads a raw record; the views point into `raw`. InvalidArgument where the
// bytes are anything else.
absl::StatusOr<LogRecord> ParseRawRecord(int64_t offset, absl::string_view raw);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_LOG_RECORD_H_
