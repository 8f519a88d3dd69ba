// What the window engine keeps of one key.
//
// Source: docs/formats/ ("Classes and closing"). Pure; single-owner.
#ifndef WINDPROOF_COMMON_PIPELINE_KEY_STREAM_H_
#define WINDPROOF_COMMON_PIPELINE_KEY_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/engine_state.h"
#include "common/pipeline/open_window.h"
#include "common/pipeline/window_records.h"

namespace windproof {

// Later than any watermark.
inline constexpr Timestamp kNever{std::numeric_limits<int64_t>::max(), 0};

// A late record that waits to amend its window.
struct WaitingRecord {
  KeyState::Waiting saved;
  Timestamp time;
  int64_t window_start_ms = 0;
};

struct KeyStream {
  std::string name;
  std::optional<Timestamp> watermark;
  int64_t seq = 0;  // of the next checkpoint
  Digest prev{};
  int64_t begin = 0;  // of the scan that runs
  int64_t seen_at_begin = 0;
  ScanCounts counts;
  std::vector<PendingDrop> drops;  // of the scan that runs, by offset
  std::vector<WaitingRecord> waiting;

  // Kept by OpenWindows.
  absl::btree_map<int64_t, OpenWindow> open;  // by start
  absl::btree_set<int64_t> lows;              // low_offset() of each of `open`
  Timestamp next_close = kNever;              // of the first of `open`
  int64_t records_in_open = 0;
  OpenWindow::Room room;  // what the window that was closed last needed

  int64_t records_in_open_saved = 0;  // what a restart has to find again
  bool touched = false;               // since its state was taken

  bool HasPassed(const Timestamp& time) const { return watermark >= time; }
  void Advance(const Timestamp& time) {
    if (watermark < time) watermark = time;
  }
  int64_t& CountOf(DropReason reason);
  KeyState State() const;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_KEY_STREAM_H_
