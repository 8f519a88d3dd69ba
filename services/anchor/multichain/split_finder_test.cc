#include "services/anchor/multichain/split_finder.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// A chain that a test writes down.
class FakeSide final : public ChainSide {
 public:
  // As the other one, up to `height`, then of its own.
  void Build(int64_t height, const std::string& name, int64_t from) {
    hashes_.resize(static_cast<size_t>(from));
    for (int64_t h = static_cast<int64_t>(hashes_.size()); h <= height; ++h) {
      hashes_.push_back(absl::StrCat(name, h));
    }
  }
  void CopyFrom(const FakeSide& other) { hashes_ = other.hashes_; }
  void AddItem(int64_t height, const std::string& name) {
    items_.insert(absl::StrCat(height, " ", name, ":0 hash"));
  }
  int64_t asked() const { return asked_; }

  absl::StatusOr<int64_t> Height() override {
    return static_cast<int64_t>(hashes_.size()) - 1;
  }
  absl::StatusOr<std::string> BlockHash(int64_t height) override {
    ++asked_;
    if (height < 0 || height >= static_cast<int64_t>(hashes_.size())) {
      return absl::NotFoundError("no such block");
    }
    return hashes_[static_cast<size_t>(height)];
  }
  absl::StatusOr<std::set<std::string>> Items(int64_t first,
                                              int64_t end) override {
    std::set<std::string> items;
    for (const std::string& item : items_) {
      const int64_t height = std::stoll(item);
      if (height >= first && height < end) items.insert(item);
    }
    return items;
  }

 private:
  std::vector<std::string> hashes_;
  std::set<std::string> items_;
  int64_t asked_ = 0;
};

class SplitFinderTest : public ::testing::Test {
 protected:
  // Two chains of these heights that part at `fork`.
  void Build(int64_t ours, int64_t theirs, int64_t fork) {
    ours_.Build(ours, "a", 0);
    theirs_.CopyFrom(ours_);
    theirs_.Build(theirs, "b", std::min(fork, ours + 1));
  }
  std::optional<Split> Find(SplitFinder& finder) {
    const auto split = finder.Find();
    EXPECT_TRUE(split.ok()) << split.status();
    return split.ok() ? *split : std::nullopt;
  }

  FakeSide ours_;
  FakeSide theirs_;
};

// Every pair of heights, every fork, some confirmations: what a walk from the
// first block on says.
TEST_F(SplitFinderTest, FindsTheFirstBlockThatDiffersWhereBothAreSureOfIt) {
  for (int64_t ours = 0; ours <= 9; ++ours) {
    for (int64_t theirs = 0; theirs <= 9; ++theirs) {
      for (int64_t fork = 1; fork <= std::min(ours, theirs) + 1; ++fork) {
        for (int64_t confirmations : {1, 2, 4}) {
          ours_ = FakeSide();
          theirs_ = FakeSide();
          Build(ours, theirs, fork);
          SplitFinder finder(confirmations, ours_, theirs_);
          const std::optional<Split> split = Find(finder);
          const int64_t sure = std::min(ours, theirs) - confirmations + 1;
          const bool differ = fork <= sure;
          ASSERT_EQ(split.has_value(), differ)
              << ours << " " << theirs << " " << fork << " " << confirmations;
          if (differ) {
            EXPECT_EQ(split->height, fork);
            EXPECT_EQ(split->ours, absl::StrCat("a", fork));
            EXPECT_EQ(split->theirs, absl::StrCat("b", fork));
            EXPECT_FALSE(split->of_items);
          }
          EXPECT_EQ(Find(finder), split);
        }
      }
    }
  }
}

TEST_F(SplitFinderTest, ANodeThatIsBehindShowsNothingElse) {
  Build(100, 100, 101);
  ours_.Build(200, "a", 101);
  SplitFinder finder(1, ours_, theirs_);
  EXPECT_FALSE(Find(finder).has_value());
  EXPECT_EQ(finder.agreed(), 100);
  // What both agreed on is not asked for again.
  const int64_t asked = ours_.asked();
  EXPECT_FALSE(Find(finder).has_value());
  EXPECT_LE(ours_.asked() - asked, 2);
}

TEST_F(SplitFinderTest, ASplitBelowWhatWasAgreedIsFoundAndMayEnd) {
  Build(50, 50, 51);
  SplitFinder finder(1, ours_, theirs_);
  EXPECT_FALSE(Find(finder).has_value());
  theirs_.Build(60, "b", 20);
  EXPECT_EQ(Find(finder)->height, 20);
  ours_.CopyFrom(theirs_);
  EXPECT_FALSE(Find(finder).has_value());
}

TEST_F(SplitFinderTest, OtherItemsInTheSameBlockAreASplit) {
  Build(700, 700, 701);
  for (FakeSide* side : {&ours_, &theirs_}) {
    side->AddItem(5, "both");
    side->AddItem(600, "both");
  }
  SplitFinder finder(3, ours_, theirs_);
  EXPECT_FALSE(Find(finder).has_value());
  // Above what both are sure of.
  ours_.AddItem(699, "new");
  EXPECT_FALSE(Find(finder).has_value());
  SplitFinder another(3, ours_, theirs_);
  ours_.AddItem(650, "ours");
  theirs_.AddItem(640, "theirs");
  const std::optional<Split> split = Find(another);
  ASSERT_TRUE(split.has_value());
  EXPECT_TRUE(split->of_items);
  EXPECT_EQ(split->height, 640);
  EXPECT_EQ(split->only_ours, "650 ours:0 hash");
  EXPECT_EQ(split->only_theirs, "640 theirs:0 hash");
  EXPECT_EQ(split->ours, split->theirs);
}

}  // namespace
}  // namespace windproof
