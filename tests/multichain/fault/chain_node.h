// The stand-in node as a process, and what its chain holds as the node itself
// says it: over a connection of the test's own, past all of our code.
//
// Errors of the harness abort the test program. Single-owner, and of the thread
// that began the test: a process ends with the thread that started it.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAULT_CHAIN_NODE_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAULT_CHAIN_NODE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/e2e/process.h"
#include "tests/multichain/fake_node/json.h"

namespace windproof {

// The stream of all these tests.
inline constexpr char kStream[] = "checkpoints";

struct ChainItem {
  std::string txid;
  int64_t vout = 0;
  std::vector<std::string> keys;
  std::string text;  // empty where the data are none
  std::string publisher;
  int64_t confirmations = 0;
  bool valid = false;
};

class ChainNode {
 public:
  // Starts it. 0: blocks come by Mine() alone.
  explicit ChainNode(int64_t target_block_ms);

  // kill -9; and again on the same port, with what the journal has.
  void Kill();
  void Start();

  // A command of tests/multichain/fake_node/README.md: Control("stall", "ms",
  // 2000). Returns the answer.
  fake_node::Json Control(const fake_node::Json& command);
  void Fault(absl::string_view name);
  void Mine(int64_t count = 1);
  // Calls that came with the right password, since its last start.
  int64_t Requests();

  // The result of a method; `params` is a JSON array.
  fake_node::Json Call(absl::string_view method, const std::string& params);

  // All items of the stream in the chain's order, those without a block behind
  // the others.
  std::vector<ChainItem> Items();

  const std::string& url() const { return url_; }
  const std::string& genesis() const { return genesis_; }
  const std::string& address() const { return address_; }

  std::string Logs() const;

 private:
  const int64_t target_block_ms_;
  const std::string dir_;
  std::unique_ptr<Process> process_;
  int port_ = 0;
  int control_port_ = 0;
  std::string url_;
  std::string genesis_;
  std::string address_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAULT_CHAIN_NODE_H_
