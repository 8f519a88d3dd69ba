// publish, publishfrom, publishmulti and publishmultifrom.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_PUBLISH_METHODS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_PUBLISH_METHODS_H_

#include "absl/types/span.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

absl::Span<const RpcMethod> PublishMethods();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_PUBLISH_METHODS_H_
