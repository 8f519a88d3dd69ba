// A window that is not written yet: its records by time, and what a checkpoint
// will say of them.
//
// Pure; single-owner.
#ifndef WINDPROOF_COMMON_PIPELINE_OPEN_WINDOW_H_
#define WINDPROOF_COMMON_PIPELINE_OPEN_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/aggregate.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/window_records.h"

namespace windproof {

class OpenWindow {
 public:
  // How much is made room for at once; more comes when it is needed.
  struct Room {
    size_t records = 0;
    size_t bytes = 0;
  };

  // A window of `aggregated` aggregated fields whose first record will be the
  // one at `low_offset`.
  OpenWindow(size_t aggregated, int64_t low_offset, const Room& room);

  // The canonical bytes of the record of that time; nothing where there is
  // none.
  std::optional<absl::string_view> Find(const Timestamp& time) const;

  // Adds a record whose time is not there. False where the window would exceed
  // 4 GiB; it is unchanged then.
  bool Add(int64_t offset, const RecordReader::Result& record);

  size_t size() const { return in_order_.size() + behind_.size(); }

  // The room that it used, or less: a window of unusual size asks for no more
  // in the next.
  Room UsedRoom() const;

  // The offset of its first record, the lowest: offsets only rise.
  int64_t low_offset() const { return low_offset_; }

  std::vector<Checkpoint::Aggregate> Aggregates(
      const std::vector<std::string>& names) const {
    return aggregator_.Finish(names);
  }

  // Its records in leaf order, without leaf hashes. TakeRecords leaves nothing.
  WindowRecords CopyRecords() const;
  WindowRecords TakeRecords();

  // The offset that keeps the low-water mark back, if any; and the position at
  // its spill, if it was spilled. Kept here for OpenWindows.
  std::optional<int64_t> hold;
  std::optional<int64_t> spilled_at;

 private:
  // Where a record lies in bytes_.
  struct Slot {
    Timestamp time;
    int64_t offset = 0;
    uint32_t begin = 0;
    uint32_t size = 0;
  };

  std::vector<WindowRecords::Entry> Entries() const;

  int64_t low_offset_;
  // Most records come in order of time; those that came behind a later one are
  // kept apart, so that they cost no more than a search.
  std::vector<Slot> in_order_;
  absl::btree_map<Timestamp, Slot> behind_;
  std::string bytes_;  // in order of arrival
  Aggregator aggregator_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_OPEN_WINDOW_H_
