#include "services/anchor/ledger_tree.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(LedgerTreeTest, EveryProofOfEverySizeTo130AgreesWithTheTree) {
  LedgerTree tree;
  EXPECT_EQ(tree.Root(), EmptyRoot());
  std::vector<Digest> leaves;
  std::vector<std::vector<Digest>> beside;
  for (uint64_t size = 1; size <= 130; ++size) {
    leaves.push_back(HashLeaf(absl::StrCat(size)));
    const absl::Span<const Digest> hashes = tree.Append(leaves.back());
    EXPECT_EQ(static_cast<int>(hashes.size()), HashesBeside(size - 1));
    beside.emplace_back(hashes.begin(), hashes.end());
    EXPECT_EQ(tree.size(), size);
    ASSERT_EQ(tree.Root(), MerkleRoot(leaves)) << size;
    for (uint64_t index = 0; index < size; ++index) {
      const absl::StatusOr<InclusionProof> proof = ProveFromNodes(
          index, size,
          [&](uint64_t position, int level) -> absl::StatusOr<Digest> {
            return beside.at(position).at(level);
          });
      ASSERT_TRUE(proof.ok()) << proof.status();
      EXPECT_EQ(proof->leaf_index, index);
      EXPECT_EQ(proof->leaf_count, size);
      ASSERT_EQ(proof->siblings, ProveInclusion(leaves, index)->siblings)
          << index << " of " << size;
    }
  }
}

TEST(LedgerTreeTest, RootsAndConsistencyOfEveryTwoSizesTo70AgreeWithTheTree) {
  LedgerTree tree;
  std::vector<Digest> leaves;
  std::vector<std::vector<Digest>> beside;
  const auto read = [&](uint64_t position,
                        int level) -> absl::StatusOr<Digest> {
    return beside.at(position).at(level);
  };
  EXPECT_EQ(*RootFromNodes(0, read), EmptyRoot());
  for (uint64_t size = 1; size <= 70; ++size) {
    leaves.push_back(HashLeaf(absl::StrCat(size)));
    const absl::Span<const Digest> hashes = tree.Append(leaves.back());
    beside.emplace_back(hashes.begin(), hashes.end());
    const Digest root = *RootFromNodes(size, read);
    EXPECT_EQ(root, MerkleRoot(leaves));
    for (uint64_t old_size = 1; old_size <= size; ++old_size) {
      const auto proof = ConsistencyFromNodes(old_size, size, read);
      ASSERT_TRUE(proof.ok()) << proof.status();
      ASSERT_EQ(proof->nodes, ProveConsistency(leaves, old_size)->nodes)
          << old_size << " of " << size;
      EXPECT_TRUE(
          CheckConsistency(*proof, *RootFromNodes(old_size, read), root).ok());
    }
  }
}

TEST(LedgerTreeTest, AMissingNodeIsAnError) {
  const absl::StatusOr<InclusionProof> proof =
      ProveFromNodes(3, 7, [](uint64_t, int) -> absl::StatusOr<Digest> {
        return absl::DataLossError("gone");
      });
  EXPECT_TRUE(absl::IsDataLoss(proof.status()));
}

}  // namespace
}  // namespace windproof
