// Hands checkpoints to an anchor as window-hash's outbox does: each key's in
// order of seq, the same again until there is an answer, with growing waits
// between. What it hands in is the same in every run, as what a log gives is.
//
// Errors that no retry mends fail the test. Single-owner; Begin() to End() a
// thread of its own works.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAULT_SUBMITTER_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAULT_SUBMITTER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/pipeline/checkpoint.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "tests/multichain/fault/chain_node.h"

namespace windproof {

class Submitter {
 public:
  struct Options {
    std::string name = "a";  // begins its keys
    int keys = 4;
    int batch = 12;  // checkpoints of a call, shared by the keys
  };

  Submitter(const std::string& anchor, const Options& options);
  ~Submitter();

  // Submits `batches` calls' worth, each until it has its receipts.
  void Submit(int batches);

  // The same again and again, until End(): what was begun has its receipts
  // then.
  void Begin();
  void End();

  // All from the first on, as after a loss of the outbox's state.
  void SubmitAllAgain();

  // What was submitted, each key's in order of seq.
  const std::vector<std::vector<std::string>>& submitted() const {
    return submitted_;
  }
  int64_t count() const;
  // Calls that failed and were repeated.
  int64_t failed_calls() const { return failed_calls_.load(); }

 private:
  void SubmitNext();
  void SubmitUntilAnswered(const std::vector<std::string>& checkpoints);

  const Options options_;
  const std::unique_ptr<v1::AnchorService::Stub> stub_;
  std::vector<Checkpoint> last_;  // of each key
  std::vector<std::vector<std::string>> submitted_;
  std::atomic<int64_t> failed_calls_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

// Every checkpoint of all is an item of the chain, its bytes as submitted,
// under its two keys, by the node's address; and nothing else is there. Returns
// how many items say what an earlier one says. With `in_order` a key's first
// items are in order of seq.
int64_t ExpectOnChain(ChainNode& node,
                      const std::vector<const Submitter*>& submitters,
                      bool in_order = true);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAULT_SUBMITTER_H_
