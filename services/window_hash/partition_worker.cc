#include "services/window_hash/partition_worker.h"

#include <chrono>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"

namespace windproof {

PartitionWorker::PartitionWorker(const Options& options,
                                 const PipelineSpec& spec,
                                 const PipelineSource& source, Opening opening,
                                 PayloadStore& store,
                                 const CheckpointSigner& signer)
    : options_(options),
      source_(source),
      opening_(std::move(opening)),
      store_(store),
      signer_(signer),
      engine_(spec, source.source.topic, source.source.partition, *this) {
  status_.source = source;
}

absl::StatusOr<std::unique_ptr<PartitionWorker>> PartitionWorker::Open(
    const Options& options, const PipelineSpec& spec,
    const PipelineSource& source, Opening opening, PayloadStore& store,
    const CheckpointSigner& signer) {
  std::unique_ptr<PartitionWorker> worker(new PartitionWorker(
      options, spec, source, std::move(opening), store, signer));
  if (worker->opening_.changelog != nullptr) {
    const absl::Status restored = worker->opening_.changelog->Restore();
    if (!restored.ok()) return restored;
  }
  absl::StatusOr<std::optional<PartitionState>> state =
      store.LoadPartition(source);
  if (!state.ok()) return state.status();
  if (!state->has_value()) {
    const absl::Status first = worker->FirstCommit();
    if (!first.ok()) return first;
    state = store.LoadPartition(source);
    if (!state.ok()) return state.status();
  }
  MutexLock lock(worker->mutex_);
  const absl::Status restored = worker->Restore(state->value());
  if (!restored.ok()) return restored;
  return worker;
}

// Stored at once: where a pipeline began to read never changes.
absl::Status PartitionWorker::FirstCommit() {
  const int64_t origin = opening_.origin;
  const EngineOutput nothing;
  PartitionCommit commit;
  commit.output = &nothing;
  commit.topic_partitions = opening_.topic_partitions;
  commit.state = {.origin = origin, .position = origin, .low_water = origin};
  absl::StatusOr<PreparedCommit> prepared = store_.Prepare(source_, commit);
  if (!prepared.ok()) return prepared.status();
  if (opening_.changelog == nullptr) return store_.Write(&*prepared);
  const absl::Status appended =
      opening_.changelog->Append(std::nullopt, origin, &*prepared);
  if (!appended.ok()) return appended;
  // Another owner may have said so a moment before: then that counts.
  return opening_.changelog->Restore();
}

absl::Status PartitionWorker::Restore(const PartitionState& state) {
  engine_.RestorePartition(state);
  absl::Status status;
  const absl::Status keys = store_.LoadKeys(
      source_, [&](KeyState key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        if (!status.ok()) return;
        absl::StatusOr<std::vector<PendingDrop>> drops =
            store_.LoadDrops(source_, key.key, key.begin);
        if (!drops.ok()) {
          status = drops.status();
          return;
        }
        // seq is the number of the key's checkpoints.
        status_.checkpoints += key.seq;
        status = engine_.RestoreKey(key, *std::move(drops));
      });
  if (!keys.ok()) return keys;
  if (!status.ok()) return status;
  const absl::Status spills = store_.LoadSpills(
      source_, [&](const Spill& spill) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        if (status.ok()) status = engine_.RestoreSpill(spill);
      });
  if (!spills.ok()) return spills;
  if (!status.ok()) return status;
  // Where there is nothing to read again, this ends the rereading.
  status = engine_.AdvanceTo(engine_.next_offset());
  if (!status.ok()) return status;
  status_.state = state;
  status_.open_windows = engine_.open_windows();
  status_.keys = engine_.keys();
  status_.rereading = engine_.rereading();
  return absl::OkStatus();
}

int64_t PartitionWorker::next_offset() const {
  MutexLock lock(mutex_);
  return engine_.next_offset();
}

absl::Status PartitionWorker::Process(const RecordBatch& batch) {
  MutexLock process(process_mutex_);
  {
    MutexLock lock(mutex_);
    if (!status_.error.ok()) return status_.error;
  }
  const absl::Status fed = batch.status.ok() ? Feed(batch) : batch.status;
  output_.Clear();
  MutexLock lock(mutex_);
  // Not where it was stopped or closed meanwhile.
  if (!fed.ok() && status_.error.ok()) Fail(fed);
  return status_.error;
}

absl::Status PartitionWorker::Feed(const RecordBatch& batch) {
  {
    MutexLock lock(mutex_);
    for (const LogRecord& record : batch.records) {
      const absl::Status fed = engine_.Feed(record, &output_);
      if (!fed.ok()) return fed;
      ++counters_.records[static_cast<size_t>(engine_.last_class())];
    }
    const absl::Status advanced = engine_.AdvanceTo(batch.next_offset);
    if (!advanced.ok()) return advanced;
    status_.open_windows = engine_.open_windows();
    status_.keys = engine_.keys();
    status_.rereading = engine_.rereading();
    if (engine_.rereading() ||
        engine_.partition_state().position == status_.state.position) {
      return absl::OkStatus();
    }
  }
  return Commit();
}

