// What the record log of a stopped server holds defines what must be: the
// checkpoints of an engine that reads it without any interruption.
#ifndef WINDPROOF_TESTS_FAULT_LOG_TRUTH_H_
#define WINDPROOF_TESTS_FAULT_LOG_TRUTH_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"
#include "common/record_log/record_log.h"

namespace windproof {

// By topic, in offset order; each has partition 0 alone.
using LogContent = std::map<std::string, std::vector<OwnedRecord>>;

// Reads the log in folder `path`, which no process may have open.
absl::StatusOr<LogContent> ReadLog(const std::string& path);

// One partition of any log, up to where it ends now.
absl::StatusOr<std::vector<OwnedRecord>> ReadPartition(
    RecordLog& log, const TopicPartition& source);

// A checkpoint as its bytes, by what they are about.
struct CheckpointRow {
  std::string key;
  int64_t window_start_ms = 0;
  int64_t revision = 0;
  std::string bytes;

  friend auto operator<=>(const CheckpointRow&, const CheckpointRow&) = default;
};

// The checkpoints of each key in order of seq.
using CheckpointsByKey = std::map<std::string, std::vector<CheckpointRow>>;

absl::StatusOr<CheckpointsByKey> Recompute(const PipelineSpec& spec,
                                           const LogContent& log);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_FAULT_LOG_TRUTH_H_
