// What the window engine puts out, and where it looks up what it put out.
//
// Source: docs/formats/ ("Classes and closing"). Values; thread-compatible.
#ifndef WINDPROOF_COMMON_PIPELINE_ENGINE_OUTPUT_H_
#define WINDPROOF_COMMON_PIPELINE_ENGINE_OUTPUT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
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
// together with the engine's state, then clears it.
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

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_ENGINE_OUTPUT_H_
