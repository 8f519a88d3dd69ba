// The state of a window engine that a restart needs.
//
// Source: docs/formats/ ("State and restart"). Values; thread-compatible.
#ifndef WINDPROOF_COMMON_PIPELINE_ENGINE_STATE_H_
#define WINDPROOF_COMMON_PIPELINE_ENGINE_STATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/window_records.h"

namespace windproof {

// The saved state of a key.
struct KeyState {
  // A late record that waits to amend its window.
  struct Waiting {
    int64_t offset = 0;
    std::string canonical;
    Digest record_hash{};
  };

  std::string key;
  std::optional<Timestamp> watermark;
  int64_t seq = 0;  // of the next checkpoint
  Digest prev{};
  int64_t begin = 0;  // of the scan that runs
  int64_t seen_at_begin = 0;
  ScanCounts counts;             // gap and other unused
  int64_t records_in_open = 0;   // records in open windows
  std::vector<Waiting> waiting;  // by offset
};

// The saved state of a partition.
struct PartitionState {
  int64_t origin = 0;
  int64_t seen = 0;
  int64_t position = 0;      // P: next offset to read
  int64_t low_water = 0;     // L: where a restart reads on
  int64_t last_offset = -1;  // of the last record read; -1: none
  Digest last_record_hash{};
};

// An open window written to `open`, so that it no longer holds L.
struct Spill {
  std::string key;
  int64_t window_start_ms = 0;
  int64_t position = 0;   // P when it was written
  WindowRecords records;  // leaf hashes unused
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_ENGINE_STATE_H_
