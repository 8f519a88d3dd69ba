// One node's view of a chain: transactions, blocks, mempool, streams.
//
// Everything that changes it is an event (a transaction arrives, a block
// arrives, another block becomes the tip, …). Events go to a sink as bytes and
// bring the same state back when applied in order, which is how a node survives
// kill -9 and how one node's chain becomes another's.
//
// References are numbers that grow in the order of arrival and never change.
// Reads neither a clock nor a file. Thread-compatible.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_CHAIN_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_CHAIN_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "tests/multichain/fake_node/block.h"
#include "tests/multichain/fake_node/permissions.h"
#include "tests/multichain/fake_node/stream_index.h"
#include "tests/multichain/fake_node/transaction.h"

namespace windproof::fake_node {

using TxRef = uint32_t;
using BlockRef = uint32_t;
inline constexpr uint32_t kNoRef = 0xFFFFFFFF;

struct ChainTx {
  enum class State {
    kUnconfirmed,
    kConfirmed,
    // Spends what another one spent, or comes from a block that is not in the
    // active chain and was never in the mempool.
    kInvalid,
  };

  std::string raw;
  Digest id{};
  int64_t time = 0;      // seconds: sent here, or the time of its block
  int64_t received = 0;  // seconds
  State state = State::kInvalid;
  bool coinbase = false;
  bool held = false;          // not mined until told
  bool listed_twice = false;  // after a rollback by the operator
  BlockRef block = kNoRef;    // where it is confirmed
  uint32_t index = 0;         // in that block
  std::string signer;         // hash of the public key in the first input
  std::vector<TxRef> parents;
  ItemRef first_item = 0;
  uint32_t item_count = 0;

  bool confirmed() const { return state == State::kConfirmed; }
  bool valid() const { return state != State::kInvalid; }
};

struct ChainBlock {
  std::string header;  // 80 bytes
  Digest hash{};
  BlockRef previous = kNoRef;
  uint32_t height = 0;
  int64_t time = 0;
  uint64_t size = 0;
  std::string miner;  // hash of the public key
  std::vector<TxRef> txs;
};

struct ChainItem {
  TxRef tx = 0;
  uint32_t vout = 0;
  uint32_t stream = 0;
  uint32_t script_at = 0;  // in the raw transaction
  uint32_t script_size = 0;
};

struct ChainStream {
  std::string name;
  Digest create_txid{};
  TxRef create_tx = kNoRef;  // none for the root stream
  std::string entity;
  uint8_t restricts = 0;
  std::string details;  // UBJSON
  std::string creator;  // hash of the public key
  bool exists = true;   // its creation is valid
  bool subscribed = false;
  StreamIndex index;
};

class Chain {
 public:
  // `event` is whole: Apply() takes it.
  using Sink = std::function<void(absl::string_view event)>;

  // Without Init() or Apply() a chain has no block.
  Chain() = default;
  Chain(const Chain&) = delete;

  void set_sink(Sink sink) { sink_ = std::move(sink); }

  // The block 0, whose coinbase is paid to the administrator, who may do
  // everything. The same arguments give the same genesis.
  void Init(absl::string_view chain_name, absl::string_view admin_hash,
            int64_t time);

  // False if `event` is none, or does not fit to what was before.
  bool Apply(absl::string_view event);

  // Takes what another node's Export() tells: blocks, its tip if that is
  // higher, transactions. False, and nothing is taken, if its genesis is
  // another.
  bool Adopt(absl::Span<const std::string> events);

  // The events that make another node see the same active chain and, if asked,
  // the same mempool.
  std::vector<std::string> Export(bool with_mempool) const;

  // Nothing if `raw` is not a transaction or spends what a valid one has spent,
  // unless it `may_conflict`: it is then kept aside until a block has it. One
  // that is known is returned as it is.
  absl::optional<TxRef> AddTransaction(absl::string_view raw, int64_t time,
                                       int64_t received,
                                       bool may_conflict = false);

