// Brings checkpoints from the outbox to the anchor, each key's in order of seq.
//
// At least once: a checkpoint leaves the outbox only by a receipt that says
// ANCHORED, so it can be submitted again after a crash or a lost reply; the
// anchor answers the same receipt. Until then it is asked about again.
//
// Before a checkpoint leaves, its records are read back and root, positions and
// offsets computed from them anew: what is wrong on a ledger can never be
// mended. The checkpoint itself is the one that was committed, as long as there
// is room for it in memory; later, and after a call that failed, the stored
// one.
//
// The anchor away: tried again without end, in growing steps. A checkpoint that
// it refuses (equivocation, a seq that does not follow, no checkpoint at all)
// or that fails its own records stops its key; the other keys go on. A stopped
// key is tried once more at the next start.
//
// Memory: a few numbers per key that has something in the outbox, and
// Options::fresh_bytes.
// Thread-safe.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_OUTBOX_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_OUTBOX_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/sync/mutex.h"
#include "services/window_hash/checkpoint_sink.h"
#include "services/window_hash/outbox_items.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

class Outbox {
 public:
  struct Options {
    // Of one call to the anchor.
    size_t batch_checkpoints = 500;
    size_t batch_bytes = size_t{2} << 20;
    // For checkpoints just committed; the others are read from the store.
    size_t fresh_bytes = size_t{4} << 20;
    // From the begin of a call to that of the next, unless a whole batch waits:
    // a few large calls cost less than many small ones.
    std::chrono::milliseconds between_calls{20};
    // Between calls while the anchor is away: doubled from first to last.
    std::chrono::milliseconds retry_first{100};
    std::chrono::milliseconds retry_last{10'000};
    // Until the anchor is asked again about what is not yet ANCHORED.
    std::chrono::milliseconds ask_again{1'000};
    // Told when stored records do not lead to their checkpoint.
    std::function<void(const PipelineSource&, const absl::Status&)> on_damage;
    // Told when a key stops, and when calls begin to fail. Must not call back.
    std::function<void(const absl::Status&)> on_problem;
  };

  struct Counters {
    int64_t anchored = 0;
    int64_t failed_calls = 0;
    int64_t stopped_keys = 0;
  };

  // `store` and `sink` must outlive the outbox.
  Outbox(const Options& options, PayloadStore& store, CheckpointSink& sink);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Takes up what is stored in the outbox, of one partition or of all. Once
  // for each, or again after Release().
  absl::Status Load(const std::optional<PipelineSource>& source = std::nullopt);

  // Leaves a partition's checkpoints to somebody else. Waits for a call that is
  // on; what is stored stays.
  void Release(const PipelineSource& source);

  // Begins to drain.
  void Start();

  // Windows that were just committed: takes them over.
  void Add(const PipelineSource& source, const CommittedWindows& committed);

  // How many checkpoints of a pipeline wait for their receipt.
  int64_t Waiting(absl::string_view pipeline) const;

  // Why checkpoints of a pipeline do not leave; OK while they do.
  absl::Status Problem(absl::string_view pipeline) const;

  Counters counters() const;

  // Drains what is there as long as the anchor answers, at most until
  // `deadline`; then ends. Idempotent.
  void Stop(std::chrono::steady_clock::time_point deadline);

 private:
  // Seqs of one key, begin <= next <= end: those below begin have left, those
  // below next were submitted and wait to be ANCHORED.
  struct KeyQueue {
    explicit KeyQueue(size_t* room) : fresh(room) {}
    PipelineSource source;
    std::string key;
    int64_t begin = 0;
    int64_t next = 0;
    int64_t end = 0;
    bool queued = false;      // in ready_, or being submitted
    bool submitting = false;  // in a call that is on
    bool released = false;
    absl::Status stopped;
    FreshItems fresh;  // of those from next on
  };

  // What one call takes from a key: [begin, end).
  struct Slice {
    KeyQueue* queue = nullptr;
    int64_t begin = 0;
    int64_t end = 0;
    std::deque<OutboxItem> fresh;  // those that were in memory
  };

  void Run();
  // Waits for something to submit; empty: the outbox ends.
  std::vector<Slice> NextSlices();
  bool IsWholeBatchReady() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(const std::vector<Slice>& slices, const absl::Status& failure);

  // Reads a slice's checkpoints and checks them against their records; what is
  // before an error is in `items`.
  absl::Status ReadSlice(Slice* slice, size_t* bytes,
                         std::vector<OutboxItem>* items);

  // Not OK: the anchor is to be tried again later.
  absl::Status Submit(absl::Span<OutboxItem* const> items);
  absl::Status TakeReceipts(absl::Span<OutboxItem* const> items,
                            std::vector<v1::Receipt> receipts);
  absl::Status Refuse(OutboxItem* item, const absl::Status& why);

  // Made where there is none.
  KeyQueue& QueueOf(const PipelineSource& source, const std::string& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  KeyQueue* QueueOf(const OutboxItem& item)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsStopped(const OutboxItem& item);
  void StopKey(const PipelineSource& source, const std::string& key,
               const absl::Status& why);
  void Tell(const absl::Status& problem) const;

  const Options options_;
  PayloadStore& store_;
  CheckpointSink& sink_;

  mutable Mutex mutex_;
  CondVar changed_;
  size_t fresh_room_ ABSL_GUARDED_BY(mutex_);
  // Made by any thread, taken away by the draining one.
  std::map<std::pair<PipelineSource, std::string>, KeyQueue> queues_
      ABSL_GUARDED_BY(mutex_);
  std::deque<KeyQueue*> ready_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t, std::less<>> waiting_ ABSL_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point next_call_ ABSL_GUARDED_BY(mutex_);
  // Of the last call; OK once one has succeeded.
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::chrono::milliseconds retry_after_ ABSL_GUARDED_BY(mutex_){0};
  std::chrono::steady_clock::time_point retry_at_ ABSL_GUARDED_BY(mutex_);
  // Set while something is submitted but not yet ANCHORED.
  std::optional<std::chrono::steady_clock::time_point> ask_again_at_
      ABSL_GUARDED_BY(mutex_);
  Counters counters_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::chrono::steady_clock::time_point> stop_at_
      ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_OUTBOX_H_
