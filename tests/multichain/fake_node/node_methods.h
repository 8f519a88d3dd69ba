// The node itself: getinfo, parameters, pause and resume, setlastblock, help.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_NODE_METHODS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_NODE_METHODS_H_

#include "absl/types/span.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

absl::Span<const RpcMethod> NodeMethods();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_NODE_METHODS_H_
