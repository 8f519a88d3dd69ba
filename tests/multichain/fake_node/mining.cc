#include "tests/multichain/fake_node/mining.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/script.h"

namespace windproof::fake_node {
namespace {

// What a block holds beside the transactions: header, count, coinbase.
constexpr uint64_t kBlockOverhead = 1000;

std::string Coinbase(NodeState* state, const ChainBlock& parent) {
  const Key& miner = state->keys.front();
  std::string input;
  std::string height;
  AppendLittle(parent.height + 1, 4, &height);
  AppendPush(height, &input);
  std::string salt;
  AppendLittle(++state->block_salt, 8, &salt);
  // Two nodes may mine on one parent in one second.
  absl::StrAppend(&salt, miner.hash());
  AppendPush(salt, &input);
  AppendPush("/P2SH/", &input);
  // As a miner signs its block; what exactly it signs is not copied.
  const std::string signature =
      miner.Sign(Sha256Of(absl::StrCat(BytesOf(parent.hash), salt)));
  std::string proof = "SPKb";
  AppendPush(signature, &proof);
  proof.push_back('\x03');
  AppendPush(miner.public_key(), &proof);
  std::string output(1, static_cast<char>(kOpReturn));
  AppendPush(proof, &output);
  std::vector<std::string> outputs = {output};
  // The administrator's first unspent output.
  if (parent.height == 0) outputs.push_back(PayToScript(state->chain.admin()));
  return CoinbaseTransaction(input, outputs);
}

// A transaction that spends what `ref` spends, to the same key.
absl::optional<TxRef> MakeConflict(NodeState* state, TxRef ref) {
  const ChainTx& tx = state->chain.tx(ref);
  const Key* key = state->FindKey(tx.signer);
  if (key == nullptr) return absl::nullopt;
  const auto parsed = ParseTransaction(tx.raw);
  std::string other;
  other.push_back(static_cast<char>(kOpReturn));
  AppendPush(absl::StrCat("conflict with ", BytesOf(tx.id)), &other);
  const std::string raw = SignedTransaction(parsed->inputs[0].from, *key,
                                            {other, PayToScript(key->hash())});
  return state->chain.AddTransaction(raw, state->Now(), state->Now(), true);
}

std::vector<TxRef> RemovedBy(const Chain& chain, uint32_t depth) {
  std::vector<TxRef> removed;
  for (uint32_t h = chain.height() - depth + 1; h <= chain.height(); ++h) {
    for (const TxRef tx : chain.block(chain.BlockAt(h)).txs) {
      if (!chain.tx(tx).coinbase) removed.push_back(tx);
    }
  }
  return removed;
}

// The first new block takes `txs`, the others are empty.
void Replace(NodeState* state, uint32_t depth, absl::Span<const TxRef> txs) {
  Chain& chain = state->chain;
  BlockRef parent = chain.BlockAt(chain.height() - depth);
  parent = MakeBlock(state, parent, txs);
  for (uint32_t i = 0; i < depth; ++i) parent = MakeBlock(state, parent, {});
  chain.Activate(parent);
  state->empty_blocks = 0;
}

absl::Status CheckDepth(const Chain& chain, uint32_t depth) {
  // The first block's coinbase is what everything spends.
  if (depth >= 1 && depth < chain.height()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("depth is ", depth, "; at height ", chain.height(),
                   " a reorganisation is at least 1 and at most ",
                   chain.height() > 0 ? chain.height() - 1 : 0, " deep"));
}

absl::Status ForeignKey() {
  return absl::FailedPreconditionError(
      "the transaction is signed by a key that is not in this wallet");
}

// What `ref` spends the outputs of and is in no block, parents before children.
std::vector<TxRef> UnconfirmedAncestors(const Chain& chain, TxRef ref) {
  std::set<TxRef> ancestors;
  std::vector<TxRef> todo = {ref};
  while (!todo.empty()) {
    const TxRef tx = todo.back();
    todo.pop_back();
    for (const TxRef parent : chain.tx(tx).parents) {
      if (chain.tx(parent).confirmed() || !ancestors.insert(parent).second) {
        continue;
      }
      todo.push_back(parent);
    }
  }
  return {ancestors.begin(), ancestors.end()};
}

}  // namespace

std::vector<TxRef> SelectTransactions(const NodeState& state) {
  const Chain& chain = state.chain;
  std::vector<TxRef> selected;
  absl::flat_hash_set<TxRef> chosen;
  uint64_t bytes = kBlockOverhead;
  for (const TxRef ref : chain.mempool()) {
    const ChainTx& tx = chain.tx(ref);
    if (bytes + tx.raw.size() > state.settings.max_block_bytes) break;
    const bool ready =
        !tx.held &&
        std::all_of(tx.parents.begin(), tx.parents.end(), [&](TxRef parent) {
          return chain.tx(parent).confirmed() || chosen.contains(parent);
        });
    if (!ready) continue;
    bytes += tx.raw.size();
    selected.push_back(ref);
    chosen.insert(ref);
  }
  return selected;
}

BlockRef MakeBlock(NodeState* state, BlockRef parent,
                   absl::Span<const TxRef> txs) {
  Chain& chain = state->chain;
  const ChainBlock& before = chain.block(parent);
  const int64_t now = state->Now();
  std::vector<TxRef> all = {
      *chain.AddTransaction(Coinbase(state, before), now, now)};
  all.insert(all.end(), txs.begin(), txs.end());
  std::vector<Digest> ids;
  ids.reserve(all.size());
  for (const TxRef tx : all) ids.push_back(chain.tx(tx).id);
  Header header;
  header.previous = before.hash;
  header.merkle_root = MerkleRoot(std::move(ids));
  header.time = static_cast<uint32_t>(now);
  return *chain.AddBlock(SolvedHeader(header), all);
}

void MineBlock(NodeState* state) {
  const std::vector<TxRef> txs = SelectTransactions(*state);
  const BlockRef block = MakeBlock(state, state->chain.tip(), txs);
  state->chain.Activate(block);
  state->empty_blocks = txs.empty() ? state->empty_blocks + 1 : 0;
  if (state->lock_leaked) state->hung = true;
}

bool WantsBlock(const NodeState& state) {
  if (state.mining_paused) return false;
  return state.empty_blocks < state.settings.mine_empty_rounds ||
         !SelectTransactions(state).empty();
}

absl::Status Reorganise(NodeState* state, uint32_t depth, Fate fate) {
  Chain& chain = state->chain;
  const absl::Status good = CheckDepth(chain, depth);
  if (!good.ok()) return good;
  const std::vector<TxRef> removed = RemovedBy(chain, depth);
  switch (fate) {
    case Fate::kMinedAgain:
      Replace(state, depth, removed);
      return absl::OkStatus();
    case Fate::kHeld:
      Replace(state, depth, {});
      for (const TxRef tx : removed) {
        if (chain.tx(tx).valid()) chain.SetHeld(tx, true);
      }
      return absl::OkStatus();
    case Fate::kConflict:
      break;
  }
  // What spends an output of another removed one goes with it.
  std::vector<TxRef> conflicts;
  const absl::flat_hash_set<TxRef> gone(removed.begin(), removed.end());
  for (const TxRef tx : removed) {
    const std::vector<TxRef>& parents = chain.tx(tx).parents;
    if (std::any_of(parents.begin(), parents.end(),
                    [&](TxRef parent) { return gone.contains(parent); })) {
      continue;
    }
    const absl::optional<TxRef> conflict = MakeConflict(state, tx);
    if (!conflict.has_value()) return ForeignKey();
    conflicts.push_back(*conflict);
  }
  Replace(state, depth, conflicts);
  return absl::OkStatus();
}

absl::Status Conflict(NodeState* state, TxRef ref) {
  Chain& chain = state->chain;
  const absl::optional<TxRef> conflict = MakeConflict(state, ref);
  if (!conflict.has_value()) return ForeignKey();
  const ChainTx& tx = chain.tx(ref);
  if (!tx.confirmed()) {
    std::vector<TxRef> mined = UnconfirmedAncestors(chain, ref);
    mined.push_back(*conflict);
    chain.Activate(MakeBlock(state, chain.tip(), mined));
    return absl::OkStatus();
  }
  const uint32_t depth = chain.Confirmations(tx);
  const absl::Status good = CheckDepth(chain, depth);
  if (!good.ok()) return good;
  // In the place of the one that goes, so that parents come before it.
  std::vector<TxRef> txs;
  absl::flat_hash_set<TxRef> gone;
  for (const TxRef other : RemovedBy(chain, depth)) {
    const std::vector<TxRef>& parents = chain.tx(other).parents;
    if (other == ref) {
      gone.insert(ref);
      txs.push_back(*conflict);
    } else if (std::any_of(parents.begin(), parents.end(), [&](TxRef parent) {
                 return gone.contains(parent);
               })) {
      gone.insert(other);
    } else {
      txs.push_back(other);
    }
  }
  Replace(state, depth, txs);
  return absl::OkStatus();
}

void Release(NodeState* state) {
  const std::vector<TxRef> mempool(state->chain.mempool().begin(),
                                   state->chain.mempool().end());
  for (const TxRef tx : mempool) {
    if (state->chain.tx(tx).held) state->chain.SetHeld(tx, false);
  }
}

}  // namespace windproof::fake_node
