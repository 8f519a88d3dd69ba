// Checkpoints: the bytes that are hashed, signed and anchored for each revision
// of a closed window.
//
// Source: docs/formats/ ("Checkpoint"): RFC 8785 JSON, 64-bit positions as
// strings, ranges half-open. Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_PIPELINE_CHECKPOINT_H_
#define WINDPROOF_COMMON_PIPELINE_CHECKPOINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"

namespace windproof {

// The eight counts of a scan; they sum to end - begin.
struct ScanCounts {
  int64_t accepted = 0;
  int64_t conflict = 0;
  int64_t control = 0;
  int64_t duplicate = 0;
  int64_t gap = 0;
  int64_t invalid = 0;
  int64_t late = 0;
  int64_t other = 0;

  int64_t Sum() const {
    return accepted + conflict + control + duplicate + gap + invalid + late +
           other;
  }
  friend bool operator==(const ScanCounts&, const ScanCounts&) = default;
};

struct Checkpoint {
  struct Aggregate {
    std::string field;
    int64_t count = 0;  // >= 1
    double min = 0;
    double max = 0;
    double avg = 0;
    friend bool operator==(const Aggregate&, const Aggregate&) = default;
  };

  std::vector<Aggregate> aggregates;  // in RFC 8785 order of the names
  Digest dropped_root{};
  std::string key;
  int64_t offsets_begin = 0;  // lowest offset of its records
  int64_t offsets_end = 0;    // one past the highest
  std::string pipeline;
  Digest positions_sha256{};
  Digest prev{};
  int64_t records = 0;   // >= 1
  int64_t revision = 0;  // 0: the closing
  Digest root{};
  int64_t scan_begin = 0;
  int64_t scan_end = 0;
  int64_t scan_low = 0;
  ScanCounts scan;
  int64_t seq = 0;
  std::string topic;
  int32_t partition = 0;
  Digest spec{};
  std::optional<Digest> supersedes;  // revision >= 1
  Timestamp watermark;
  int64_t window_start_ms = 0;
  int64_t window_end_ms = 0;

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The exact bytes.
void AppendCheckpoint(const Checkpoint& checkpoint, std::string* out);
std::string EncodeCheckpoint(const Checkpoint& checkpoint);

// Parses the exact bytes: what parses encodes to the same bytes again.
//
// InvalidArgument: not a checkpoint; the message names the member, what was
// found and what is accepted. Unimplemented: a version or a member that these
// rules do not know, so that a verifier can say UNSUPPORTED.
absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view bytes);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_CHECKPOINT_H_
