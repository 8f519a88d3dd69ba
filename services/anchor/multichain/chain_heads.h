// The heads of a log that stand on a block chain: read from it, and held
// against the log.
//
// Source: docs/formats/ledger.md (batched mode). A head is an item of the chain
// under LedgerHeadsKey(origin) whose data are a note that the log's key has
// signed. One of another root than the log had at its size, or of more entries
// than the log has, is a conflict: the log was lost, put back from an older
// copy, or another one is signed with the same key.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHAIN_HEADS_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHAIN_HEADS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/signed_note.h"
#include "common/sync/mutex.h"
#include "services/anchor/embedded_ledger.h"
#include "services/anchor/ledger.h"

namespace windproof {

// Thread-safe.
class ChainHeads {
 public:
  struct Options {
    VerifierKey key;  // the log's
    // From how many confirmations on a head is taken to stay for good.
    int64_t buried = 101;
    // Told what an operator must know, one line each.
    std::function<void(absl::string_view)> warn;
  };

  // Both must outlive it.
  ChainHeads(Options options, EmbeddedLedger& log, Ledger& chain);

  // Reads what is new on the chain, and again what is not buried yet. Errors
  // are those of chain and log. Whether the heads differ from those before.
  absl::StatusOr<bool> Update();

  // Entries below the largest head on the chain.
  int64_t published_size();
  // That largest head, without its item.
  std::optional<LedgerHead> newest();
  // What the conflicts mean, and what to do; empty where there are none.
  std::string broken();
  // Items under the key that are no head of the log's key.
  int64_t foreign();

  // Confirmations of the first head that covers the entry at each of the
  // positions, which rise; 0 where none does.
  absl::StatusOr<std::vector<int64_t>> Confirmations(
      absl::Span<const int64_t> positions);

  // The largest head with at least so many confirmations; where there is none,
  // the largest; nothing where none is on the chain. With its item and
  // evidence.
  absl::StatusOr<std::optional<LedgerHead>> Choose(int64_t min_confirmations);

  // With their items; the evidence only where it can be had.
  absl::StatusOr<std::vector<LedgerHead>> Conflicts();

 private:
  // A head on the chain.
  struct Place {
    int64_t size = 0;      // entries
    int64_t position = 0;  // on the chain
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  enum class Kind { kOurs, kConflict, kForeign };
  struct Seen {
    Kind kind = Kind::kForeign;
    int64_t size = 0;
  };

  absl::StatusOr<Seen> Judge(const LedgerItem& item)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(update_mutex_);
  void NoteConflict(const LedgerItem& item, LedgerHead head, std::string why)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // The item at a position of the chain; nothing where it is lost.
  absl::StatusOr<std::optional<LedgerItem>> ItemAt(int64_t position,
                                                   bool with_evidence);

  const Options options_;
  EmbeddedLedger& log_;
  Ledger& chain_;
  const std::string key_text_;  // under which heads stand

  Mutex update_mutex_;  // one reader at a time
  // Before this position of the chain all is buried.
  int64_t tail_ ABSL_GUARDED_BY(update_mutex_) = 0;
  // What is known of the items from there on.
  std::map<int64_t, Seen> seen_ ABSL_GUARDED_BY(update_mutex_);
  int64_t buried_foreign_ ABSL_GUARDED_BY(update_mutex_) = 0;

  Mutex mutex_;
  std::vector<Place> heads_ ABSL_GUARDED_BY(mutex_);  // sorted
  std::optional<LedgerHead> newest_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, LedgerHead> conflicts_ ABSL_GUARDED_BY(mutex_);
  std::string broken_ ABSL_GUARDED_BY(mutex_);
  int64_t foreign_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CHAIN_HEADS_H_
