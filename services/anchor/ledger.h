// An append-only public record of checkpoints, outside the control of those who
// write to it.
//
// Each item has data, keys under which it can be found, and a position from 0.
// Keys are an index and no more: what an item is about is what its data says.
// On a block chain positions are those in which its reader came to know the
// items; one that a reorganisation took away for good leaves its position
// empty, and comes with another when it is published again. EmbeddedLedger,
// MultiChainLedger and BatchedLedger implement it; FaultyLedger wraps one for
// tests; each passes ledger_contract.h.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/merkle/proof.h"

namespace windproof {

// What a publisher hands in.
struct LedgerDraft {
  std::vector<std::string> keys;  // 1 to 16, each 1 to 256 bytes of UTF-8
  std::string data;               // up to 1 MiB
  std::string signer;             // who signed `data`, and how; may be empty,
  std::string signature;          // each up to 1,024 bytes
};

// Another node of the chain shows something else.
struct SplitView {
  int64_t height = 0;      // from which on
  std::string node;        // URL of the other one
  std::string block_hash;  // there, in hex
  std::string other_block_hash;
  std::string what;          // for people
  int64_t seen_ms = 0;       // when it was found, since the epoch
  bool height_only = false;  // other items in the same block, not all above
};

// Of an item on a block chain: what shows, without asking any node, that a
// block of the chain has it. Hashes in hex are as MultiChain shows them,
// backwards.
struct ChainEvidence {
  std::string chain;    // name of the chain
  std::string genesis;  // its first block's hash, in hex
  std::string stream;
  std::string stream_txid;  // that created it, in hex
  std::string transaction;  // raw; the item is its output `vout`
  std::string block_hash;   // in hex; empty while unconfirmed, as all below
  int64_t height = -1;
  std::string header;          // 80 bytes
  int64_t index = 0;           // of the transaction in its block
  std::vector<Digest> branch;  // beside the way from it to the header's root
  int64_t seen_ms = 0;         // when this was asked of the node
  // Another node does not have this block, or shows other items in it.
  std::optional<SplitView> split;
};

// What stands on the ledger.
struct LedgerItem {
  int64_t position = 0;
  // With `vout`, what tells it from all others.
  std::string txid;
  int64_t vout = 0;
  std::vector<std::string> keys;
  std::string data;
  std::string signer;
  std::string signature;
  std::string publisher;
  int64_t confirmations = 0;
  int64_t time_ms = 0;  // since the epoch, by the ledger's clock
  // Of Changes() alone: it was there, and the ledger will not have it again as
  // it is.
  bool lost = false;

  // Only of a ledger that is a tree: the exact bytes of which the tree's leaf
  // is the hash, and where asked for, the way to the head that comes with the
  // item. An entry that was altered so that it cannot be read has no data and
  // keys.
  std::string entry;
  std::optional<InclusionProof> inclusion;

  // Only of a ledger on a block chain, where `inclusion` was asked for.
  std::optional<ChainEvidence> chain;
};

// A signed head of a ledger that is a tree.
struct LedgerHead {
  std::string note;  // C2SP tlog-checkpoint
  int64_t size = 0;
  Digest root{};

