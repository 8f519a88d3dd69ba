// Fetches what shows that an item stands in a block of the chain.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_EVIDENCE_READER_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_EVIDENCE_READER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/sync/mutex.h"
#include "services/anchor/ledger.h"
#include "services/anchor/multichain/stream_item.h"
#include "services/anchor/multichain/stream_node.h"

namespace windproof {

// Thread-safe. Keeps the last blocks and transactions: items come in runs.
class EvidenceReader {
 public:
  // `node` must outlive it.
  explicit EvidenceReader(StreamNode& node);

  // The transaction, and where the item is confirmed, its block: without chain,
  // genesis, stream and time. NotFound: the block does not have it any more.
  absl::StatusOr<ChainEvidence> Read(const StreamItem& item);

 private:
  template <typename Value>
  struct Cache {
    absl::flat_hash_map<std::string, std::shared_ptr<const Value>> values;
    std::deque<std::string> order;

    std::shared_ptr<const Value> Find(const std::string& name) const;
    void Put(const std::string& name, std::shared_ptr<const Value> value,
             size_t most);
  };

  StreamNode& node_;
  Mutex mutex_;
  Cache<ChainBlock> blocks_ ABSL_GUARDED_BY(mutex_);
  Cache<std::string> transactions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_EVIDENCE_READER_H_
