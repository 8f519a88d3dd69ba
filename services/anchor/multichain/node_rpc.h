// The way to a chain's nodes: a JsonRpcClient for each, with a circuit, and
// another try for what was surely not executed. The first node that answers is
// used until it does not.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_NODE_RPC_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_NODE_RPC_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/anchor/multichain/json_rpc.h"
#include "services/anchor/multichain/multichain_config.h"

namespace windproof {

// Destroying it ends its waits. InvalidArgument: a URL.
absl::StatusOr<std::unique_ptr<JsonRpc>> OpenNodeRpc(
    const MultiChainConfig& config);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_NODE_RPC_H_