  // Only of a ledger that publishes its heads on a block chain: the item there
  // whose data are the note.
  std::optional<LedgerItem> item;
};

struct LedgerQuery {
  int64_t first = 0;         // no item before this position
  int64_t max_items = 1000;  // at least one comes, where there is one
  int64_t max_bytes = 2 << 20;
  bool with_inclusion = false;
  // Of the head that comes with the items, where heads are published on a block
  // chain and there is such a one; 0: as many as the ledger asks for.
  int64_t min_confirmations = 0;
};

struct LedgerPage {
  std::vector<LedgerItem> items;  // in order of position
  // Where to go on: the `first` of the next query.
  int64_t next = 0;
  // Whether there was nothing beyond the items when they were read.
  bool at_end = true;
  // That the items' inclusion proofs lead to. Where heads are published on a
  // block chain it comes with proofs alone, and is one that stands there.
  std::optional<LedgerHead> head;
  // Heads on the chain that the ledger's key has signed, and that are not of
  // this ledger.
  std::vector<LedgerHead> conflicts;
};

// Items that stand otherwise than before.
struct LedgerChanges {
  std::vector<LedgerItem> items;  // as they stand now
  int64_t next = 0;               // the `first` to go on with
  bool at_end = true;
  // Changes before these were too many to be kept.
  bool missed = false;
};

// Of a ledger on a block chain.
struct ChainState {
  std::string chain;
  std::string genesis;
  int64_t height = 0;
  std::string stream;
  std::string mode;         // `direct`, `batched`
  int64_t confirmed = 0;    // items in a block
  int64_t unconfirmed = 0;  // items that wait for one
  // Of LastState() alone. Of the item that has been unconfirmed for longest; 0
  // where there is none.
  int64_t oldest_unconfirmed_ms = 0;
  int64_t alarm_after_ms = 0;  // from when on that is too long; 0: never
  int64_t foreign = 0;         // items of publishers that are not allowed
  int64_t doubles = 0;         // items that say what an earlier one says
  int64_t lost = 0;            // items that were there, and no block will have
  // Batched: items of the ledger that no head on the chain covers, and for how
  // long the first of them has waited for one.
  int64_t unpublished = 0;
  int64_t oldest_unpublished_ms = 0;
  std::string split_view;   // what another node shows; empty: the same
  int64_t split_views = 0;  // how often that was not so
  // Up to which height all nodes agree that are compared; -1: none is.
  int64_t agreed_height = -1;
};

struct LedgerState {
  std::string kind;  // `embedded`, `multichain`
  // Identity; embedded: the origin line of its heads; multichain: CHAIN/STREAM.
  std::string name;
  int64_t size = 0;  // items, also those not yet confirmed
  std::optional<LedgerHead> head;
  std::string broken;  // why it takes no more writes; empty while it does
  std::optional<ChainState> chain;
  // Of LastState() alone: why it cannot be read and written now, empty while it
  // can; and what is meant to be published and not on the ledger yet.
  std::string problem;
  int64_t pending = 0;
};

// Thread-safe.
class Ledger {
 public:
  virtual ~Ledger() = default;

  // Appends the items in the order given and returns their transaction ids once
  // the ledger has accepted them; accepted is not yet confirmed.
  //
  // InvalidArgument: an item is too big or has no key; none was appended.
  // PermissionDenied: the ledger refuses this publisher.
  // Unavailable: the outcome is unknown, any number of the first items may be
  // there; look them up before another try.
  // DataLoss: the ledger was found broken; none was appended.
  virtual absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> items) = 0;

  // Whether what has this hash was accepted, stands nowhere on the ledger, and
  // will be published again without anybody's doing.
  virtual bool WillPublish(const Digest& /*data*/) { return false; }

  // Items that carry `key`.
  virtual absl::StatusOr<LedgerPage> Find(absl::string_view key,
                                          const LedgerQuery& query) = 0;

  // All items.
  virtual absl::StatusOr<LedgerPage> Read(const LedgerQuery& query) = 0;

  // Only of a ledger that is a tree: shows that its first `new_size` items
  // begin with its first `old_size`; 0 < old_size <= new_size <= size.
  //
  // InvalidArgument: they are not. Unimplemented: it is no tree.
  virtual absl::StatusOr<ConsistencyProof> ProveConsistency(
      int64_t /*old_size*/, int64_t /*new_size*/) {
    return absl::UnimplementedError(
        "the ledger is no tree: it has no heads to be consistent");
  }

  // Unavailable: the ledger cannot be read and written now; the message says
  // why.
  virtual absl::StatusOr<LedgerState> State() = 0;

  // What was known last. Answers at once, also where the ledger does not: for
  // health, numbers and whoever wants to know what is wrong. As it is here it
  // is for ledgers whose State() waits for nobody.
  virtual LedgerState LastState() {
    const absl::StatusOr<LedgerState> state = State();
    LedgerState known = state.ok() ? *state : LedgerState();
    known.problem = std::string(state.status().message());
    return known;
  }

  // Up to `max_items` items whose state has changed since the change number
  // `first`: that came, got as many confirmations as count, have less again,
  // are lost, or came back. -1: none, and the number to begin with. A ledger
  // that tells of no changes answers with -1 as the next one.
  virtual absl::StatusOr<LedgerChanges> Changes(int64_t /*first*/,
                                                int64_t /*max_items*/) {
    LedgerChanges none;
    none.next = -1;
    return none;
  }

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
