#include "services/anchor/multichain/node_rpc.h"

#include <atomic>
#include <chrono>
#include <random>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"
#include "services/anchor/multichain/circuit_rpc.h"
#include "services/anchor/multichain/json_rpc_client.h"
#include "services/anchor/multichain/retrying_rpc.h"

namespace windproof {
namespace {

int64_t SteadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double Random() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

// One node.
struct Node {
  explicit Node(std::unique_ptr<JsonRpcClient> opened)
      : client(std::move(opened)),
        circuit({.now_ms = SteadyMs, .random = Random}, *client) {}

  const std::unique_ptr<JsonRpcClient> client;
  CircuitRpc circuit;
};

// Uses one node until it cannot be reached, then the next.
class FirstReachable final : public JsonRpc {
 public:
  explicit FirstReachable(std::vector<std::unique_ptr<Node>> nodes)
      : nodes_(std::move(nodes)) {}

  RpcReply Call(absl::string_view method, absl::string_view params) override {
    RpcReply reply;
    for (size_t tries = 0; tries < nodes_.size(); ++tries) {
      size_t current = current_.load();
      reply = nodes_[current]->circuit.Call(method, params);
      // An answer that says no is an answer; what may have been executed is not
      // for another node to do again.
      if (reply.outcome != RpcOutcome::kNotDone || reply.code != 0) break;
      current_.compare_exchange_strong(current, (current + 1) % nodes_.size());
    }
    return reply;
  }

  void Cancel() override {
    for (const std::unique_ptr<Node>& node : nodes_) node->circuit.Cancel();
  }

 private:
  const std::vector<std::unique_ptr<Node>> nodes_;
  std::atomic<size_t> current_{0};
};

class NodeRpc final : public JsonRpc {
 public:
  explicit NodeRpc(std::vector<std::unique_ptr<Node>> nodes)
      : nodes_(std::move(nodes)),
        retrying_(
            {.tries_max = 3,
             .wait =
                 [](int64_t ms) {
                   std::this_thread::sleep_for(std::chrono::milliseconds(ms));
                   return true;
                 },
             .random = Random},
            nodes_) {}

  RpcReply Call(absl::string_view method, absl::string_view params) override {
    return retrying_.Call(method, params);
  }

  void Cancel() override {
    {
      MutexLock lock(mutex_);
      cancelled_ = true;
      woken_.NotifyAll();
    }
    nodes_.Cancel();
  }

 private:
  // False once cancelled.
  bool Wait(int64_t ms) {
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    MutexLock lock(mutex_);
    while (!cancelled_ && woken_.WaitUntil(mutex_, until)) {
    }
    return !cancelled_;
  }

  Mutex mutex_;
  CondVar woken_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  FirstReachable nodes_;
  RetryingRpc retrying_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<JsonRpc>> OpenNodeRpc(
    const MultiChainConfig& config) {
  std::vector<std::unique_ptr<Node>> nodes;
  for (const std::string& url : config.urls) {
    auto client = JsonRpcClient::Open({
        .url = url,
        .user = config.user,
        .password = config.password,
        .chain_name = config.chain,
        .ca_path = config.ca_path,
        .cert_path = config.cert_path,
        .key_path = config.key_path,
        .connect_timeout_ms = config.connect_timeout_ms,
        .timeout_ms = config.timeout_ms,
    });
    if (!client.ok()) return client.status();
    nodes.push_back(std::make_unique<Node>(*std::move(client)));
  }
  return std::unique_ptr<JsonRpc>(new NodeRpc(std::move(nodes)));
}

}  // namespace windproof
