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
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_records.h"

namespace windproof {

// One revision of a window that was written.
struct WrittenWindow {
  Checkpoint checkpoint;
  std::string bytes;         // EncodeCheckpoint(checkpoint)
  Digest checkpoint_hash{};  // SHA-256(bytes)
  WindowRecords records;
};

// A record that went into no window. `raw` (AppendRawRecord) is filled where
// the record is reported for the first time and empty where only its reason
// changed, or it was accepted after all.
struct DroppedRecord {
  enum class Change { kDropped, kReasonChanged, kAcceptedAfterAll };

  Change change = Change::kDropped;
  std::string key;
  int64_t offset = 0;
  DropReason reason = DropReason::kInvalid;
  bool waiting = false;  // late, and waiting to amend its window
  Digest record_hash{};
  std::string raw;
};

// What feeding caused, in order; the caller commits it in one transaction
// together with TakeState(), then clears it.
struct EngineOutput {
  std::vector<WrittenWindow> windows;
  std::vector<DroppedRecord> dropped;

  void Clear() {
    windows.clear();
    dropped.clear();
  }
};

// Newest revision of a window, for an amendment.
struct NewestRevision {
  int64_t revision = 0;
  Digest checkpoint_hash{};
  WindowRecords records;
};

// Where the engine finds windows that it has written. Must also know those of
// the EngineOutput that is not committed yet.
class WrittenWindows {
 public:
  virtual ~WrittenWindows() = default;

  // Nothing where the window was never written. An error stops the partition.
  virtual absl::StatusOr<std::optional<NewestRevision>> Newest(
      absl::string_view key, int64_t window_start_ms) = 0;
};

// The saved state of a key: docs/formats/ "State and restart".
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
