// The JSON-RPC envelope and the table of methods.
//
// A reply always has result, error and id. An error before the method is known
// has id 0 (null in a batch), whatever the request said. Pure but for the
// method that runs.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_DISPATCH_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_DISPATCH_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/multichain/fake_node/json.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

// Null if there is no such method.
const RpcMethod* FindMethod(absl::string_view name);

// A call whose parameters are as many as the method takes; -1 with the help
// text otherwise.
RpcResult CallMethod(const RpcMethod& method, NodeState* state,
                     const Json& params);

struct RpcReply {
  int http_status = 200;
  std::string body;  // with the line feed
};

// The methods of a request's body, in order; empty names for what has none.
std::vector<std::string> MethodsOf(const absl::optional<Json>& request);

// Answers the parsed body of a request. `call` runs one method by name.
using RpcCall =
    std::function<RpcResult(absl::string_view method, const Json& params)>;
RpcReply Answer(const absl::optional<Json>& request,
                absl::string_view chain_name, const RpcCall& call);

// An error that is not about any call: id 0.
RpcReply ErrorReply(const RpcError& error);

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_DISPATCH_H_
