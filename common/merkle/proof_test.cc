#include "common/merkle/proof.h"

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/merkle/slow_tree.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using ::testing::Test;

TEST(InclusionTest, EveryLeafOfEverySizeTo300) {
  for (uint64_t size = 1; size <= 300; ++size) {
    const SlowEntries entries = SomeEntries(size);
    const std::vector<Digest> leaves = LeafHashesOf(entries);
    const Digest root = MerkleRoot(leaves);
    for (uint64_t index = 0; index < size; ++index) {
      const absl::StatusOr<InclusionProof> proof =
          ProveInclusion(leaves, index);
      ASSERT_TRUE(proof.ok()) << proof.status();
      // The slow one copies at each level: all leaves of the small trees, and
      // some of the rest.
      if (size <= 65 || (size + index) % 101 == 0) {
        ASSERT_EQ(proof->siblings, SlowPath(index, entries))
            << index << " of " << size;
      }
      const absl::StatusOr<Digest> found =
          RootFromInclusionProof(leaves[index], *proof);
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_EQ(*found, root) << index << " of " << size;
    }
  }
}

TEST(ConsistencyTest, EveryPairOfSizesTo130) {
  const std::vector<Digest> all = LeafHashesOf(SomeEntries(130));
  for (uint64_t size = 1; size <= all.size(); ++size) {
    const absl::Span<const Digest> leaves =
        absl::Span<const Digest>(all).first(size);
    const Digest root = MerkleRoot(leaves);
    for (uint64_t old_size = 1; old_size <= size; ++old_size) {
      const absl::StatusOr<ConsistencyProof> proof =
          ProveConsistency(leaves, old_size);
      ASSERT_TRUE(proof.ok()) << proof.status();
      if (size <= 65) {
        ASSERT_EQ(proof->nodes, SlowProof(old_size, SomeEntries(size)))
            << old_size << " of " << size;
      }
      const absl::Status status =
          CheckConsistency(*proof, MerkleRoot(leaves.first(old_size)), root);
      ASSERT_TRUE(status.ok()) << old_size << " of " << size << ": " << status;
    }
  }
}

// Each way to lie about an inclusion, in every tree to 33 leaves.
class InclusionLieTest : public Test {
 protected:
  // Calls `lie(leaf, proof, root)` for honest ones, which it changes; what it
  // makes of them must not lead to `root`.
  template <typename Lie>
  void ExpectRefused(Lie lie) {
    for (uint64_t size = 1; size <= 33; ++size) {
      const std::vector<Digest> leaves = LeafHashesOf(SomeEntries(size));
      for (uint64_t index = 0; index < size; ++index) {
        InclusionProof proof = *ProveInclusion(leaves, index);
        Digest leaf = leaves[index];
        Digest root = MerkleRoot(leaves);
        if (!lie(leaf, proof, root)) continue;
        const absl::StatusOr<Digest> found =
            RootFromInclusionProof(leaf, proof);
        EXPECT_FALSE(found.ok() && *found == root) << index << " of " << size;
        ++tried_;
      }
    }
    EXPECT_GT(tried_, 0);
  }

  int tried_ = 0;
};

TEST_F(InclusionLieTest, TrailingSibling) {
  ExpectRefused([](Digest&, InclusionProof& proof, Digest& root) {
    proof.siblings.push_back(root);
    return true;
  });
}

TEST_F(InclusionLieTest, PrecedingSibling) {
  ExpectRefused([](Digest& leaf, InclusionProof& proof, Digest&) {
    proof.siblings.insert(proof.siblings.begin(), leaf);
    return true;
  });
}

TEST_F(InclusionLieTest, MissingSibling) {
  ExpectRefused([](Digest&, InclusionProof& proof, Digest&) {
    if (proof.siblings.empty()) return false;
    proof.siblings.pop_back();
    return true;
  });
}

TEST_F(InclusionLieTest, SwappedSiblings) {
  ExpectRefused([](Digest&, InclusionProof& proof, Digest&) {
    if (proof.siblings.size() < 2) return false;
    std::swap(proof.siblings.front(), proof.siblings.back());
    return true;
  });
}

TEST_F(InclusionLieTest, ChangedSibling) {
  ExpectRefused([](Digest&, InclusionProof& proof, Digest&) {
    if (proof.siblings.empty()) return false;
    proof.siblings.back()[31] ^= 1;
    return true;
  });
}

TEST_F(InclusionLieTest, WrongLeaf) {
  ExpectRefused([](Digest& leaf, InclusionProof&, Digest&) {
    leaf[0] ^= 0x80;
    return true;
  });
}

TEST_F(InclusionLieTest, LeafIndexOfANeighbour) {
  ExpectRefused([](Digest&, InclusionProof& proof, Digest&) {
    proof.leaf_index ^= 1;
    return true;
  });
}

TEST_F(InclusionLieTest, LeafIndexPastTheEnd) {
  ExpectRefused([](Digest&, InclusionProof& proof, Digest&) {
    proof.leaf_index = proof.leaf_count;
    return true;
  });
}

TEST_F(InclusionLieTest, EmptyTree) {
  ExpectRefused([](Digest&, InclusionProof& proof, Digest&) {
    proof.leaf_count = 0;
    return true;
  });
}

