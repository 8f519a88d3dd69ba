// Blocks made here: which transactions, on which parent, and reorganisations.
//
// Thread-compatible, as the state.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_MINING_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_MINING_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "tests/multichain/fake_node/node_state.h"

namespace windproof::fake_node {

// What happens with the transactions of the blocks that a reorganisation
// removes.
enum class Fate {
  // Unconfirmed again and not mined until Release(): the other side has never
  // seen them. What spends their outputs waits with them.
  kHeld,
  // Another transaction spends their input: they are gone from every list.
  kConflict,
  // In the first block of the other branch.
  kMinedAgain,
};

// The transactions that the next block takes: in the order of arrival, parents
// before children, up to the size of a block, none that is held.
std::vector<TxRef> SelectTransactions(const NodeState& state);

// A block on `parent`, not yet active.
BlockRef MakeBlock(NodeState* state, BlockRef parent,
                   absl::Span<const TxRef> txs);

// Mines the next block and makes it the tip.
void MineBlock(NodeState* state);

// Whether the miner would make a block now: there is something to mine, or
// there were fewer empty blocks in a row than mine-empty-rounds.
bool WantsBlock(const NodeState& state);

// Replaces the last `depth` blocks by depth + 1 others.
//
// InvalidArgument unless 1 <= depth < height; FailedPrecondition if a
// transaction that shall conflict is signed by a key of another wallet.
absl::Status Reorganise(NodeState* state, uint32_t depth, Fate fate);

// Another transaction spends the input of `tx`, and is mined: `tx` and what
// depends on it vanish. A confirmed one is reorganised away; what was in its
// blocks besides is mined again.
absl::Status Conflict(NodeState* state, TxRef tx);

// Held transactions may be mined again.
void Release(NodeState* state);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_MINING_H_
