#include "common/pipeline/open_window.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/window_records.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string TextAt(int64_t second) { return absl::StrCat("record ", second); }

bool Add(int64_t offset, int64_t second, OpenWindow* window) {
  const std::string text = TextAt(second);
  RecordReader::Result record;
  record.time = {second, 0};
  record.canonical = text;
  return window->Add(offset, record);
}

// Each order of arrival of up to six records.
TEST(OpenWindowTest, RecordsAreInOrderOfTimeHoweverTheyCame) {
  for (int size = 1; size <= 6; ++size) {
    std::vector<int64_t> seconds;
    for (int i = 0; i < size; ++i) seconds.push_back(10 + i);
    do {
      OpenWindow window(0, 100, {});
      std::map<int64_t, int64_t> offset_of;
      for (const int64_t second : seconds) {
        ASSERT_FALSE(window.Find({second, 0}).has_value());
        const int64_t offset = 100 + static_cast<int64_t>(offset_of.size());
        ASSERT_TRUE(Add(offset, second, &window));
        offset_of[second] = offset;
        for (const auto& [known, unused] : offset_of) {
          ASSERT_EQ(window.Find({known, 0}), TextAt(known));
          ASSERT_FALSE(window.Find({known, 1}).has_value());
        }
      }
      ASSERT_EQ(window.size(), seconds.size());
      for (const WindowRecords& records :
           {window.CopyRecords(), window.TakeRecords()}) {
        ASSERT_EQ(records.entries.size(), offset_of.size());
        size_t i = 0;
        for (const auto& [second, offset] : offset_of) {
          const WindowRecords::Entry& entry = records.entries[i++];
          EXPECT_EQ(entry.offset, offset);
          EXPECT_EQ(records.Canonical(entry), TextAt(second));
        }
      }
    } while (std::next_permutation(seconds.begin(), seconds.end()));
  }
}

TEST(OpenWindowTest, AWindowOfUnusualSizeAsksForLimitedRoom) {
  OpenWindow window(0, 0, {});
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(Add(i, i, &window));
  EXPECT_EQ(window.UsedRoom().records, 1024u);
  EXPECT_LE(window.UsedRoom().bytes, size_t{1} << 16);
  OpenWindow next(0, 5000, window.UsedRoom());
  ASSERT_TRUE(Add(5000, 1, &next));
  EXPECT_EQ(next.size(), 1u);
  EXPECT_EQ(next.UsedRoom().records, 1u);
}

}  // namespace
}  // namespace windproof
