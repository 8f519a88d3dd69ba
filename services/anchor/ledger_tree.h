// The RFC 6962 tree over a ledger's entries, kept so that it grows by one write
// an entry and proves any entry in O(log n).
//
// Beside leaf i lie the hashes of all complete subtrees that end with it, the
// leaf hash first: 1 + (number of one bits at the low end of i) hashes. The
// node at `level` with `index` among its level is thus found beside leaf (index
// + 1) * 2^level - 1, and nothing is ever written again. Pure. Functions are
// safe from any thread; a LedgerTree belongs to one.
#ifndef WINDPROOF_SERVICES_ANCHOR_LEDGER_TREE_H_
#define WINDPROOF_SERVICES_ANCHOR_LEDGER_TREE_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/merkle/proof.h"

namespace windproof {

class LedgerTree {
 public:
  // Appends a leaf and returns what lies beside it; valid until the next call.
  absl::Span<const Digest> Append(const Digest& leaf_hash);

  Digest Root() const;
  uint64_t size() const { return size_; }

 private:
  uint64_t size_ = 0;
  std::vector<Digest> frontier_;  // complete subtrees, largest first
  std::vector<Digest> beside_;
};

// How many hashes lie beside leaf `position`.
int HashesBeside(uint64_t position);

// The hash number `level` beside leaf `position`; level < HashesBeside().
using NodeReader =
    absl::FunctionRef<absl::StatusOr<Digest>(uint64_t position, int level)>;

// The inclusion proof of leaf `leaf_index` in the tree of the first `size`
// leaves; leaf_index < size. Fails only as `reader` does.
absl::StatusOr<InclusionProof> ProveFromNodes(uint64_t leaf_index,
                                              uint64_t size, NodeReader reader);

// The root of the tree of the first `size` leaves. Fails only as `reader` does.
absl::StatusOr<Digest> RootFromNodes(uint64_t size, NodeReader reader);

// Shows that the tree of the first `new_size` leaves begins with that of the
// first `old_size`; 0 < old_size <= new_size. Fails only as `reader` does.
absl::StatusOr<ConsistencyProof> ConsistencyFromNodes(uint64_t old_size,
                                                      uint64_t new_size,
                                                      NodeReader reader);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_LEDGER_TREE_H_
