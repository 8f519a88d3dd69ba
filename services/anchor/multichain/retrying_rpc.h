// A JsonRpc that tries again what was surely not executed, with growing waits.
//
// Nothing else is ever repeated here: what an unknown outcome asks for is a
// look, and only the caller knows where.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_RETRYING_RPC_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_RETRYING_RPC_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"
#include "services/anchor/multichain/backoff.h"
#include "services/anchor/multichain/json_rpc.h"

namespace windproof {

// Thread-safe, as its parts are.
class RetryingRpc final : public JsonRpc {
 public:
  struct Options {
    int tries_max = 4;
    BackoffRange backoff;
    // Waits; returns false when it was told to end. Required.
    std::function<bool(int64_t ms)> wait;
    std::function<double()> random;  // in [0, 1). Required.
  };

  // `inner` must outlive it.
  RetryingRpc(Options options, JsonRpc& inner);

  RpcReply Call(absl::string_view method, absl::string_view params) override;
  void Cancel() override { inner_.Cancel(); }

  int64_t repeated() const { return repeated_.load(); }

 private:
  const Options options_;
  JsonRpc& inner_;
  std::atomic<int64_t> repeated_{0};
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_RETRYING_RPC_H_
