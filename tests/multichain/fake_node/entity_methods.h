// create, grant, revoke, listpermissions and their …from forms.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ENTITY_METHODS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ENTITY_METHODS_H_

#include "absl/types/span.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

absl::Span<const RpcMethod> EntityMethods();

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ENTITY_METHODS_H_
