// A JsonRpc that stops asking a node which does not answer.
//
// After some calls in a row without an answer the circuit opens: calls fail at
// once, not executed, for a growing time. Then one call is let through; an
// answer closes the circuit, also one that says no.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CIRCUIT_RPC_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CIRCUIT_RPC_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "services/anchor/multichain/backoff.h"
#include "services/anchor/multichain/json_rpc.h"

namespace windproof {

// Thread-safe, as its parts are.
class CircuitRpc final : public JsonRpc {
 public:
  struct Options {
    int failures_max = 5;
    BackoffRange open_for = {500, 15'000};
    std::function<int64_t()> now_ms;  // never goes back. Required.
    std::function<double()> random;   // in [0, 1). Required.
  };

  // `inner` must outlive it.
  CircuitRpc(Options options, JsonRpc& inner);

  RpcReply Call(absl::string_view method, absl::string_view params) override;
  void Cancel() override { inner_.Cancel(); }

  bool open();

 private:
  bool IsOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  JsonRpc& inner_;

  Mutex mutex_;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;  // in a row
  int64_t open_until_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  bool probing_ ABSL_GUARDED_BY(mutex_) = false;
  std::string last_failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_CIRCUIT_RPC_H_
