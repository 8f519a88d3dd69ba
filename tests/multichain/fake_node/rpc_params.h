// Reading a method's parameters with the node's own complaints.
//
// Each function gives the error, or nothing when *value is set. A parameter
// that is absent leaves *value as it was; only Text() must be there.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_PARAMS_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_PARAMS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "tests/multichain/fake_node/json.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

using MaybeError = absl::optional<RpcError>;

// -1 "value is type int, expected str".
RpcError WrongType(const Json& value, absl::string_view expected);

MaybeError Text(const Json& params, size_t at, std::string* value);
MaybeError Bool(const Json& params, size_t at, bool* value);

// A page of a list: count (10 if absent) and start (-count if absent).
struct Page {
  int64_t count = 10;
  absl::optional<int64_t> start;
};
MaybeError ReadPage(const Json& params, size_t count_at, Page* page);

// The part of a list of `size` that `page` names: [first, second).
std::pair<size_t, size_t> PageOf(const Page& page, size_t size);

// A transaction id in hex; `name` is what the message calls it.
MaybeError TxId(const Json& params, size_t at, Digest* value);

// A stream by name, createtxid or streamref; -708 if there is none. `kind` is
// what the message calls it: "Stream" or "Entity".
MaybeError FindStream(const NodeState& state, const Json& name,
                      absl::string_view kind, uint32_t* stream);

// Also -703 unless subscribed.
MaybeError SubscribedStream(const NodeState& state, const Json& params,
                            uint32_t* stream);

// "height-offset-prefix" or null if unconfirmed.
Json StreamRefJson(const NodeState& state, const ChainStream& stream);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_PARAMS_H_
