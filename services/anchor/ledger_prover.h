// Proofs out of the tree nodes that an embedded ledger stores.
//
// Source: RFC 6962 section 2.1. The nodes that were read are kept: make one for
// each page or question, and drop it. Belongs to one thread.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_PROVER_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_PROVER_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/crypto/sha256.h"
#include "common/merkle/proof.h"
#include "services/anchor/embedded_ledger_store.h"

namespace windproof {

// Sizes are of trees that the ledger had: no larger than it is now. DataLoss: a
// node is not stored. Unavailable: the disk fails.
class LedgerProver {
 public:
  // `store` must outlive it.
  explicit LedgerProver(EmbeddedLedgerStore& store) : store_(store) {}

  // The root of the first `size` entries.
  absl::StatusOr<Digest> Root(int64_t size);
  // Of the entry at `position` in the tree of the first `size` > position.
  absl::StatusOr<InclusionProof> Inclusion(int64_t position, int64_t size);
  // 0 < old_size <= new_size.
  absl::StatusOr<ConsistencyProof> Consistency(int64_t old_size,
                                               int64_t new_size);

 private:
  absl::StatusOr<Digest> Node(uint64_t position, int level);

  EmbeddedLedgerStore& store_;
  // Neighbours share most of their paths.
  absl::flat_hash_map<uint64_t, std::string> nodes_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_PROVER_H_
