// What the ledger knows of its stream: the mirror of it on disk, kept as the
// node's chain is, and whether the node can be used.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_VIEW_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_VIEW_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "common/sync/mutex.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/change_log.h"
#include "services/anchor/multichain/mirror_store.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/stream_mirror.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/multichain/stream_sync.h"

namespace windproof {

// Whose stream a folder is about, for people.
std::string StreamNameOf(const MultiChainConfig& config);

// Thread-safe.
class StreamView {
 public:
  struct Options {
    MultiChainConfig config;
    std::function<int64_t()> steady_ms;  // never goes back. Required.
    // Told what an operator must know. Thread-safe. May be empty.
    std::function<void(absl::string_view)> warn;
    // Asked once the node is the one that is meant; what it answers makes the
    // node unusable. May be empty.
    std::function<absl::Status()> also_check;
  };

  // What was read before is there at once. `node` must outlive it. Unavailable,
  // DataLoss: the store's.
  static absl::StatusOr<std::unique_ptr<StreamView>> Open(
      Options options, std::unique_ptr<MirrorStore> store, StreamNode& node);

  // Checks the node where that is due, and reads what is new; `thorough` is
  // StreamSync's.
  absl::Status Refresh(bool thorough) ABSL_LOCKS_EXCLUDED(sync_mutex_);
  // After a failure that another check may explain.
  void CheckAgain() ABSL_LOCKS_EXCLUDED(sync_mutex_);

  // Runs `use` while nobody changes the mirror.
  absl::Status Use(const std::function<absl::Status(const StreamMirror&)>& use);
  // OK once the stream has been read, now or by another process before.
  absl::Status Readable();
  // The txid that created the stream; empty until it is known.
  std::string create_txid();

  // What became lost since the last time: the hashes of the data.
  std::vector<Digest> TakeLost();
  // Warns of what waits for too long.
  void WatchWaiting();
  // Counters of the stream, and its size; `confirmations` and so on are not
  // set.
  void Describe(LedgerState* state);
  // Why the node cannot be used, as it was last; empty while it can. Asks
  // nobody: a call that hangs is seen by its silence.
  std::string Problem();

  // Positions of the items of up to `count` changes from number `*from` on,
  // which is moved to where to go on, and to the next one where it is below 0.
  // `missed`: there were more before. `at_end`: there are none behind.
  std::vector<int64_t> Changes(int64_t count, int64_t* from, bool* missed,
                               bool* at_end);

  // As Ledger's.
  bool WaitForGrowth(int64_t size,
                     std::chrono::steady_clock::time_point deadline);
  void StopWaiting();
  // Until StopWaiting() or `deadline`; false once stopped.
  bool Sleep(std::chrono::steady_clock::time_point deadline);

 private:
  StreamView(Options options, std::unique_ptr<MirrorStore> store,
             std::unique_ptr<StreamMirror> mirror, StreamNode& node);

  // Sees whether the mirror is of the stream that is configured.
  absl::Status CheckMirror();
  absl::Status CheckStream(const StreamInfo& stream)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(sync_mutex_);
  absl::Status RefreshLocked(bool thorough)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(sync_mutex_);
  void NoteHealth(const absl::Status& status);
  absl::Status NoteChange(const StreamSync::Result& result);
  // Writes down which items stand otherwise.
  absl::Status LogChanges(const StreamSync::Result& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Warn(absl::string_view line) const;

  const Options options_;
  StreamNode& node_;

  // Taken in this order.
  Mutex sync_mutex_;  // one reader of the node's list at a time
  StreamSync sync_ ABSL_GUARDED_BY(sync_mutex_);
  bool checked_ ABSL_GUARDED_BY(sync_mutex_) = false;

  Mutex mutex_;
  CondVar changed_;
  const std::unique_ptr<MirrorStore> store_;
  const std::unique_ptr<StreamMirror> mirror_ ABSL_PT_GUARDED_BY(mutex_);
  // Why the mirror is not to be used: it is another stream's.
  std::string other_stream_ ABSL_GUARDED_BY(mutex_);
  std::string create_txid_ ABSL_GUARDED_BY(mutex_);
  absl::Status health_ ABSL_GUARDED_BY(mutex_) =
      absl::UnavailableError("the node has not been asked yet");
  std::string told_problem_ ABSL_GUARDED_BY(mutex_);
  int64_t healthy_ms_ ABSL_GUARDED_BY(mutex_) = 0;  // when it was so last
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;     // grows with each change
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Digest> lost_ ABSL_GUARDED_BY(mutex_);
  ChangeLog changes_ ABSL_GUARDED_BY(mutex_);
  // Of the chain, when changes were noted last.
  int64_t noted_height_ ABSL_GUARDED_BY(mutex_) = -1;
  int64_t next_alarm_ms_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_VIEW_H_
