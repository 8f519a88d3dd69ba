// An anchor on a MultiChain stream as a process, with an address and a data
// folder that stay when it is started again; and what it says of itself.
//
// Errors of the harness fail the test. Single-owner, and of the thread that
// began the test.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAULT_CHAIN_ANCHOR_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAULT_CHAIN_ANCHOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "tests/e2e/process.h"
#include "tests/multichain/fault/chain_node.h"

namespace windproof {

// A file as --multichain-config takes it. `more` are lines.
std::string ChainConfigFile(const ChainNode& node,
                            const std::string& more = "");

class ChainAnchor {
 public:
  // Starts it and waits for READY. `node` must outlive it.
  explicit ChainAnchor(const ChainNode& node, const std::string& more = "");

  // Start() waits for READY, Begin() does not.
  void Start();
  void Begin();
  void Kill();
  // SIGTERM, and it must end well.
  void Stop();
  void DeleteData();
  Process& process() { return *process_; }

  // HOST:PORT
  const std::string& address() const { return address_; }

  // Each an empty answer with a failed test where the call fails.
  v1::LedgerStatus Status();
  std::string Metrics();
  // -1: /metrics has none of that name.
  double Metric(absl::string_view name);
  // SERVING, NOT_SERVING, or what the call itself failed with.
  std::string Health();
  // `windproof anchor status ARGUMENTS`.
  Outcome StatusCommand(std::vector<std::string> arguments = {}) const;

  // Waits until nothing is on its way to the chain any more: nothing pending,
  // nothing without a block. False when that does not come.
  bool WaitSettled();

  // What all its processes said, for a failure's message.
  std::string Logs() const;

 private:
  const std::string config_;
  const std::string dir_;
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<Process> process_;
  std::string old_logs_;
};

}  // namespace windproof

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAULT_CHAIN_ANCHOR_H_
