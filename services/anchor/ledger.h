// An append-only public record of checkpoints, outside the control of those who
// write to it.
//
// Each item has data, keys under which it can be found, and a position from 0.
// Keys are an index and no more: what an item is about is what its data says.
// EmbeddedLedger implements it; FaultyLedger wraps one for tests; each passes
// ledger_contract.h.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/merkle/proof.h"

namespace windproof {

// What a publisher hands in.
struct LedgerDraft {
  std::vector<std::string> keys;  // 1 to 16, each 1 to 1,024 bytes
  std::string data;               // up to 1 MiB
  std::string signer;             // who signed `data`, and how; may be empty,
  std::string signature;          // each up to 1,024 bytes
};

// What stands on the ledger.
struct LedgerItem {
  int64_t position = 0;
  std::string txid;
  std::vector<std::string> keys;
  std::string data;
  std::string signer;
  std::string signature;
  std::string publisher;
  int64_t confirmations = 0;
  int64_t time_ms = 0;  // since the epoch, by the ledger's clock

  // Only of a ledger that is a tree: the exact bytes of which the tree's leaf
  // is the hash, and where asked for, the way to the head that comes with the
  // item. An entry that was altered so that it cannot be read has no data and
  // keys.
  std::string entry;
  std::optional<InclusionProof> inclusion;
};

// The newest signed head of a ledger that is a tree.
struct LedgerHead {
  std::string note;  // C2SP tlog-checkpoint
  int64_t size = 0;
  Digest root{};
};

struct LedgerQuery {
  int64_t first = 0;         // no item before this position
  int64_t max_items = 1000;  // at least one comes, where there is one
  int64_t max_bytes = 2 << 20;
  bool with_inclusion = false;
};

struct LedgerPage {
  std::vector<LedgerItem> items;  // in order of position
  // Where to go on: the `first` of the next query.
  int64_t next = 0;
  // Whether there was nothing beyond the items when they were read.
  bool at_end = true;
  std::optional<LedgerHead> head;
};

struct LedgerState {
  std::string kind;  // `embedded`
  std::string name;  // identity; embedded: the origin line of its heads
  int64_t size = 0;  // items, also those not yet confirmed
  std::optional<LedgerHead> head;
  std::string broken;  // why it takes no more writes; empty while it does
};

// Thread-safe.
class Ledger {
 public:
  virtual ~Ledger() = default;

  // Appends the items in the order given and returns their transaction ids once
  // the ledger has accepted them; accepted is not yet confirmed.
  //
  // InvalidArgument: an item is too big or has no key; none was appended.
  // Unavailable: the outcome is unknown, any number of the first items may be
  // there; look them up before another try.
  // DataLoss: the ledger was found broken; none was appended.
  virtual absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> items) = 0;

  // Items that carry `key`.
  virtual absl::StatusOr<LedgerPage> Find(absl::string_view key,
                                          const LedgerQuery& query) = 0;

  // All items.
  virtual absl::StatusOr<LedgerPage> Read(const LedgerQuery& query) = 0;

  virtual absl::StatusOr<LedgerState> State() = 0;

  // Blocks until there are more than `size` items or more confirmations than at
  // the call, StopWaiting() was called, or `deadline` has passed. Returns
  // whether there are more than `size` items.
  virtual bool WaitForGrowth(
      int64_t size, std::chrono::steady_clock::time_point deadline) = 0;

  // Ends all WaitForGrowth() now and from now on: for shutdown.
  virtual void StopWaiting() = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_H_
