// The open windows of a partition, and how far they hold back its low-water
// mark: where a restart reads on.
//
// Source: docs/formats/ ("State and restart"). Pure; single-owner.
#ifndef WINDPROOF_COMMON_PIPELINE_OPEN_WINDOWS_H_
#define WINDPROOF_COMMON_PIPELINE_OPEN_WINDOWS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/engine_state.h"
#include "common/pipeline/key_stream.h"
#include "common/pipeline/open_window.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_writer.h"

namespace windproof {

class OpenWindows {
 public:
  // `spec` must outlive it.
  explicit OpenWindows(const PipelineSpec& spec) : spec_(spec) {}

  // When a watermark closes the window that starts there.
  Timestamp ClosesAt(int64_t window_start_ms) const {
    return TimestampFromMillis(window_start_ms + spec_.window_ms +
                               spec_.grace_ms);
  }

  // The window of `key` that starts there; it is opened for the record at
  // `offset` where it is not open.
  OpenWindow& At(KeyStream* key, int64_t start_ms, int64_t offset);

  // Puts a record whose time is not there into `window`, one of `key`. False
  // where the window would exceed 4 GiB.
  bool Put(KeyStream* key, OpenWindow* window, int64_t offset,
           const RecordReader::Result& read);

  // Takes the windows of `key` that its watermark has passed, in order of
  // start.
  void CloseAll(KeyStream* key, std::vector<Writing>* writings);

  // The lowest offset that an open window needs of the log, else `position`.
  int64_t LowWater(int64_t position) const {
    return holds_.empty() ? position : holds_.begin()->first;
  }

  // As WindowEngine::TakeSpills and TakeEndedSpills.
  std::vector<Spill> TakeSpills(int64_t position, int64_t max_lag);
  std::vector<std::pair<std::string, int64_t>> TakeEndedSpills() {
    return std::exchange(ended_spills_, {});
  }

  // `window`, of records below `position`, is stored: it holds nothing back.
  void MarkSpilled(OpenWindow* window, int64_t position);

  // What is stored of that window is of no use any more.
  void EndSpill(const KeyStream& key, int64_t start_ms) {
    ended_spills_.emplace_back(key.name, start_ms);
  }

  int64_t size() const { return size_; }

 private:
  void Hold(KeyStream* key, int64_t start_ms, OpenWindow* window,
            int64_t offset);
  void Release(OpenWindow* window);
  Writing Close(KeyStream* key, int64_t start_ms, OpenWindow* window);

  const PipelineSpec& spec_;
  // Offset → the window that needs it: the first of its records which no spill
  // holds. Each record is in one window, so no two need the same offset.
  absl::btree_map<int64_t, std::pair<KeyStream*, int64_t>> holds_;
  std::vector<std::pair<std::string, int64_t>> ended_spills_;
  int64_t size_ = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_OPEN_WINDOWS_H_
