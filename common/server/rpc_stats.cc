#include "common/server/rpc_stats.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace windproof {
namespace {

using std::chrono::steady_clock;

constexpr char kOther[] = "other";

std::vector<std::string> Sorted(std::vector<std::string> methods) {
  std::sort(methods.begin(), methods.end());
  return methods;
}

}  // namespace

// One a call; gRPC destroys it when the call has ended in every respect.
class RpcStatsInterceptor : public grpc::experimental::Interceptor {
 public:
  RpcStatsInterceptor(RpcStats* stats, const char* method)
      : stats_(stats), method_(method), began_(steady_clock::now()) {
    stats_->Began(method_);
  }

  ~RpcStatsInterceptor() override {
    stats_->Ended(method_, code_, steady_clock::now() - began_);
  }

  void Intercept(grpc::experimental::InterceptorBatchMethods* batch) override {
    if (batch->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::PRE_SEND_STATUS)) {
      code_ = batch->GetSendStatus().error_code();
    }
    batch->Proceed();
  }

 private:
  RpcStats* const stats_;
  const std::string method_;
  const steady_clock::time_point began_;
  // Stays where the call ends without a status: its client went away.
  grpc::StatusCode code_ = grpc::StatusCode::CANCELLED;
};

namespace {

class Factory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Factory(RpcStats* stats) : stats_(stats) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const char* method = info->method();
    return new RpcStatsInterceptor(stats_, method == nullptr ? "" : method);
  }

 private:
  RpcStats* const stats_;
};

}  // namespace

RpcStats::RpcStats(std::vector<std::string> methods)
    : methods_(Sorted(std::move(methods))) {}

bool RpcStats::IsKnown(absl::string_view method) const {
  return std::binary_search(methods_.begin(), methods_.end(), method);
}

void RpcStats::Began(absl::string_view method) {
  if (!IsKnown(method)) return;
  const MutexLock lock(mutex_);
  ++now_.active;
}

void RpcStats::Ended(absl::string_view method, grpc::StatusCode code,
                     steady_clock::duration taken) {
  const bool known = IsKnown(method);
  const std::string name = known ? std::string(method) : kOther;
  const double seconds = std::chrono::duration<double>(taken).count();
  const auto* bucket =
      std::lower_bound(kBucketSeconds.begin(), kBucketSeconds.end(), seconds);
  const MutexLock lock(mutex_);
  ++now_.calls[{name, code}];
  Latency& latency = now_.latencies[name];
  ++latency.counts[static_cast<size_t>(bucket - kBucketSeconds.begin())];
  latency.sum_seconds += seconds;
  if (known && --now_.active == 0) idle_.NotifyAll();
}

RpcStats::Snapshot RpcStats::Get() const {
  const MutexLock lock(mutex_);
  return now_;
}

bool RpcStats::WaitIdle(steady_clock::time_point deadline) {
  const MutexLock lock(mutex_);
  while (now_.active > 0) {
    if (!idle_.WaitUntil(mutex_, deadline)) return now_.active == 0;
  }
  return true;
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
RpcStats::NewInterceptorFactory() {
  return std::make_unique<Factory>(this);
}

}  // namespace windproof
