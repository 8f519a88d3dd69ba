#include "services/anchor/multichain/stream_mirror.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"

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

class StreamMirrorTest : public ::testing::Test {
 protected:
  StreamMirror::Change Take(StreamItem item) {
    StreamMirror::Change change;
    mirror_.Take(std::move(item), &change);
    return change;
  }
  StreamMirror mirror_{{"us"}};
};

TEST_F(StreamMirrorTest, AnItemKeepsItsPositionWhereverItStands) {
  EXPECT_EQ(Take(Item('a', "1")).added, 1);
  EXPECT_EQ(Take(Item('b', "2")).added, 1);
  EXPECT_EQ(mirror_.unconfirmed().size(), 2u);
  EXPECT_FALSE(Take(Item('a', "1")).any());
  EXPECT_EQ(Take(Item('b', "2", 5)).confirmed, 1);
  EXPECT_EQ(Take(Item('a', "1", 6)).confirmed, 1);
  EXPECT_EQ(mirror_.size(), 2);
  EXPECT_EQ(mirror_.at(0).item.data, "1");
  EXPECT_EQ(mirror_.at(1).item.height, 5);
  EXPECT_TRUE(mirror_.unconfirmed().empty());
  ASSERT_NE(mirror_.Find("k"), nullptr);
  EXPECT_EQ(*mirror_.Find("k"), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(mirror_.Find("k/"), nullptr);
}

TEST_F(StreamMirrorTest, AReorganisationTakesBlocksAwayAndGivesOthers) {
  Take(Item('a', "1", 5));
  Take(Item('b', "2", 6));
  Take(Item('c', "3", 7));
  mirror_.Unconfirm(6);
  EXPECT_EQ(mirror_.unconfirmed(), (std::set<int64_t>{1, 2}));
  EXPECT_FALSE(mirror_.at(1).item.confirmed());
  EXPECT_EQ(Take(Item('b', "2", 7)).confirmed, 1);
  // An old entry of height 7 is not another item's.
  mirror_.Unconfirm(8);
  EXPECT_TRUE(mirror_.at(1).item.confirmed());
  mirror_.Unconfirm(7);
  EXPECT_FALSE(mirror_.at(1).item.confirmed());
  EXPECT_TRUE(mirror_.at(0).item.confirmed());
}

TEST_F(StreamMirrorTest, WhatIsLostLeavesItsPositionEmptyUntilItIsBack) {
  Take(Item('a', "1"));
  mirror_.MarkLost(0);
  EXPECT_TRUE(mirror_.at(0).lost);
  EXPECT_EQ(mirror_.lost(), 1);
  EXPECT_EQ(mirror_.FindData(Sha256Of("1")), -1);
  // Published again, it is another item and no double.
  Take(Item('b', "1"));
  EXPECT_EQ(mirror_.FindData(Sha256Of("1")), 1);
  EXPECT_EQ(mirror_.doubles(), 0);
  Take(Item('a', "1", 9));
  EXPECT_FALSE(mirror_.at(0).lost);
  EXPECT_EQ(mirror_.lost(), 0);
  StreamItem invalid = Item('b', "1");
  invalid.valid = false;
  Take(invalid);
  EXPECT_TRUE(mirror_.at(1).lost);
}

TEST_F(StreamMirrorTest, ForeignItemsAreCountedOnceAndNotTaken) {
  StreamItem foreign = Item('f', "x");
  foreign.publishers = {"them"};
  Take(foreign);
  Take(foreign);
  EXPECT_EQ(mirror_.foreign(), 1);
  EXPECT_EQ(mirror_.size(), 0);
  // Who signs with us signs what we signed.
  foreign.publishers = {"them", "us"};
  Take(foreign);
  EXPECT_EQ(mirror_.size(), 1);
}

TEST_F(StreamMirrorTest, IdenticalDoublesAreCounted) {
  Take(Item('a', "1"));
  Take(Item('b', "1"));
  EXPECT_EQ(mirror_.doubles(), 1);
  EXPECT_EQ(mirror_.FindData(Sha256Of("1")), 0);
  EXPECT_EQ(mirror_.size(), 2);
}

TEST_F(StreamMirrorTest, AnUnreadableItemIsNone) {
  EXPECT_FALSE(Take(StreamItem()).any());
  EXPECT_EQ(mirror_.size(), 0);
}

}  // namespace
}  // namespace windproof
