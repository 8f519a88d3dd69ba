// Puts checkpoints on a ledger, each once, and says so only of what it has read
// back.
//
// Source: DESIGN.md promise 4, docs/formats/ ("Checkpoint", "Ledger"). What is
// on the ledger decides everything: the anchorer keeps no store, only what it
// has read there of each key (seq, hash and source of the last checkpoint).
#ifndef WINDPROOF_SERVICES_ANCHOR_ANCHORER_H_
#define WINDPROOF_SERVICES_ANCHOR_ANCHORER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/sync/mutex.h"
#include "services/anchor/ledger.h"

namespace windproof {

// A checkpoint as its producer hands it in.
struct Submission {
  std::string checkpoint;  // the exact bytes
  std::string signature;   // the producer's, 64 bytes
  std::string signer;      // name of the producer's verifier key
};

struct AnchorReceipt {
  enum class State {
    kPublished,  // on the ledger, with fewer confirmations than required
    kAnchored,   // read back byte-equal, with enough of them
  };

  Digest checkpoint_sha256{};
  State state = State::kPublished;
  std::string txid;
  int64_t vout = 0;
  int64_t position = 0;
  int64_t confirmations = 0;
  int64_t time_ms = 0;
  std::string ledger;
};

// Two checkpoints of one window and revision.
struct Equivocation {
  std::string window;  // pipeline/key/start
  int64_t revision = 0;
  Digest anchored{};  // the first on the ledger, which counts
  Digest other{};
};

// Thread-safe.
class Anchorer {
 public:
  struct Options {
    int64_t confirmations_required = 1;
    // Checkpoints in calls that wait or run; beyond this, Unavailable.
    int64_t pending_max = 16'384;
    // Told of each equivocation that was tried or found on the ledger. Called
    // while a batch is handled: must be quick and must not call back.
    std::function<void(const Equivocation&)> on_equivocation;
  };

  struct Counters {
    int64_t anchored = 0;       // checkpoints published and read back
    int64_t repeated = 0;       // submitted again
    int64_t refused = 0;        // calls with an error of the submitter's
    int64_t failed = 0;         // calls that failed for another reason
    int64_t equivocations = 0;  // tried here, or found on the ledger
    // Ledger items that are no checkpoint or do not follow their key's last.
    int64_t foreign_items = 0;
    // Ledger items that wait for one that stands behind them.
    int64_t ahead = 0;
    int64_t keys = 0;     // known
    int64_t pending = 0;  // in calls that wait or run now
  };

  // `ledger` must outlive the Anchorer.
  Anchorer(Options options, Ledger& ledger);

  // Reads the ledger from its beginning. Called by Submit() if it was not
  // before; at start it keeps the first call short. Unavailable: the ledger
  // cannot be read.
  absl::Status CatchUp();
  // The same of what the ledger knows without asking anybody: equivocations and
  // foreign items are noticed when they come, not with the next call.
  absl::Status CatchUpWithKnown();

  // Anchors the checkpoints in the order given, all of them or, where one is
  // refused, none. Idempotent: what is on the ledger already gets its receipt
  // and is not published again.
  //
  // InvalidArgument: not a checkpoint; the message names index and member.
  // AlreadyExists: the window and revision have another checkpoint on the
  // ledger or in the batch; the message names both hashes. FailedPrecondition:
  // the key's seq or prev does not follow, or the key is known from another
  // source; the message names what was expected. Unavailable: the ledger cannot
  // be reached or too many wait. The same call again is safe, whatever became
  // of this one. DataLoss: the ledger is broken.
  absl::StatusOr<std::vector<AnchorReceipt>> Submit(
      absl::Span<const Submission> batch);

  Counters counters();

 private:
  // What the ledger says of one key.
  struct KeyState {
    int64_t seq = -1;  // of its last checkpoint; -1: none that follows
    Digest hash{};
    std::string topic;
    int32_t partition = 0;
    // No item of the key, whether it follows or not, is of a later window.
    int64_t latest_start_ms = std::numeric_limits<int64_t>::min();

    // A checkpoint whose predecessor was not read yet: an item that a chain
    // lost comes again behind its successors. Seq and prev decide what follows.
    struct Ahead {
      Checkpoint checkpoint;  // without its aggregates
      Digest hash{};
    };
    std::multimap<int64_t, Ahead> ahead;  // by seq

    void Follow(const Checkpoint& checkpoint, const Digest& checkpoint_hash);
  };

  // One checkpoint of a batch.
  struct Candidate {
    const Submission* submission = nullptr;
    Checkpoint checkpoint;
    Digest hash{};
    std::optional<AnchorReceipt> receipt;
    // Index of an equal one earlier in the batch.
    std::optional<size_t> same_as;

    bool IsNew() const { return !receipt.has_value() && !same_as.has_value(); }
  };
  // Checkpoints of a batch by window and revision, so that it is checked
  // against itself too.
  struct Batch {
    std::vector<Candidate> candidates;
    std::map<std::pair<std::string, int64_t>, size_t> by_window;
    std::map<std::string, KeyState> keys;
  };

  absl::StatusOr<Batch> Parse(absl::Span<const Submission> submissions);

  absl::Status ReadNewItems() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ReadItemsOf(const LedgerState& state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Learn(const LedgerItem& item) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::StatusOr<std::vector<AnchorReceipt>> SubmitLocked(Batch& batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Publishes the candidates that have no receipt and reads them back.
  absl::Status PublishNew(Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Finds the candidate's receipt on the ledger, or leaves it new when it may
  // be published.
  absl::Status Admit(size_t index, Batch& batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LookUp(const std::string& window, Candidate& candidate)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether it follows one that stands on the ledger and waits itself for an
  // earlier one, which is on its way.
  static bool FollowsAhead(const Checkpoint& checkpoint, const KeyState* state);
  // Keeps what stands before its predecessor; false where it is none, or too
  // many are kept.
  bool KeepAhead(const Checkpoint& checkpoint, const Digest& hash,
                 KeyState* state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets those follow whose predecessor is there now.
  void FollowAhead(KeyState* state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Calls `visit` for each item under the window's key, until it is false.
  absl::Status ForEachItem(
      const std::string& window,
      absl::FunctionRef<bool(const LedgerItem& item)> visit);
  static absl::Status CheckFollows(const Checkpoint& checkpoint,
                                   const KeyState* state);
  AnchorReceipt ReceiptOf(const LedgerItem& item, const Digest& hash) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Reports the equivocation that a ledger item makes with an earlier one.
  void CompareWithEarlier(const LedgerItem& item, const Checkpoint& checkpoint)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Report(const Equivocation& found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  Ledger& ledger_;
  std::atomic<int64_t> pending_{0};

  Mutex mutex_;  // one batch at a time: order on the ledger is order of calls
  std::string ledger_name_ ABSL_GUARDED_BY(mutex_);
  int64_t next_position_ ABSL_GUARDED_BY(mutex_) = 0;  // first not read
  absl::flat_hash_map<std::string, KeyState> keys_ ABSL_GUARDED_BY(mutex_);
  int64_t ahead_ ABSL_GUARDED_BY(mutex_) = 0;  // kept, of all keys
  // What the running Submit() publishes and waits to read back, by hash.
  absl::flat_hash_map<Digest, Candidate*> awaited_ ABSL_GUARDED_BY(mutex_);

  Mutex counters_mutex_;  // never held while another is taken
  Counters counters_ ABSL_GUARDED_BY(counters_mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_ANCHORER_H_
