// A stand-in for a MultiChain 2.3.3 node: a real HTTP JSON-RPC server over a
// small chain of its own. What it copies and what not: README.md.
//
// A test tool: never linked into a service. Thread-safe.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_FAKE_NODE_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_FAKE_NODE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/sync/mutex.h"
#include "tests/multichain/fake_node/faults.h"
#include "tests/multichain/fake_node/http_server.h"
#include "tests/multichain/fake_node/journal.h"
#include "tests/multichain/fake_node/mining.h"
#include "tests/multichain/fake_node/node_state.h"
#include "tests/multichain/fake_node/rpc_result.h"

namespace windproof::fake_node {

// What the HTTP layer answers before a worker sees the request.
absl::optional<HttpResponse> Front(const HttpRequest& request);

class FakeNode {
 public:
  struct Options {
    int port = 0;          // 0: any that is free
    std::string data_dir;  // empty: in memory
    std::string user = "multichainrpc";
    std::string password = "password";
    // 0: blocks come by MineBlock() alone.
    int64_t target_block_ms = 0;
    std::string chain_name = "wxchain";
    // What the wallet's keys come from. The keys of "genesis" are the
    // administrator's, whose chain of one name is always the same.
    std::string wallet_seed = "genesis";
    uint32_t initial_blocks = 2;  // of a new chain
    int64_t warm_up_ms = 0;       // -28 until then
    int64_t idle_close_ms = 30'000;
    int64_t wrong_password_ms = 250;
    int mine_empty_rounds = 10;
    uint64_t max_block_bytes = 8'388'608;
  };

  static absl::StatusOr<std::unique_ptr<FakeNode>> Start(Options options);
  ~FakeNode();

  std::string url() const;  // http://127.0.0.1:PORT
  int port() const;
  const Options& options() const { return options_; }
  std::string address() const;  // the wallet's first
  std::string genesis_hash() const;
  uint32_t height() const;

  // A method as if called over HTTP, without faults.
  RpcResult Call(absl::string_view method, const Json& params);

  // --- The chain -----------------------------------------------------------

  void MineBlock();
  void MineBlocks(uint32_t count);
  void PauseMining();
  void ResumeMining();
  absl::Status Reorg(uint32_t depth, Fate fate);
  // What Fate::kHeld holds is mined again from now on.
  void ReleaseHeld();
  // The transaction vanishes: another one spends its input.
  absl::Status ConflictTransaction(absl::string_view txid);
  // `permission` is "send", "STREAM.write" and so on.
  absl::Status Grant(absl::string_view address, absl::string_view permission);
  absl::Status Revoke(absl::string_view address, absl::string_view permission);

  // Another node of the same chain and history with a wallet of its own
  // (options.wallet_seed) or the same one. They know nothing of each other
  // until SyncFrom().
  absl::StatusOr<std::unique_ptr<FakeNode>> Fork(Options options);
  // Takes the other one's blocks, and its branch if that is longer, and what is
  // in its mempool and was never reorganised away.
  absl::Status SyncFrom(const FakeNode& other);
  std::vector<std::string> Export() const;
  absl::Status Import(const std::vector<std::string>& events);

  // --- Faults --------------------------------------------------------------
  // Of the next `count` calls of `method` (empty: any); below 0 until
  // ClearFaults().

  void Inject(Fault fault) { faults_.Add(std::move(fault)); }
  void ClearFaults() { faults_.Clear(); }
  void LoseNextReply(int64_t count = 1, absl::string_view method = "");
  void DropNextRequest(int64_t count = 1, absl::string_view method = "");
  void DuplicateNext(int64_t count = 1, absl::string_view method = "");
  void Refuse503(int64_t count = 1, absl::string_view method = "");
  void FailNext(int code, absl::string_view message, int64_t count = 1,
                absl::string_view method = "");
  void DelayReplies(int64_t millis, int64_t count = -1,
                    absl::string_view method = "");

  // No call but getblockcount, getinitstatus and help is answered for so long,
  // and no block mined.
  void Stall(int64_t millis);
  // As Stall(), until Restart(): what 2.3.3 does after a bad gettxoutdata.
  void Hang();
  // -28 for so long.
  void WarmUp(int64_t millis);
  // The node's clock jumps, forwards or backwards.
  void AdvanceClock(int64_t seconds);

  // The port refuses connections from Down() to Up(). What the chain holds
  // stays, paused tasks and faults of the node do not.
  void Down();
  absl::Status Up();
  absl::Status Restart();

  // Requests with the right password since the start.
  int64_t requests() const { return requests_.load(); }

  // Whether `stop` was called.
  bool stopping() const;

 private:
  explicit FakeNode(Options options) : options_(std::move(options)) {}

  absl::Status Load();
  absl::Status Serve();
  void MinerLoop();
  HttpResponse Handle(const HttpRequest& request);
  HttpResponse HandleCall(const HttpRequest& request);
  RpcResult Run(absl::string_view method, const Json& params);
  RpcResult RunLocked(absl::string_view method, const Json& params)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool WaitWhileStalled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False if the node goes down meanwhile.
  bool Sleep(int64_t millis);
  void KeepKeys() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Permit(absl::string_view method, absl::string_view address,
                      absl::string_view permission);

  Options options_;
  Faults faults_;
  mutable Mutex mutex_;
  CondVar changed_;
  NodeState state_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Journal> journal_ ABSL_GUARDED_BY(mutex_);
  size_t kept_keys_ ABSL_GUARDED_BY(mutex_) = 0;
  bool down_ ABSL_GUARDED_BY(mutex_) = false;
  bool exiting_ ABSL_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point stalled_until_
      ABSL_GUARDED_BY(mutex_){};
  std::chrono::steady_clock::time_point warm_at_ ABSL_GUARDED_BY(mutex_){};

  std::atomic<int64_t> requests_{0};
  int port_ = 0;
  std::unique_ptr<HttpServer> server_;
  std::thread miner_;
};

}  // namespace windproof::fake_node

namespace windproof {
using fake_node::FakeNode;
}  // namespace windproof

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_FAKE_NODE_H_
