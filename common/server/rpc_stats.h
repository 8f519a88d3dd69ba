// Counts the calls of a gRPC server: how many, how they ended, how long they
// took, how many are on.
//
// Thread-safe.
#ifndef WINDPROOF_COMMON_SERVER_RPC_STATS_H_
#define WINDPROOF_COMMON_SERVER_RPC_STATS_H_

#include <grpcpp/support/server_interceptor.h>
#include <grpcpp/support/status.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"

namespace windproof {

class RpcStats {
 public:
  // Upper bounds of the latency buckets, in seconds; above the last is one
  // more.
  static constexpr std::array<double, 9> kBucketSeconds = {
      0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30};

  struct Latency {
    std::array<int64_t, kBucketSeconds.size() + 1> counts = {};
    double sum_seconds = 0;
  };

  struct Snapshot {
    // By method ("/windproof.v1.AnchorService/GetCheckpoint") and code.
    std::map<std::pair<std::string, grpc::StatusCode>, int64_t> calls;
    std::map<std::string, Latency> latencies;
    int64_t active = 0;
  };

  // `methods` are told apart; calls of others, which clients may invent, are
  // counted together as "other".
  explicit RpcStats(std::vector<std::string> methods);

  Snapshot Get() const;

  // Waits until no call of a known method is on; false when `deadline` passed
  // first. Health and reflection are not among them: they may stay for ever.
  bool WaitIdle(std::chrono::steady_clock::time_point deadline);

  // For a ServerBuilder; the stats must outlive the server.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  NewInterceptorFactory();

 private:
  friend class RpcStatsInterceptor;

  bool IsKnown(absl::string_view method) const;
  void Began(absl::string_view method);
  void Ended(absl::string_view method, grpc::StatusCode code,
             std::chrono::steady_clock::duration taken);

  const std::vector<std::string> methods_;  // sorted

  mutable Mutex mutex_;
  CondVar idle_;
  Snapshot now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_RPC_STATS_H_
