// The gRPC server that shows modules to the world: their services, health,
// reflection.
//
// Health names: "" (all that is here) and each service's full name say whether
// it is ready; `liveness` says that the process is there, until the end. A
// module can have more (ServiceModule::Parts).
// Thread-safe.
#ifndef WINDPROOF_COMMON_SERVER_RPC_SERVER_H_
#define WINDPROOF_COMMON_SERVER_RPC_SERVER_H_

#include <grpcpp/channel.h>
#include <grpcpp/server.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/server/rpc_stats.h"
#include "common/server/service_module.h"
#include "common/sync/mutex.h"

namespace windproof {

class RpcServer {
 public:
  // Largest message that goes in or out.
  static constexpr int kMaxMessageBytes = 64 << 20;

  struct Options {
    // HOST:PORT, port 0 for a free one. Empty: reached only by Channel().
    std::string listen;
    // Started already. They must outlive the server.
    std::vector<ServiceModule*> modules;
    // How often the modules are asked whether they are ready; more often while
    // they are not.
    std::chrono::milliseconds ready_interval{1000};
  };

  // Listens, and serves what is ready. InvalidArgument: no HOST:PORT;
  // Unavailable: nobody can listen there.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(
      const Options& options);

  // As Shutdown(), at once.
  ~RpcServer();

  // HOST:PORT with the port that it got.
  const std::string& address() const { return address_; }

  // A channel within this process; ends with the server.
  std::shared_ptr<grpc::Channel> Channel();

  // A channel to another server, at HOST:PORT, that takes messages as large.
  static std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address);

  // One to several servers any of which can answer: calls go to those that are
  // reachable in turn, and what one refuses as UNAVAILABLE is tried again, four
  // times in all. Host names are looked up once. InvalidArgument: no address,
  // or one that is none; Unavailable: a host name that is not known.
  static absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelToAny(
      const std::vector<std::string>& addresses);

  // OK when all modules are; otherwise the first that is not, and why.
  absl::Status Ready() const;

  const RpcStats& stats() const { return *stats_; }

  // First step of a shutdown: every health name but `liveness` is NOT_SERVING
  // from here on. Calls are still answered.
  void StopServing();

  // Waits for the calls that are on, at most until `deadline`, cancels the
  // rest and stops listening. Once.
  void Shutdown(std::chrono::steady_clock::time_point deadline);

 private:
  explicit RpcServer(const Options& options);

  void WatchReadiness();
  void CheckReadiness();
  // Tells the health service what is new: it would send its watchers what they
  // know already.
  void Show(const std::string& name, bool serving)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  std::string address_;
  std::unique_ptr<RpcStats> stats_;
  std::unique_ptr<grpc::Server> server_;
  std::thread watcher_;

  mutable Mutex mutex_;
  CondVar stopped_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status ready_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, bool> shown_ ABSL_GUARDED_BY(mutex_);  // by health name
  std::set<std::string> parts_ ABSL_GUARDED_BY(mutex_);        // of those
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_RPC_SERVER_H_
