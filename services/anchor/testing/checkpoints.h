// Checkpoints for tests: they parse and chain, and stand for no records.
#ifndef WINDPROOF_SERVICES_ANCHOR_TESTING_CHECKPOINTS_H_
#define WINDPROOF_SERVICES_ANCHOR_TESTING_CHECKPOINTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"

namespace windproof {

// The hours of 2026-01-25, one window each.
inline constexpr int64_t kTestHourMs = 3'600'000;
inline constexpr int64_t kTestStartMs = 1'769'299'200'000;

// The checkpoint of pipeline `weather` that follows `before` (null: the first
// of its key): the closing of hour `seq`.
inline Checkpoint NextCheckpoint(absl::string_view key,
                                 const Checkpoint* before) {
  Checkpoint next;
  next.pipeline = "weather";
  next.key = std::string(key);
  next.topic = "weather." + next.key;
  next.seq = before == nullptr ? 0 : before->seq + 1;
  if (before != nullptr) next.prev = Sha256Of(EncodeCheckpoint(*before));
  next.aggregates = {{"temperature", 6, 3.1, 3.9, 3.483333}};
  next.dropped_root = Sha256Of("");
  next.root = Sha256Of(next.key + std::to_string(next.seq));
  next.positions_sha256 = Sha256Of("[]");
  next.spec = Sha256Of("spec");
  next.records = 6;
  next.offsets_begin = next.scan_begin = 6 * next.seq;
  next.offsets_end = next.scan_end = next.scan_low = 6 * next.seq + 6;
  next.scan.accepted = 6;
  next.window_start_ms = kTestStartMs + next.seq * kTestHourMs;
  next.window_end_ms = next.window_start_ms + kTestHourMs;
  next.watermark = TimestampFromMillis(next.window_end_ms + 1'200'000);
  return next;
}

// The first `count` checkpoints of a key.
inline std::vector<Checkpoint> CheckpointChain(absl::string_view key,
                                               int count) {
  std::vector<Checkpoint> chain;
  for (int i = 0; i < count; ++i) {
    chain.push_back(
        NextCheckpoint(key, chain.empty() ? nullptr : &chain.back()));
  }
  return chain;
}

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_TESTING_CHECKPOINTS_H_
