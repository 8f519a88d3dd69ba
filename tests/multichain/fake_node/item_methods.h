// liststreamitems and the other methods that read stream items.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ITEM_METHODS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ITEM_METHODS_H_

#include "absl/types/span.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

absl::Span<const RpcMethod> ItemMethods();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ITEM_METHODS_H_
