#include "services/anchor/multichain/circuit_rpc.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/anchor/multichain/rpc_answer.h"

namespace windproof {
namespace {

// Whether the node did not answer. A node that says no, or that it is busy or
// warming up, is there.
bool IsSilence(const RpcReply& reply) {
  return reply.code == 0 && (reply.outcome == RpcOutcome::kUnknown ||
                             reply.outcome == RpcOutcome::kNotDone);
}

}  // namespace

CircuitRpc::CircuitRpc(Options options, JsonRpc& inner)
    : options_(std::move(options)), inner_(inner) {}

bool CircuitRpc::IsOpen() const {
  return failures_ >= options_.failures_max &&
         (probing_ || options_.now_ms() < open_until_ms_);
}

bool CircuitRpc::open() {
  MutexLock lock(mutex_);
  return IsOpen();
}

RpcReply CircuitRpc::Call(absl::string_view method, absl::string_view params) {
  bool probe = false;
  {
    MutexLock lock(mutex_);
    if (IsOpen()) {
      return RpcFailure(
          absl::StatusCode::kUnavailable, RpcOutcome::kNotDone, method,
          absl::StrCat("not asked, because the node did not answer ", failures_,
                       " times in a row; the last time: ", last_failure_));
    }
    probe = failures_ >= options_.failures_max;
    if (probe) probing_ = true;
  }
  RpcReply reply = inner_.Call(method, params);

  MutexLock lock(mutex_);
  if (probe) probing_ = false;
  if (!IsSilence(reply)) {
    failures_ = 0;
    return reply;
  }
  ++failures_;
  last_failure_ = std::string(reply.status.message());
  if (failures_ >= options_.failures_max) {
    open_until_ms_ =
        options_.now_ms() + BackoffMs(options_.open_for,
                                      failures_ - options_.failures_max + 1,
                                      options_.random());
  }
  return reply;
}

}  // namespace windproof
