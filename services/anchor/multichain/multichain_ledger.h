// A ledger that others keep: a stream of a MultiChain 2 chain.
//
// Source: docs/formats/ledger.md (MultiChain), the behaviour of MultiChain
// 2.3.3. Direct mode: an item is a stream item, with the draft's data byte by
// byte and its keys. An item's signer and signature do not fit into it; they
// are kept beside, and given back where they are known.
//
// It is put together of parts: StreamView (what is known of the stream),
// StreamPublisher (each item with one effect), StreamPages (reading).
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_LEDGER_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/json_rpc.h"
#include "services/anchor/multichain/multichain_config.h"

namespace windproof {

// Thread-safe.
class MultiChainLedger : public Ledger {
 public:
  struct Options {
    MultiChainConfig config;
    // Folder of intents and signatures, and in `mirror` of what is known of the
    // stream. The second may be deleted: it is rebuilt from the chain.
    std::string store_path;
    int64_t poll_ms = 500;
    std::function<int64_t()> now_ms;  // since the epoch; the system's clock
    // For how long something lasts: never goes back. The steady clock.
    std::function<int64_t()> steady_ms;
    // Told what an operator must know, one line each. Must be thread-safe.
    std::function<void(absl::string_view)> warn;
    // In the place of the nodes of the configuration: for tests.
    std::unique_ptr<JsonRpc> rpc;
  };

  // Asks no node yet: State() says what is wrong until one is as configured.
  // InvalidArgument: a URL. Unavailable: another process has the store.
  static absl::StatusOr<std::unique_ptr<MultiChainLedger>> Open(
      Options options);
  ~MultiChainLedger() override;

  absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> items) override;
  bool WillPublish(const Digest& data) override;
  absl::StatusOr<LedgerPage> Find(absl::string_view key,
                                  const LedgerQuery& query) override;
  absl::StatusOr<LedgerPage> Read(const LedgerQuery& query) override;
  // Asks the node.
  absl::StatusOr<LedgerState> State() override;
  // As the poller, or a call, found it last.
  LedgerState LastState() override;
  absl::StatusOr<LedgerChanges> Changes(int64_t first,
                                        int64_t max_items) override;
  bool WaitForGrowth(int64_t size,
                     std::chrono::steady_clock::time_point deadline) override;
  void StopWaiting() override;

 private:
  struct Parts;
  explicit MultiChainLedger(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_MULTICHAIN_LEDGER_H_
