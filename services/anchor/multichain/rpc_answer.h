// What an HTTP answer of a MultiChain node means. Pure.
//
// Source: the behaviour of MultiChain 2.3.3, of which tests keep recorded
// exchanges, and its list of error codes (src/rpc/rpcprotocol.h).
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_RPC_ANSWER_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_RPC_ANSWER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/anchor/multichain/json_rpc.h"

namespace windproof {

// What an error code of the node's means to a caller.
struct RpcCodeMeaning {
  int64_t code = 0;
  absl::StatusCode status = absl::StatusCode::kInternal;
  RpcOutcome outcome = RpcOutcome::kPermanent;
  absl::string_view meaning;
};

// All that are known, in order of code.
absl::Span<const RpcCodeMeaning> RpcCodes();

// Of any code; one that is not known is kInternal and kUnknown.
RpcCodeMeaning MeaningOf(int64_t code);

// The body of a request. An empty `chain_name` is left out.
std::string RpcRequestBody(absl::string_view method, absl::string_view params,
                           int64_t id, absl::string_view chain_name);

// The answer to the request `id`, whose body came whole.
RpcReply ParseRpcAnswer(int64_t http_status, absl::string_view body, int64_t id,
                        absl::string_view method);

// A reply that is no answer.
RpcReply RpcFailure(absl::StatusCode code, RpcOutcome outcome,
                    absl::string_view method, absl::string_view message);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_RPC_ANSWER_H_
