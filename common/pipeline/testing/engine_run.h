// Runs a window engine over a log held in memory, committing and restarting
// where a test says so, as a partition worker would over its store.
#ifndef WINDPROOF_COMMON_PIPELINE_TESTING_ENGINE_RUN_H_
#define WINDPROOF_COMMON_PIPELINE_TESTING_ENGINE_RUN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"

namespace windproof {

// A record that owns its bytes.
struct OwnedRecord {
  int64_t offset = 0;
  int64_t log_time_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;

  LogRecord View() const;
};

class EngineRun : public WrittenWindows {
 public:
  // `spec` must outlive the run.
  EngineRun(const PipelineSpec& spec, absl::string_view topic,
            int32_t partition, int64_t origin);

  // Feeds records; nothing is committed.
  absl::Status Feed(absl::Span<const OwnedRecord> records);

  // Commits what was fed so far.
  void Commit();

  // Forgets what was not committed and everything in memory; restores a new
  // engine from what was committed and feeds it `log` from where it asks to,
  // up to the committed position.
  absl::Status Restart(absl::Span<const OwnedRecord> log);

  // Moves open windows that lag more than `max_lag` into the store, as part of
  // the next commit.
  void SpillOnCommit(int64_t max_lag) { spill_lag_ = max_lag; }

  // Committed so far.
  const std::vector<WrittenWindow>& written() const { return written_; }
  const PartitionState& state() const { return partition_; }
  // Dropped records of a key, by offset, with their reason in the end.
  const std::map<std::pair<std::string, int64_t>, DropReason>& dropped() const {
    return dropped_;
  }
  WindowEngine& engine() { return *engine_; }

 private:
  absl::StatusOr<std::optional<NewestRevision>> Newest(
      absl::string_view key, int64_t window_start_ms) override;

  const PipelineSpec& spec_;
  const std::string topic_;
  const int32_t partition_number_;
  std::unique_ptr<WindowEngine> engine_;
  EngineOutput output_;
  std::optional<int64_t> spill_lag_;

  // The store.
  PartitionState partition_;
  std::map<std::string, KeyState> keys_;
  std::map<std::pair<std::string, int64_t>, DropReason> dropped_;
  std::map<std::pair<std::string, int64_t>, Digest> dropped_hash_;
  std::map<std::pair<std::string, int64_t>, Spill> spills_;
  std::vector<WrittenWindow> written_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_TESTING_ENGINE_RUN_H_
