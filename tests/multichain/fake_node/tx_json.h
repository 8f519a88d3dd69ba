// A transaction as getrawtransaction and getblock show it.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TX_JSON_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TX_JSON_H_

#include "tests/multichain/fake_node/json.h"
#include "tests/multichain/fake_node/node_state.h"

namespace windproof::fake_node {

// vin, vout and, of one that creates a stream, create.
void AddInputsAndOutputs(const NodeState& state, TxRef tx, Json* json);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_TX_JSON_H_
