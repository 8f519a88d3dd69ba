// Leaf hashes, nodes, trees and proofs.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "common/merkle/proof.h"
#include "common/merkle/tree.h"
#include "tests/bench/beside_sha256.h"

namespace windproof {
namespace {

std::vector<Digest> Leaves(int64_t count) {
  std::vector<Digest> leaves;
  for (int64_t i = 0; i < count; ++i) {
    leaves.push_back(HashLeaf(std::to_string(i)));
  }
  return leaves;
}

// So that a batch is long enough to be timed.
int BatchOf(size_t leaves) {
  return static_cast<int>(std::max<size_t>(1, 1000 / leaves));
}

void LeafHash(benchmark::State& state) {
  const std::string bytes(state.range(0), 'x');
  RunBesideSha256(state, bytes, 1000,
                  [&] { benchmark::DoNotOptimize(HashLeaf(bytes)); });
}
BENCHMARK(LeafHash)->Arg(50)->Arg(100)->Arg(1000)->UseManualTime();

// Beside SHA-256 of the 65 bytes that a node hashes.
void NodeHash(benchmark::State& state) {
  const Digest left = HashLeaf("left");
  const Digest right = HashLeaf("right");
  RunBesideSha256(state, std::string(65, 'x'), 1000,
                  [&] { benchmark::DoNotOptimize(HashNode(left, right)); });
}
BENCHMARK(NodeHash)->UseManualTime();

// From leaf hashes, beside SHA-256 of all of them.
void TreeRoot(benchmark::State& state) {
  const std::vector<Digest> leaves = Leaves(state.range(0));
  const std::string bytes(32 * leaves.size(), 'x');
  RunBesideSha256(state, bytes, BatchOf(leaves.size()),
                  [&] { benchmark::DoNotOptimize(MerkleRoot(leaves)); });
}
BENCHMARK(TreeRoot)->Arg(6)->Arg(60)->Arg(1000)->Arg(100'000)->UseManualTime();

void TreeStreaming(benchmark::State& state) {
  const std::vector<Digest> leaves = Leaves(state.range(0));
  const std::string bytes(32 * leaves.size(), 'x');
  StreamingRoot root;
  RunBesideSha256(state, bytes, BatchOf(leaves.size()), [&] {
    root.Clear();
    for (const Digest& leaf : leaves) root.Add(leaf);
    benchmark::DoNotOptimize(root.Root());
  });
}
BENCHMARK(TreeStreaming)->Arg(60)->Arg(1000)->UseManualTime();

void InclusionVerify(benchmark::State& state) {
  const std::vector<Digest> leaves = Leaves(state.range(0));
  const InclusionProof proof = *ProveInclusion(leaves, leaves.size() / 3);
  const std::string bytes(65 * proof.siblings.size(), 'x');
  RunBesideSha256(state, bytes, 100, [&] {
    benchmark::DoNotOptimize(
        RootFromInclusionProof(leaves[leaves.size() / 3], proof));
  });
}
BENCHMARK(InclusionVerify)->Arg(1000)->Arg(100'000)->UseManualTime();

}  // namespace
}  // namespace windproof
