// What a method answers: a result, or an error with the node's code.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_RESULT_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_RESULT_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "tests/multichain/fake_node/json.h"
#include "tests/multichain/fake_node/node_state.h"

namespace windproof::fake_node {

inline constexpr int kErrorMisc = -1;
inline constexpr int kErrorAddress = -5;
inline constexpr int kErrorParameter = -8;
inline constexpr int kErrorRejected = -26;
inline constexpr int kErrorWarmUp = -28;
inline constexpr int kErrorNotAllowed = -701;
inline constexpr int kErrorNotSupported = -702;
inline constexpr int kErrorNotSubscribed = -703;
inline constexpr int kErrorPermission = -704;
inline constexpr int kErrorDuplicateName = -705;
inline constexpr int kErrorEntityNotFound = -708;
inline constexpr int kErrorKeyNotFound = -709;
inline constexpr int kErrorTxNotFound = -710;
inline constexpr int kErrorBlockNotFound = -711;
inline constexpr int kErrorBadVout = -712;
inline constexpr int kErrorNoData = -713;
inline constexpr int kErrorNoFunds = -716;
inline constexpr int kErrorRequest = -32600;
inline constexpr int kErrorMethod = -32601;
inline constexpr int kErrorParse = -32700;

struct RpcError {
  int code = 0;
  std::string message;
};

struct RpcResult {
  // NOLINTNEXTLINE(google-explicit-constructor): a result reads as its value.
  RpcResult(Json value) : value(std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): or as its error.
  RpcResult(RpcError error) : error(std::move(error)) {}

  bool ok() const { return !error.has_value(); }

  Json value;
  absl::optional<RpcError> error;
};

// `params` is an array of as many elements as the method takes.
struct RpcMethod {
  absl::string_view name;
  size_t min_params;
  size_t max_params;
  RpcResult (*run)(NodeState* state, const Json& params);
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_RPC_RESULT_H_
