// Summaries of a stream's keys and publishers.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_KEY_METHODS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_KEY_METHODS_H_

#include "absl/types/span.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

// liststreamkeys, liststreampublishers, getstreamkeysummary,
// getstreampublishersummary.
absl::Span<const RpcMethod> KeyMethods();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_KEY_METHODS_H_