TEST_F(InclusionLieTest, ANodeAsALeaf) {
  // A tree one level lower over the nodes has the same root; only HashLeaf's
  // prefix, which the caller applies to bytes, tells the two apart. With the
  // tree's true size the shape does.
  ExpectRefused([](Digest& leaf, InclusionProof& proof, Digest&) {
    if (proof.siblings.empty()) return false;
    leaf = proof.leaf_index % 2 == 0 ? HashNode(leaf, proof.siblings[0])
                                     : HashNode(proof.siblings[0], leaf);
    proof.siblings.erase(proof.siblings.begin());
    return true;
  });
}

TEST(InclusionTest, LargestSizesAreNoOverflow) {
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  EXPECT_TRUE(absl::IsInvalidArgument(
      RootFromInclusionProof(kZeroDigest, {most, most, {}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      RootFromInclusionProof(kZeroDigest, {0, most, {}}).status()));
  const std::vector<Digest> siblings(64, kZeroDigest);
  EXPECT_TRUE(RootFromInclusionProof(kZeroDigest, {0, most, siblings}).ok());
  EXPECT_FALSE(
      CheckConsistency({most - 1, most, siblings}, kZeroDigest, kZeroDigest)
          .ok());
  EXPECT_FALSE(
      CheckConsistency({most, most, siblings}, kZeroDigest, kZeroDigest).ok());
}

// Each way to lie about a consistency, for every pair of sizes to 17.
class ConsistencyLieTest : public Test {
 protected:
  template <typename Lie>
  void ExpectRefused(Lie lie) {
    const std::vector<Digest> all = LeafHashesOf(SomeEntries(17));
    for (uint64_t size = 1; size <= all.size(); ++size) {
      const absl::Span<const Digest> leaves =
          absl::Span<const Digest>(all).first(size);
      for (uint64_t old_size = 1; old_size <= size; ++old_size) {
        ConsistencyProof proof = *ProveConsistency(leaves, old_size);
        Digest old_root = MerkleRoot(leaves.first(old_size));
        Digest new_root = MerkleRoot(leaves);
        if (!lie(proof, old_root, new_root)) continue;
        EXPECT_TRUE(absl::IsInvalidArgument(
            CheckConsistency(proof, old_root, new_root)))
            << old_size << " of " << size;
        ++tried_;
      }
    }
    EXPECT_GT(tried_, 0);
  }

  int tried_ = 0;
};

TEST_F(ConsistencyLieTest, SwappedRoots) {
  ExpectRefused(
      [](ConsistencyProof& proof, Digest& old_root, Digest& new_root) {
        std::swap(old_root, new_root);
        return proof.old_size != proof.new_size;
      });
}

TEST_F(ConsistencyLieTest, WrongOldRoot) {
  ExpectRefused([](ConsistencyProof&, Digest& old_root, Digest&) {
    old_root[5] ^= 1;
    return true;
  });
}

TEST_F(ConsistencyLieTest, WrongNewRoot) {
  ExpectRefused([](ConsistencyProof&, Digest&, Digest& new_root) {
    new_root[5] ^= 1;
    return true;
  });
}

TEST_F(ConsistencyLieTest, TrailingNode) {
  ExpectRefused([](ConsistencyProof& proof, Digest&, Digest& new_root) {
    proof.nodes.push_back(new_root);
    return true;
  });
}

TEST_F(ConsistencyLieTest, MissingNode) {
  ExpectRefused([](ConsistencyProof& proof, Digest&, Digest&) {
    if (proof.nodes.empty()) return false;
    proof.nodes.pop_back();
    return true;
  });
}

TEST_F(ConsistencyLieTest, ChangedNode) {
  ExpectRefused([](ConsistencyProof& proof, Digest&, Digest&) {
    if (proof.nodes.empty()) return false;
    proof.nodes.back()[0] ^= 1;
    return true;
  });
}

TEST_F(ConsistencyLieTest, ShrunkTree) {
  ExpectRefused([](ConsistencyProof& proof, Digest&, Digest&) {
    std::swap(proof.old_size, proof.new_size);
    return proof.old_size != proof.new_size;
  });
}

TEST_F(ConsistencyLieTest, EmptyOldTree) {
  ExpectRefused([](ConsistencyProof& proof, Digest& old_root, Digest&) {
    proof = {0, proof.new_size, {}};
    old_root = EmptyRoot();
    return true;
  });
}

TEST(SubtreeTest, EverySubtreeOfEverySizeTo33) {
  const std::vector<Digest> all = LeafHashesOf(SomeEntries(33));
  for (uint64_t start = 0; start < all.size(); ++start) {
    for (uint64_t end = start + 1; end <= all.size(); ++end) {
      const absl::Span<const Digest> leaves =
          absl::Span<const Digest>(all).subspan(start, end - start);
      uint64_t step = 1;
      while (step < leaves.size()) step *= 2;
      for (uint64_t index = start; index < end; ++index) {
        const absl::StatusOr<Digest> root = RootFromSubtreeInclusionProof(
            all[index], index, {start, end},
            ProveInclusion(leaves, index - start)->siblings);
        EXPECT_EQ(root.ok(), start % step == 0) << start << " " << end;
        if (!root.ok()) continue;
        EXPECT_EQ(*root, MerkleRoot(leaves));
      }
    }
  }
}

TEST(ProveTest, RefusesWhatTheTreeDoesNotHave) {
  const std::vector<Digest> leaves = LeafHashesOf(SomeEntries(3));
  EXPECT_TRUE(absl::IsInvalidArgument(ProveInclusion(leaves, 3).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ProveInclusion({}, 0).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ProveConsistency(leaves, 4).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ProveConsistency(leaves, 0).status()));
}

}  // namespace
}  // namespace windproof
