// Turns the records of one partition into closed windows on the disk: the
// window engine, and the store that it works on.
//
// A batch of records is one commit: windows, signatures, outbox entries,
// dropped records and state together. The next batch continues where the last
// commit ended, in this process or the next one, with the same bytes.
//
// With a changelog, each commit is there before it is in the store; while the
// changelog cannot be written, Process() waits and tries again.
//
// Source: docs/formats/ ("State and restart").
// Thread-safe; Process() is called by one thread at a time, and what is asked
// meanwhile waits for the engine, not for the changelog.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_PARTITION_WORKER_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_PARTITION_WORKER_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/ed25519.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"
#include "services/window_hash/changelog.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

// Who signs checkpoints.
struct CheckpointSigner {
  std::string name;  // as in C2SP signed-note
  Ed25519PrivateKey key;
};

// How far a partition is. Everything below `state.position` is committed.
struct PartitionStatus {
  PipelineSource source;
  PartitionState state;
  int64_t open_windows = 0;
  int64_t keys = 0;
  int64_t checkpoints = 0;  // written so far, in all runs
  bool rereading = false;
  absl::Status error;  // not OK: why it stopped
};

// Of this run.
struct PartitionCounters {
  static constexpr size_t kClasses = 8;  // of WindowEngine::Class
  std::array<int64_t, kClasses> records{};
  int64_t windows = 0;
  int64_t commits = 0;
  int64_t commit_ns = 0;  // in signing and writing, summed up
};

class PartitionWorker final : private WrittenWindows {
 public:
  struct Options {
    // An open window that holds the low-water mark further back than this many
    // offsets is stored in `open`.
    int64_t spill_max_lag = 1'000'000;
    // Called after each commit that wrote windows, before the new position can
    // be seen.
    std::function<void(const PipelineSource&, const CommittedWindows&)>
        on_windows;
    // Told once why the partition stopped. Must not call back.
    std::function<void(const PipelineSource&, const absl::Status&)> on_stop;
    // Told when the changelog cannot be written; then it is tried again after
    // `changelog_pause`. Must not call back.
    std::function<void(const PipelineSource&, const absl::Status&)> on_wait;
    std::chrono::milliseconds changelog_pause{500};
  };

  // What a partition is opened with.
  struct Opening {
    // Where it begins if it was never read before: the log's first offset.
    int64_t origin = 0;
    // How many partitions its topic has; stored with it.
    int32_t topic_partitions = 1;
    std::unique_ptr<Changelog> changelog;  // null: none
  };

  // Restores what is stored of the partition, or begins at its origin and
  // stores that. `spec`, `store` and `signer` must outlive the worker. With a
  // changelog the store is brought to where that ends before; Cancelled where
  // its on_progress says so.
  static absl::StatusOr<std::unique_ptr<PartitionWorker>> Open(
      const Options& options, const PipelineSpec& spec,
      const PipelineSource& source, Opening opening, PayloadStore& store,
      const CheckpointSigner& signer);

  const PipelineSource& source() const { return source_; }

  // Where the log has to be read from: WindowEngine::next_offset().
  int64_t next_offset() const;

  // Feeds and commits a batch. An error stops the partition: it is returned
  // again by every further call, and nothing of the batch is stored.
  absl::Status Process(const RecordBatch& batch);

  // Stops the partition with a reason, unless it has stopped already.
  void Stop(const absl::Status& error);

  // Ends the work for good, without a reason to tell: another process goes on.
  // Waits for a Process() that is on, whose batch may be left unfinished.
  void Close();

  PartitionStatus status() const;
  PartitionCounters counters() const;

  // Whether the window has records and is not yet written.
  bool IsOpen(absl::string_view key, int64_t window_start_ms) const;

 private:
  PartitionWorker(const Options& options, const PipelineSpec& spec,
                  const PipelineSource& source, Opening opening,
                  PayloadStore& store, const CheckpointSigner& signer);

  // Says in the changelog where the partition begins, unless it says so.
  absl::Status FirstCommit();
  absl::Status Restore(const PartitionState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Feed(const RecordBatch& batch) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Commit() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<PreparedCommit> Prepare(PartitionState* state,
                                         std::vector<std::string>* signatures)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Until it is in the changelog. Cancelled: the worker is closed.
  absl::Status AppendToChangelog(int64_t begin, int64_t end,
                                 PreparedCommit* commit);
  void Fail(const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // WrittenWindows, called by the engine while it is fed.
  absl::StatusOr<std::optional<NewestRevision>> Newest(
      absl::string_view key, int64_t window_start_ms) override;

  const Options options_;
  const PipelineSource source_;
  const Opening opening_;
  PayloadStore& store_;
  const CheckpointSigner& signer_;

  Mutex process_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);  // held by Process()
  mutable Mutex mutex_;
  CondVar closing_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  WindowEngine engine_ ABSL_GUARDED_BY(mutex_);
  // Not committed yet. Only Process() and what it calls use it.
  EngineOutput output_;
  PartitionStatus status_ ABSL_GUARDED_BY(mutex_);
  PartitionCounters counters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_PARTITION_WORKER_H_
