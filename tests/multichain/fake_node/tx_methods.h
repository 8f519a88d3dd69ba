// Transactions: getrawtransaction, gettransaction, gettxoutdata and the like.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TX_METHODS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TX_METHODS_H_

#include "absl/types/span.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

absl::Span<const RpcMethod> TxMethods();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TX_METHODS_H_
