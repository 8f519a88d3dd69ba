// Transactions that the wallet makes: who may, from which output, how large.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_WALLET_TX_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_WALLET_TX_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

// The wallet's key of a from-address: -5 malformed, -709 of another wallet.
MaybeError WalletKey(const NodeState& state, const Json& address,
                     const Key** key);

// Whether the key may do that in the next block. `entity` as in Permissions.
bool MayNow(const NodeState& state, const Key& key, absl::string_view entity,
            uint32_t type);

// The key may write to the stream and send.
bool MayPublish(const NodeState& state, const Key& key,
                const ChainStream& stream);

// Spends the key's newest output, with `outputs` and the change, and puts it
// into the mempool; the result is the transaction's id. -716 without an output,
// -8 if it is larger than a transaction may be.
RpcResult Send(NodeState* state, const Key& key,
               std::vector<std::string> outputs);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_WALLET_TX_H_
