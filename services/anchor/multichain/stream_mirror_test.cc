#include "services/anchor/multichain/stream_mirror.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/anchor/multichain/rocks_mirror_store.h"
#include "services/anchor/multichain/testing/memory_mirror_store.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

StreamItem Item(char name, const std::string& data, int64_t height = -1) {
  StreamItem item;
  item.txid = std::string(64, name);
  item.keys = {"k", "k/" + data};
  item.publishers = {"us"};
  item.data_is = StreamItem::Data::kHere;
  item.data = data;
  item.height = height;
  if (height >= 0) item.block_hash = std::to_string(height);
  return item;
}

// On a store in memory and on one in RocksDB.
class StreamMirrorTest : public ::testing::TestWithParam<bool> {
 protected:
  StreamMirrorTest() { Reopen(); }

  // As after kill -9 of the process.
  void Reopen() {
    mirror_.reset();
    if (GetParam()) {
      store_.reset();
      auto store = RocksMirrorStore::Open(dir_.path() + "/mirror");
      ASSERT_TRUE(store.ok()) << store.status();
      store_ = *std::move(store);
    } else if (store_ == nullptr) {
      store_ = std::make_unique<MemoryMirrorStore>();
    } else {
      store_->Discard();
    }
    auto mirror =
        StreamMirror::Open(*store_, {"us"}, [this] { return now_ms_; });
    ASSERT_TRUE(mirror.ok()) << mirror.status();
    mirror_ = *std::move(mirror);
  }

  StreamMirror::Change Take(const StreamItem& item) {
    StreamMirror::Change change;
    EXPECT_TRUE(mirror_->Take(item, &change).ok());
    return change;
  }
  void Unconfirm(int64_t height) {
    StreamMirror::Change change;
    EXPECT_TRUE(mirror_->Unconfirm(height, &change).ok());
  }
  void MarkLost(int64_t position) {
    StreamMirror::Change change;
    EXPECT_TRUE(mirror_->MarkLost(position, &change).ok());
  }
  StreamMirror::Item At(int64_t position) {
    auto item = mirror_->at(position);
    EXPECT_TRUE(item.ok()) << item.status();
    return item.ok() ? *std::move(item) : StreamMirror::Item();
  }
  std::vector<int64_t> Unconfirmed() {
    std::vector<int64_t> positions;
    for (const auto& [position, since] : mirror_->unconfirmed()) {
      positions.push_back(position);
    }
    return positions;
  }
  std::vector<int64_t> Find(const std::string& key, int64_t first = 0) {
    std::vector<int64_t> positions;
    EXPECT_TRUE(mirror_
                    ->Visit(first, &key,
                            [&](int64_t position, StreamMirror::Item&) {
                              positions.push_back(position);
                              return true;
                            })
                    .ok());
    return positions;
  }
  int64_t FindData(const std::string& data) {
    const auto found = mirror_->FindData(Sha256Of(data));
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(-2);
  }

  TempDir dir_;
  int64_t now_ms_ = 1000;
  std::unique_ptr<MirrorStore> store_;
  std::unique_ptr<StreamMirror> mirror_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StreamMirrorTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "RocksDb" : "Memory";
                         });

