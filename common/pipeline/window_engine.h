// The window engine: a deterministic state machine over one partition.
//
// Feed it the records of the partition in offset order; closed windows and
// dropped records come out. Nothing but the records' content decides what comes
// out: no clock, no batch size, no restart.
//
// Source: docs/formats/ ("Classes and closing", "State and restart").
// Pure: no I/O, no clock, no thread. An engine belongs to one thread.
#ifndef WINDPROOF_COMMON_PIPELINE_WINDOW_ENGINE_H_
#define WINDPROOF_COMMON_PIPELINE_WINDOW_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/engine_output.h"
#include "common/pipeline/engine_state.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_records.h"

namespace windproof {

class WindowEngine {
 public:
  // `spec` must be valid; it and `written` must outlive the engine.
  WindowEngine(const PipelineSpec& spec, absl::string_view topic,
               int32_t partition, WrittenWindows& written);
  ~WindowEngine();
  WindowEngine(const WindowEngine&) = delete;
  WindowEngine& operator=(const WindowEngine&) = delete;

  // A partition that the pipeline reads for the first time, from `origin` on.
  // Call either this or the Restore functions, before anything else.
  void Begin(int64_t origin);

  // Restart, in this order: the partition, then each key with the dropped
  // records of its scan in order of offset, then each spill. Then feed the log
  // from next_offset() on; below position nothing is counted, written or
  // dropped, and there is nothing to commit. DataLoss: a stored canonical
  // record is none.
  void RestorePartition(const PartitionState& state);
  absl::Status RestoreKey(const KeyState& key, std::vector<PendingDrop> drops);
  absl::Status RestoreSpill(const Spill& spill);

  // Where to read on. After a restore: the lowest offset that has to be fed,
  // which is low_water, or the last record's offset where that is lower and the
  // log still keeps it (so that its hash is compared). Else the position.
  int64_t next_offset() const;

  // Takes the next record; offsets rise, holes are gaps. Appends to `output`.
  //
  // DataLoss: the log is not the one that was read before (another record at
  // the last offset, a key's open records are fewer or more than its state
  // says); the partition must stop. InvalidArgument: an offset that does not
  // rise. Any error of `written`. After an error the engine is of no more use.
  absl::Status Feed(const LogRecord& record, EngineOutput* output);

  // Tells that the log has been read up to `offset` (exclusive) even where its
  // last offsets hold no record. Ends a restart's rereading when it reaches the
  // saved position. Errors as of Feed().
  absl::Status AdvanceTo(int64_t offset);

  // True while records below the saved position are read again.
  bool rereading() const;

  // The state after everything fed so far: the partition's, and that of the
  // keys touched since the last call. As it was restored while rereading().
  PartitionState partition_state() const;
  std::vector<KeyState> TakeTouchedKeys();

  // Open windows whose lowest offset lies more than `max_lag` behind the
  // position, to be stored in `open`; from then on they no longer hold L. A key
  // and start that was spilled before is replaced.
  std::vector<Spill> TakeSpills(int64_t max_lag);

  // Keys and starts of spilled windows written since the last call: what is
  // stored of them in `open` is no longer needed.
  std::vector<std::pair<std::string, int64_t>> TakeEndedSpills();

  int64_t open_windows() const;
  int64_t keys() const;

  // The start of a window that is open and not yet written.
  bool IsOpen(absl::string_view key, int64_t window_start_ms) const;

  // What became of the record that was fed last, for tests and tools. `other`
  // and `control` have no DropReason.
  enum class Class {
    kAccepted,
    kConflict,
    kControl,
    kDuplicate,
    kInvalid,
    kLate,
    kOther,
    kReread
  };
  Class last_class() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_WINDOW_ENGINE_H_
