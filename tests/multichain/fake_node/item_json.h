// A stream item as the node's lists show it.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ITEM_JSON_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ITEM_JSON_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "tests/multichain/fake_node/json.h"
#include "tests/multichain/fake_node/node_state.h"

namespace windproof::fake_node {

// {publishers, keys, offchain, available, data, confirmations, …}. Only the
// verbose form tells vout and valid.
Json ItemJson(const NodeState& state, ItemRef item, bool verbose);

// The first members, as transactions show an item: publishers, keys, offchain,
// with `available` if asked, data.
void AddItemContent(const NodeState& state, ItemRef item, bool available,
                    Json* json);

// The bytes of an item, wherever they are kept; `*format` is set.
absl::string_view ItemBytes(const Chain& chain, const ChainItem& item,
                            int* format);

// Hex, {"text"} or {"json"}.
Json DataJson(int format, absl::string_view bytes);

// confirmations, and blockhash, blockheight, blockindex, blocktime if it has
// any. An invalid one has `if_invalid`.
void AddConfirmation(const Chain& chain, const ChainTx& tx, int if_invalid,
                     Json* json);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_ITEM_JSON_H_
