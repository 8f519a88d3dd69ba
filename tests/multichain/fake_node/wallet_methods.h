// Addresses and messages: getaddresses, getnewaddress, validateaddress,
// signmessage, verifymessage, getwalletinfo, listunspent.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_WALLET_METHODS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_WALLET_METHODS_H_

#include "absl/types/span.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

absl::Span<const RpcMethod> WalletMethods();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_WALLET_METHODS_H_
