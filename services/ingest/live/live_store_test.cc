#include "services/ingest/live/live_store.h"

#include <rocksdb/db.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr size_t kAll = std::numeric_limits<size_t>::max();

class LiveStoreTest : public ::testing::Test {
 protected:
  LiveStoreTest()
      : path_(absl::StrCat(
            ::testing::TempDir(), "/live_store_",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    Open();
  }

  void Open() {
    store_.reset();
    auto opened = OpenLiveStore(path_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  const std::string path_;
  std::unique_ptr<LiveStore> store_;
};

LiveKnownRow Row(int64_t time_s, uint8_t mark,
                 LiveFileKind kind = LiveFileKind::kNow) {
  LiveKnownRow row{.time_s = time_s, .kind = kind};
  row.hash.fill(mark);
  return row;
}

TEST_F(LiveStoreTest, ANewOneKnowsNothing) {
  EXPECT_EQ(*store_->State("00433"), LiveStationState());
  EXPECT_THAT(*store_->Rows("00433", kMin, kMax, kAll), IsEmpty());
  EXPECT_EQ(*store_->Validators("http://x/y"), LiveValidators());
}

TEST_F(LiveStoreTest, WhatWasCommittedIsThereAfterAReopening) {
  const LiveStationState state{.last_row_s = 1'200,
                               .last_seen_ms = 77,
                               .floor_s = -5,
                               .rows_known = 2,
                               .stated_ms = 99,
                               .sent_since_stated = true};
  const LiveValidators validators{"\"etag\"", "Sun, 25 Jan 2026 12:00:00 GMT"};
  ASSERT_TRUE(store_
                  ->Commit({.station = "00433",
                            .state = state,
                            .rows = {Row(600, 1),
                                     Row(1'200, 0xff, LiveFileKind::kRecent)},
                            .url = {{"http://x/y", validators}}})
                  .ok());
  Open();
  EXPECT_EQ(*store_->State("00433"), state);
  EXPECT_THAT(
      *store_->Rows("00433", kMin, kMax, kAll),
      ElementsAre(Row(600, 1), Row(1'200, 0xff, LiveFileKind::kRecent)));
  EXPECT_EQ(*store_->Validators("http://x/y"), validators);
  EXPECT_EQ(*store_->Validators("http://x/"), LiveValidators());
}

TEST_F(LiveStoreTest, RowsAreInOrderOfTimeAndOfOneStation) {
  ASSERT_TRUE(store_
                  ->Commit({.station = "00433",
                            .rows = {Row(600, 1), Row(-600, 2), Row(0, 3),
                                     Row(kMax, 4), Row(kMin, 5)}})
                  .ok());
  ASSERT_TRUE(store_->Commit({.station = "00434", .rows = {Row(300, 6)}}).ok());
  ASSERT_TRUE(store_->Commit({.station = "00432", .rows = {Row(300, 7)}}).ok());
  EXPECT_THAT(*store_->Rows("00433", kMin, kMax, kAll),
              ElementsAre(Row(kMin, 5), Row(-600, 2), Row(0, 3), Row(600, 1),
                          Row(kMax, 4)));
  EXPECT_THAT(*store_->Rows("00433", -600, 0, kAll),
              ElementsAre(Row(-600, 2), Row(0, 3)));
  EXPECT_THAT(*store_->Rows("00433", kMin, kMax, 2),
              ElementsAre(Row(kMin, 5), Row(-600, 2)));
}

TEST_F(LiveStoreTest, RowsAreReplacedAndForgotten) {
  ASSERT_TRUE(
      store_->Commit({.station = "00433", .rows = {Row(600, 1), Row(1'200, 2)}})
          .ok());
  ASSERT_TRUE(
      store_
          ->Commit(
              {.station = "00433", .rows = {Row(1'200, 3)}, .forgotten = {600}})
          .ok());
  EXPECT_THAT(*store_->Rows("00433", kMin, kMax, kAll),
              ElementsAre(Row(1'200, 3)));
}

TEST_F(LiveStoreTest, ItBelongsToOneProcess) {
  const auto again = OpenLiveStore(path_);
  ASSERT_TRUE(absl::IsFailedPrecondition(again.status())) << again.status();
  EXPECT_THAT(std::string(again.status().message()), HasSubstr(path_));
}

TEST_F(LiveStoreTest, OtherFormatsAndDamageAreNamed) {
  store_.reset();
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), path_, &raw).ok());
  std::unique_ptr<rocksdb::DB> db(raw);
  ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), "station/00433", "1 2 3").ok());
  ASSERT_TRUE(
      db->Put(rocksdb::WriteOptions(), "row/00427 12345678", "short").ok());
  db.reset();
  Open();
  EXPECT_TRUE(absl::IsDataLoss(store_->State("00433").status()));
  EXPECT_TRUE(
      absl::IsDataLoss(store_->Rows("00427", kMin, kMax, kAll).status()));

  store_.reset();
  ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), path_, &raw).ok());
  db.reset(raw);
  ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), "format", "other").ok());
  db.reset();
  const auto opened = OpenLiveStore(path_);
  ASSERT_TRUE(absl::IsFailedPrecondition(opened.status()));
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("`other`"));
}

}  // namespace
}  // namespace windproof