  // Keeps a block of known transactions; Activate() makes it the tip. Nothing
  // if the header does not fit to them or to a known block.
  absl::optional<BlockRef> AddBlock(absl::string_view header,
                                    absl::Span<const TxRef> txs);

  // Makes `tip` the end of the active chain. Transactions of blocks that leave
  // it are unconfirmed again, or invalid if a new block spends their input.
  void Activate(BlockRef tip);

  void SetHeld(TxRef tx, bool held);
  // After Activate() of an older block: unconfirmed items are listed twice.
  void ListTwice(absl::Span<const TxRef> txs);
  void SetSubscribed(uint32_t stream, bool subscribed);
  void AddChunk(absl::string_view data);  // of an off-chain item

  const std::string& name() const { return name_; }
  const std::string& admin() const { return admin_; }
  uint32_t height() const { return blocks_[tip_].height; }
  BlockRef tip() const { return tip_; }
  const ChainBlock& block(BlockRef ref) const { return blocks_[ref]; }
  size_t block_count() const { return blocks_.size(); }
  BlockRef BlockAt(uint32_t height) const { return active_[height]; }
  absl::optional<BlockRef> FindBlock(const Digest& hash) const;
  bool IsActive(BlockRef ref) const;
  std::string RawBlock(BlockRef ref) const;

  const ChainTx& tx(TxRef ref) const { return txs_[ref]; }
  size_t tx_count() const { return txs_.size(); }
  absl::optional<TxRef> FindTx(const Digest& id) const;
  const absl::btree_set<TxRef>& mempool() const { return mempool_; }
  uint64_t mempool_bytes() const { return mempool_bytes_; }
  // 0 if not confirmed.
  uint32_t Confirmations(const ChainTx& tx) const;

  // Unspent outputs that pay to the key, the oldest first.
  std::vector<OutPoint> Unspent(absl::string_view hash) const;

  const ChainItem& item(ItemRef ref) const { return items_[ref]; }
  absl::string_view ItemScriptOf(const ChainItem& item) const;
  const std::string* FindChunk(absl::string_view hash) const;
  // How many of an index's list are confirmed; they are its first.
  size_t ConfirmedOf(const std::vector<ItemRef>& list) const;

  const std::deque<ChainStream>& streams() const { return streams_; }
  const Permissions& permissions() const { return permissions_; }

 private:
  ItemRef AddItems(TxRef ref, const ParsedTransaction& parsed);
  void AddStream(TxRef ref, const ParsedTransaction& parsed);
  void ApplyEffects(TxRef ref);
  void IndexItems(const ChainTx& tx);
  void Rebuild();
  void InvalidateConflicts(absl::Span<const TxRef> connected);
  bool Extend(BlockRef tip);
  void EnterMempool(TxRef ref);
  void LeaveMempool(TxRef ref);
  void Emit(char type, absl::string_view payload) const;
  bool ApplyRefs(char type, absl::string_view payload);

  Sink sink_;
  std::string name_;
  std::string admin_;
  int64_t genesis_time_ = 0;
  std::deque<ChainTx> txs_;
  absl::flat_hash_map<Digest, TxRef> tx_by_id_;
  std::deque<ChainBlock> blocks_;
  absl::flat_hash_map<Digest, BlockRef> block_by_hash_;
  std::vector<BlockRef> active_;  // by height
  BlockRef tip_ = 0;
  absl::btree_set<TxRef> mempool_;
  uint64_t mempool_bytes_ = 0;
  std::vector<ChainItem> items_;
  std::deque<ChainStream> streams_;
  absl::flat_hash_map<std::string, uint32_t> stream_by_entity_;
  absl::flat_hash_map<std::string, std::string> chunks_;

  // What follows is derived from the valid transactions; Rebuild() makes it.
  Permissions permissions_;
  absl::flat_hash_map<OutPoint, TxRef> spent_;
  absl::flat_hash_map<std::string, std::vector<OutPoint>> unspent_;
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_CHAIN_H_
