// Pages of a stream's items, as a Ledger gives them: what the mirror holds,
// with the signatures that are kept beside, and evidence where it is asked for.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_PAGES_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_PAGES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/evidence_reader.h"
#include "services/anchor/multichain/intent_store.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/stream_item.h"
#include "services/anchor/multichain/stream_node.h"
#include "services/anchor/multichain/stream_view.h"

namespace windproof {

// Thread-safe.
class StreamPages {
 public:
  // Whether another node shows something else at a height. Thread-safe.
  using SplitAt = std::function<std::optional<SplitView>(int64_t height)>;

  // `now_ms`, since the epoch, dates the evidence; `split_at` may be empty. All
  // must outlive it.
  StreamPages(const MultiChainConfig& config, std::function<int64_t()> now_ms,
              SplitAt split_at, StreamNode& node, StreamView& view,
              IntentStore& intents);

  // The page of all items, or of those that carry `key`. Unavailable: the
  // stream was never read, or the node is needed and away.
  absl::StatusOr<LedgerPage> Page(const LedgerQuery& query,
                                  const std::string* key);

  // As Ledger's.
  absl::StatusOr<LedgerChanges> Changes(int64_t first, int64_t max_items);

 private:
  // Fills the page; `places` are where its items stand.
  absl::Status Fill(const StreamMirror& mirror, const LedgerQuery& query,
                    const std::string* key, LedgerPage* page,
                    std::vector<StreamItem>* places) const;
  absl::Status AddEvidence(const LedgerQuery& query,
                           const std::vector<StreamItem>& places,
                           LedgerPage* page);

  void AddSignatures(std::vector<LedgerItem>* items);

  const MultiChainConfig config_;
  const std::function<int64_t()> now_ms_;
  const SplitAt split_at_;
  StreamView& view_;
  IntentStore& intents_;
  EvidenceReader evidence_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_STREAM_PAGES_H_
