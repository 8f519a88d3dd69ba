#include "services/anchor/multichain/retrying_rpc.h"

#include <utility>

namespace windproof {

RetryingRpc::RetryingRpc(Options options, JsonRpc& inner)
    : options_(std::move(options)), inner_(inner) {}

RpcReply RetryingRpc::Call(absl::string_view method, absl::string_view params) {
  for (int tries = 1;; ++tries) {
    RpcReply reply = inner_.Call(method, params);
    if (reply.outcome != RpcOutcome::kNotDone || tries >= options_.tries_max ||
        !options_.wait(BackoffMs(options_.backoff, tries, options_.random()))) {
      return reply;
    }
    ++repeated_;
  }
}

}  // namespace windproof