TEST_P(StreamMirrorTest, AnItemKeepsItsPositionWhereverItStands) {
  EXPECT_EQ(Take(Item('a', "1")).added, 1);
  EXPECT_EQ(Take(Item('b', "2")).added, 1);
  EXPECT_EQ(mirror_->unconfirmed().size(), 2u);
  EXPECT_FALSE(Take(Item('a', "1")).any());
  EXPECT_EQ(Take(Item('b', "2", 5)).confirmed, 1);
  EXPECT_EQ(Take(Item('a', "1", 6)).positions, (std::vector<int64_t>{0}));
  EXPECT_EQ(mirror_->size(), 2);
  EXPECT_EQ(At(0).item.data, "1");
  EXPECT_EQ(At(1).item.height, 5);
  EXPECT_TRUE(mirror_->unconfirmed().empty());
  EXPECT_EQ(Find("k"), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(Find("k", 1), (std::vector<int64_t>{1}));
  EXPECT_TRUE(Find("k/").empty());
}

TEST_P(StreamMirrorTest, AReorganisationTakesBlocksAwayAndGivesOthers) {
  Take(Item('a', "1", 5));
  Take(Item('b', "2", 6));
  Take(Item('c', "3", 7));
  Unconfirm(6);
  EXPECT_EQ(Unconfirmed(), (std::vector<int64_t>{1, 2}));
  EXPECT_FALSE(At(1).item.confirmed());
  EXPECT_EQ(Take(Item('b', "2", 7)).confirmed, 1);
  // An old entry of height 7 is not another item's.
  Unconfirm(8);
  EXPECT_TRUE(At(1).item.confirmed());
  Unconfirm(7);
  EXPECT_FALSE(At(1).item.confirmed());
  EXPECT_TRUE(At(0).item.confirmed());
}

TEST_P(StreamMirrorTest, WhatIsLostLeavesItsPositionEmptyUntilItIsBack) {
  Take(Item('a', "1"));
  MarkLost(0);
  EXPECT_TRUE(At(0).lost);
  EXPECT_EQ(mirror_->lost(), 1);
  EXPECT_EQ(FindData("1"), -1);
  // Published again, it is another item and no double.
  Take(Item('b', "1"));
  EXPECT_EQ(FindData("1"), 1);
  EXPECT_EQ(mirror_->doubles(), 0);
  Take(Item('a', "1", 9));
  EXPECT_FALSE(At(0).lost);
  EXPECT_EQ(mirror_->lost(), 0);
  StreamItem invalid = Item('b', "1");
  invalid.valid = false;
  Take(invalid);
  EXPECT_TRUE(At(1).lost);
}

TEST_P(StreamMirrorTest, ForeignItemsAreCountedOnceAndNotTaken) {
  StreamItem foreign = Item('f', "x");
  foreign.publishers = {"them"};
  Take(foreign);
  Take(foreign);
  EXPECT_EQ(mirror_->foreign(), 1);
  EXPECT_EQ(mirror_->size(), 0);
  // Who signs with us signs what we signed.
  foreign.publishers = {"them", "us"};
  Take(foreign);
  EXPECT_EQ(mirror_->size(), 1);
}

TEST_P(StreamMirrorTest, IdenticalDoublesAreCounted) {
  Take(Item('a', "1"));
  Take(Item('b', "1"));
  EXPECT_EQ(mirror_->doubles(), 1);
  EXPECT_EQ(FindData("1"), 0);
  EXPECT_EQ(mirror_->size(), 2);
}

TEST_P(StreamMirrorTest, AnUnreadableItemIsNone) {
  EXPECT_FALSE(Take(StreamItem()).any());
  EXPECT_EQ(mirror_->size(), 0);
}

TEST_P(StreamMirrorTest, WhatIsFoundByHeightIsWhatStandsThere) {
  for (int i = 0; i < 10; ++i) {
    Take(Item(static_cast<char>('0' + i), absl::StrCat(i), i / 2));
  }
  Unconfirm(4);
  std::vector<int64_t> found;
  ASSERT_TRUE(mirror_
                  ->VisitHeights(1, 5,
                                 [&](int64_t position, const Digest& data) {
                                   found.push_back(position);
                                   EXPECT_EQ(data,
                                             Sha256Of(absl::StrCat(position)));
                                 })
                  .ok());
  EXPECT_EQ(found, (std::vector<int64_t>{2, 3, 4, 5, 6, 7}));
}

TEST_P(StreamMirrorTest, WhatWasCommittedIsThereAfterARestartAndNothingElse) {
  Take(Item('a', "1", 5));
  Take(Item('b', "2"));
  StreamItem foreign = Item('f', "x", 5);
  foreign.publishers = {"them"};
  Take(foreign);
  mirror_->PutBlock({5, "five", 2});
  ASSERT_TRUE(mirror_->Commit({"tip", 7, 2, 3, "last"}).ok());
  ASSERT_TRUE(mirror_->SetNote("stream", "ours").ok());
  Take(Item('c', "3"));
  MarkLost(1);
  Unconfirm(0);
  mirror_->DropBlock(5);
  EXPECT_EQ(mirror_->size(), 3);

  now_ms_ = 5000;
  Reopen();
  EXPECT_EQ(mirror_->size(), 2);
  EXPECT_EQ(mirror_->foreign(), 1);
  EXPECT_EQ(mirror_->lost(), 0);
  EXPECT_EQ(mirror_->progress().tip_hash, "tip");
  EXPECT_EQ(mirror_->progress().tip_height, 7);
  EXPECT_EQ(mirror_->progress().settled, 2);
  EXPECT_EQ(mirror_->progress().listed, 3);
  EXPECT_EQ(mirror_->progress().last_name, "last");
  const auto block = mirror_->LastBlock();
  ASSERT_TRUE(block.ok() && block->has_value());
  EXPECT_EQ((*block)->height, 5);
  EXPECT_EQ((*block)->hash, "five");
  EXPECT_EQ((*block)->end, 2);
  EXPECT_EQ(*mirror_->Note("stream"), "ours");
  EXPECT_EQ(At(0).item.block_hash, "5");
  EXPECT_EQ(At(1).item.keys, (std::vector<std::string>{"k", "k/2"}));
  EXPECT_EQ(Unconfirmed(), (std::vector<int64_t>{1}));
  // How long it waited in another process is not known.
  EXPECT_EQ(mirror_->OldestUnconfirmed()->second, 5000);
  // A foreign item is told again, and known.
  Take(foreign);
  EXPECT_EQ(mirror_->foreign(), 1);
  EXPECT_EQ(Take(Item('c', "3")).added, 1);
  EXPECT_EQ(Find("k"), (std::vector<int64_t>{0, 1, 2}));
}

TEST_P(StreamMirrorTest, UndoKeepsWhatWasCommittedAndHowLongItWaits) {
  Take(Item('a', "1"));
  ASSERT_TRUE(mirror_->Commit({}).ok());
  now_ms_ = 9000;
  Take(Item('b', "2"));
  Take(Item('a', "1", 3));
  ASSERT_TRUE(mirror_->Undo().ok());
  EXPECT_EQ(mirror_->size(), 1);
  EXPECT_EQ(Unconfirmed(), (std::vector<int64_t>{0}));
  EXPECT_EQ(FindData("2"), -1);
  EXPECT_FALSE(At(0).item.confirmed());
}

TEST_P(StreamMirrorTest, ClearLeavesNothing) {
  Take(Item('a', "1", 5));
  mirror_->PutBlock({5, "five", 1});
  ASSERT_TRUE(mirror_->Commit({"tip", 7, 1, 1, "last"}).ok());
  ASSERT_TRUE(mirror_->Clear().ok());
  EXPECT_EQ(mirror_->size(), 0);
  EXPECT_EQ(mirror_->progress().tip_height, -1);
  EXPECT_TRUE(Find("k").empty());
  EXPECT_FALSE(mirror_->LastBlock()->has_value());
  EXPECT_EQ(Take(Item('a', "1", 5)).added, 1);
}

TEST(StreamMirrorFailureTest, AFailedCommitChangesNothing) {
  MemoryMirrorStore store;
  auto mirror = StreamMirror::Open(store, {"us"}, [] { return int64_t{1}; });
  ASSERT_TRUE(mirror.ok());
  StreamMirror::Change change;
  ASSERT_TRUE((*mirror)->Take(Item('a', "1"), &change).ok());
  store.FailCommits(true);
  EXPECT_TRUE(absl::IsUnavailable((*mirror)->Commit({"t", 1, 0, 1, "l"})));
  EXPECT_EQ((*mirror)->size(), 0);
  EXPECT_TRUE((*mirror)->unconfirmed().empty());
  EXPECT_EQ((*mirror)->progress().tip_height, -1);
  store.FailCommits(false);
  ASSERT_TRUE((*mirror)->Take(Item('a', "1"), &change).ok());
  ASSERT_TRUE((*mirror)->Commit({"t", 1, 0, 1, "l"}).ok());
  EXPECT_EQ((*mirror)->size(), 1);
}

}  // namespace
}  // namespace windproof