absl::Status PartitionWorker::Commit() {
  const auto begin = std::chrono::steady_clock::now();
  PartitionState state;
  std::vector<std::string> signatures;
  absl::StatusOr<PreparedCommit> prepared = absl::InternalError("not prepared");
  int64_t position = 0;
  {
    MutexLock lock(mutex_);
    position = status_.state.position;
    prepared = Prepare(&state, &signatures);
  }
  if (!prepared.ok()) return prepared.status();
  if (opening_.changelog != nullptr) {
    const absl::Status appended =
        AppendToChangelog(position, state.position, &*prepared);
    if (!appended.ok()) return appended;
  }
  const absl::Status written = store_.Write(&*prepared);
  if (!written.ok()) return written;

  if (options_.on_windows != nullptr && !output_.windows.empty()) {
    options_.on_windows(source_, {.windows = absl::MakeSpan(output_.windows),
                                  .signatures = absl::MakeSpan(signatures),
                                  .signer = signer_.name});
  }
  MutexLock lock(mutex_);
  status_.state = state;
  status_.checkpoints += static_cast<int64_t>(output_.windows.size());
  counters_.windows += static_cast<int64_t>(output_.windows.size());
  counters_.commits += 1;
  counters_.commit_ns += std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::steady_clock::now() - begin)
                             .count();
  return absl::OkStatus();
}

absl::StatusOr<PreparedCommit> PartitionWorker::Prepare(
    PartitionState* state, std::vector<std::string>* signatures) {
  PartitionCommit commit;
  commit.output = &output_;
  commit.topic_partitions = opening_.topic_partitions;
  commit.signer = signer_.name;
  signatures->reserve(output_.windows.size());
  for (const WrittenWindow& window : output_.windows) {
    signatures->push_back(signer_.key.Sign(window.bytes));
  }
  commit.signatures = *signatures;
  commit.ended_spills = engine_.TakeEndedSpills();
  commit.spills = engine_.TakeSpills(options_.spill_max_lag);
  commit.keys = engine_.TakeTouchedKeys();
  commit.state = engine_.partition_state();
  *state = commit.state;
  return store_.Prepare(source_, commit);
}

absl::Status PartitionWorker::AppendToChangelog(int64_t begin, int64_t end,
                                                PreparedCommit* commit) {
  bool told = false;
  while (true) {
    {
      MutexLock lock(mutex_);
      if (closed_) return absl::CancelledError("the partition was given up");
    }
    const absl::Status appended =
        opening_.changelog->Append(begin, end, commit);
    if (!absl::IsUnavailable(appended) &&
        !absl::IsResourceExhausted(appended)) {
      return appended;
    }
    if (!told && options_.on_wait != nullptr) {
      options_.on_wait(source_, appended);
    }
    told = true;
    MutexLock lock(mutex_);
    if (!closed_) {
      closing_.WaitUntil(
          mutex_, std::chrono::steady_clock::now() + options_.changelog_pause);
    }
  }
}

void PartitionWorker::Close() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
    closing_.NotifyAll();
    if (status_.error.ok()) {
      status_.error = absl::CancelledError("the partition was given up");
    }
  }
  MutexLock process(process_mutex_);
}

void PartitionWorker::Stop(const absl::Status& error) {
  MutexLock lock(mutex_);
  if (status_.error.ok()) Fail(error);
}

void PartitionWorker::Fail(const absl::Status& error) {
  status_.error = error;
  if (options_.on_stop != nullptr) options_.on_stop(source_, error);
}

PartitionStatus PartitionWorker::status() const {
  MutexLock lock(mutex_);
  return status_;
}

PartitionCounters PartitionWorker::counters() const {
  MutexLock lock(mutex_);
  return counters_;
}

bool PartitionWorker::IsOpen(absl::string_view key,
                             int64_t window_start_ms) const {
  MutexLock lock(mutex_);
  return engine_.IsOpen(key, window_start_ms);
}

absl::StatusOr<std::optional<NewestRevision>> PartitionWorker::Newest(
    absl::string_view key, int64_t window_start_ms) {
  // Of what is not committed yet, the last one is the newest.
  for (auto window = output_.windows.rbegin(); window != output_.windows.rend();
       ++window) {
    if (window->checkpoint.window_start_ms == window_start_ms &&
        window->checkpoint.key == key) {
      return NewestRevision{.revision = window->checkpoint.revision,
                            .checkpoint_hash = window->checkpoint_hash,
                            .records = window->records};
    }
  }
  return store_.Newest(source_, key, window_start_ms);
}

}  // namespace windproof
