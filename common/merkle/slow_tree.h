// RFC 6962 section 2.1 written line by line, recursive and slow: what the fast
// code is compared with in tests.
//
// Source: RFC 6962 sections 2.1 (MTH), 2.1.1 (PATH), 2.1.2 (PROOF, SUBPROOF).
#ifndef WINDPROOF_COMMON_MERKLE_SLOW_TREE_H_
#define WINDPROOF_COMMON_MERKLE_SLOW_TREE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/crypto/sha256.h"

namespace windproof {

// D[n]: the data entries themselves, not their hashes.
using SlowEntries = std::vector<std::string>;

// MTH(D[n]).
Digest SlowMth(const SlowEntries& d);

// PATH(m, D[n]).
std::vector<Digest> SlowPath(uint64_t m, const SlowEntries& d);

// PROOF(m, D[n]), 0 < m <= n.
std::vector<Digest> SlowProof(uint64_t m, const SlowEntries& d);

// n entries of several lengths, no two equal.
SlowEntries SomeEntries(uint64_t n);

// HashLeaf of each.
std::vector<Digest> LeafHashesOf(const SlowEntries& entries);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_MERKLE_SLOW_TREE_H_
