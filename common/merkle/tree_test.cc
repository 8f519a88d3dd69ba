#include "common/merkle/tree.h"

#include <string>
#include <vector>

#include "common/merkle/slow_tree.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(TreeTest, RootOfNothingIsTheHashOfNoBytes) {
  EXPECT_EQ(HexOf(EmptyRoot()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(MerkleRoot({}), EmptyRoot());
  EXPECT_EQ(StreamingRoot().Root(), EmptyRoot());
}

// The prefixes keep a leaf from passing as a node.
TEST(TreeTest, LeafAndNodeAreHashedApart) {
  const Digest left = HashLeaf("left");
  const Digest right = HashLeaf("right");
  const std::string both =
      std::string(BytesOf(left)) + std::string(BytesOf(right));
  EXPECT_EQ(HashNode(left, right), Sha256Of("\x01" + both));
  EXPECT_NE(HashNode(left, right), HashLeaf(both));
  EXPECT_NE(HashNode(left, right), HashNode(right, left));
}

TEST(TreeTest, LeafHashOfEveryLengthAroundTheBuffer) {
  std::string bytes;
  for (int length = 0; length <= 1100; ++length) {
    EXPECT_EQ(HashLeaf(bytes), Sha256Of(std::string(1, '\0') + bytes))
        << length;
    bytes.push_back(static_cast<char>(length));
  }
}

TEST(TreeTest, EverySizeTo300AgreesWithTheSlowTree) {
  StreamingRoot streaming;
  for (uint64_t size = 0; size <= 300; ++size) {
    const SlowEntries entries = SomeEntries(size);
    const Digest expected = SlowMth(entries);
    EXPECT_EQ(MerkleRoot(LeafHashesOf(entries)), expected) << size;
    if (size > 0) streaming.Add(HashLeaf(entries.back()));
    EXPECT_EQ(streaming.size(), size);
    EXPECT_EQ(streaming.Root(), expected) << size;
  }
}

TEST(StreamingRootTest, GoesOnFromSavedSubtrees) {
  const std::vector<Digest> leaves = LeafHashesOf(SomeEntries(100));
  for (size_t cut = 0; cut <= leaves.size(); ++cut) {
    StreamingRoot first;
    for (size_t i = 0; i < cut; ++i) first.Add(leaves[i]);
    StreamingRoot second =
        StreamingRoot::FromSubtrees(first.size(), first.subtrees());
    for (size_t i = cut; i < leaves.size(); ++i) second.Add(leaves[i]);
    EXPECT_EQ(second.Root(), MerkleRoot(leaves)) << cut;
  }
}

TEST(StreamingRootTest, ClearBeginsAnewWithoutNewMemory) {
  StreamingRoot root;
  const std::vector<Digest> leaves = LeafHashesOf(SomeEntries(63));
  for (const Digest& leaf : leaves) root.Add(leaf);
  const Digest* memory = root.subtrees().data();
  root.Clear();
  EXPECT_EQ(root.size(), 0u);
  EXPECT_EQ(root.Root(), EmptyRoot());
  for (const Digest& leaf : leaves) root.Add(leaf);
  EXPECT_EQ(root.subtrees().data(), memory);
  EXPECT_EQ(root.Root(), MerkleRoot(leaves));
}

}  // namespace
}  // namespace windproof
