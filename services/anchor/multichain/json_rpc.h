// A MultiChain node's JSON-RPC as its callers see it: a call, and an answer
// that says what may be done next.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_JSON_RPC_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_JSON_RPC_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/canonical/json_value.h"

namespace windproof {

// What is known of a call's effect.
enum class RpcOutcome {
  kDone,       // it was executed, and answered
  kNotDone,    // it was not executed, and may be tried again
  kUnknown,    // it may have been executed, now or later: look before a retry
  kPermanent,  // it was refused; the same again will be refused again
};

struct RpcReply {
  // OK with kDone alone. What went wrong, for people: with the method, what the
  // node said, and its code.
  absl::Status status;
  RpcOutcome outcome = RpcOutcome::kDone;
  int64_t code = 0;  // of the JSON-RPC error; 0: there is none
  // The node's answer came whole, and its result is not JSON: an item in it
  // holds what the node accepts and cannot write.
  bool unparseable = false;
  JsonValue result;  // with kDone
};

// Thread-safe.
class JsonRpc {
 public:
  virtual ~JsonRpc() = default;

  // `params` is a JSON array. Blocks; every call ends, by its time limit at the
  // latest.
  virtual RpcReply Call(absl::string_view method, absl::string_view params) = 0;

  // Ends all calls, now and from now on: for shutdown.
  virtual void Cancel() {}
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_JSON_RPC_H_
