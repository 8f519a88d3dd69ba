#include "services/window_hash/payload_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/leaves.h"

namespace windproof {
namespace {

void Add(int64_t offset, absl::string_view canonical, WindowRecords* records) {
  records->entries.push_back(
      {.offset = offset,
       .begin = static_cast<uint32_t>(records->bytes.size()),
       .size = static_cast<uint32_t>(canonical.size())});
  absl::StrAppend(&records->bytes, canonical);
}

// A window and the checkpoint members that are about its records.
struct Window {
  WindowRecords records;
  Checkpoint checkpoint;
};

Window MakeWindow(int count) {
  Window window;
  for (int i = 0; i < count; ++i) {
    Add(1000 - 3 * i, absl::StrCat("{\"n\":", i, "}"), &window.records);
  }
  const LeafSummary leaves = HashLeaves(&window.records);
  window.checkpoint.records = count;
  window.checkpoint.root = leaves.root;
  window.checkpoint.positions_sha256 = leaves.positions_sha256;
  window.checkpoint.offsets_begin = leaves.lowest_offset;
  window.checkpoint.offsets_end = leaves.highest_offset + 1;
  return window;
}

TEST(PayloadCodecTest, WritesWhatTheGeneratedCodeWrites) {
  WindowRecords records;
  Add(0, "{}", &records);  // an offset that is not written
  Add(1, "", &records);    // bytes that are not written
  Add(127, std::string(127, 'x'), &records);
  Add(128, std::string(128, 'x'), &records);
  Add(std::numeric_limits<int64_t>::max(), std::string(70'000, 'x'), &records);
  HashLeaves(&records);

  v1::WindowPayload expected;
  for (const WindowRecords::Entry& entry : records.entries) {
    v1::PayloadRecord* record = expected.add_records();
    record->set_offset(entry.offset);
    record->set_canonical(std::string(records.Canonical(entry)));
    record->set_leaf_hash(std::string(BytesOf(entry.leaf_hash)));
  }
  std::string bytes;
  AppendWindowPayload(records, &bytes);
  EXPECT_EQ(bytes, expected.SerializeAsString());
}

TEST(PayloadCodecTest, TakesWholeRecordsUpToASize) {
  const Window window = MakeWindow(60);
  std::string bytes;
  AppendWindowPayload(window.records, &bytes);
  for (const size_t max_bytes : {0, 1, 60, 500, 1 << 20}) {
    std::string together;
    int records = 0;
    absl::string_view rest = bytes;
    while (!rest.empty()) {
      const auto part = TakeWholeRecords(max_bytes, &rest);
      ASSERT_TRUE(part.has_value());
      const auto payload = ParseWindowPayload(*part);
      ASSERT_TRUE(payload.ok()) << payload.status();
      ASSERT_GT(payload->records_size(), 0);
      EXPECT_TRUE(payload->records_size() == 1 || part->size() <= max_bytes);
      records += payload->records_size();
      absl::StrAppend(&together, *part);
    }
    EXPECT_EQ(records, 60) << max_bytes;
    EXPECT_EQ(together, bytes) << max_bytes;
  }
}

TEST(PayloadCodecTest, KnowsItsMessages) {
  std::string bytes;
  EXPECT_TRUE(IsWindowPayload(bytes));
  AppendWindowPayload(MakeWindow(3).records, &bytes);
  EXPECT_TRUE(IsWindowPayload(bytes));
  for (size_t size = 1; size < bytes.size(); ++size) {
    const absl::string_view part = absl::string_view(bytes).substr(0, size);
    EXPECT_EQ(IsWindowPayload(part), ParseWindowPayload(part).ok()) << size;
  }
  // One that others would write: a record without an offset, an unknown field.
  EXPECT_TRUE(IsWindowPayload(absl::string_view("\x0a\x00\x10\x01", 4)));
  EXPECT_FALSE(IsWindowPayload("\xff\xff"));
}

TEST(PayloadCodecTest, TakesNoRecordsOfOtherBytes) {
  std::string bytes;
  AppendWindowPayload(MakeWindow(2).records, &bytes);
  for (absl::string_view other :
       {absl::string_view("\xff\xff"), absl::string_view("\x0a\x05only"),
        absl::string_view(bytes).substr(1)}) {
    EXPECT_EQ(TakeWholeRecords(100, &other), std::nullopt);
  }
  // Those before it are taken; then it is seen.
  bytes += "\xff";
  absl::string_view rest = bytes;
  EXPECT_TRUE(TakeWholeRecords(1 << 20, &rest).has_value());
  EXPECT_EQ(rest, "\xff");
  EXPECT_EQ(TakeWholeRecords(1 << 20, &rest), std::nullopt);
}

TEST(PayloadCodecTest, ReadsWhatItWrites) {
  const Window window = MakeWindow(60);
  std::string bytes;
  AppendWindowPayload(window.records, &bytes);
  const auto payload = ParseWindowPayload(bytes);
  ASSERT_TRUE(payload.ok()) << payload.status();
  auto records = WindowRecordsOf(*payload);
  ASSERT_TRUE(records.ok()) << records.status();
  ASSERT_EQ(records->entries.size(), 60u);
  for (size_t i = 0; i < 60; ++i) {
    EXPECT_EQ(records->entries[i].offset, window.records.entries[i].offset);
    EXPECT_EQ(records->entries[i].leaf_hash,
              window.records.entries[i].leaf_hash);
    EXPECT_EQ(records->Canonical(records->entries[i]),
              window.records.Canonical(window.records.entries[i]));
  }
  EXPECT_TRUE(CheckRecords(window.checkpoint, &*records).ok());
}

void ExpectSame(const WindowRecords& found, const WindowRecords& expected) {
  ASSERT_EQ(found.entries.size(), expected.entries.size());
  for (size_t i = 0; i < found.entries.size(); ++i) {
    EXPECT_EQ(found.entries[i].offset, expected.entries[i].offset);
    EXPECT_EQ(found.entries[i].leaf_hash, expected.entries[i].leaf_hash);
    EXPECT_EQ(found.Canonical(found.entries[i]),
              expected.Canonical(expected.entries[i]));
  }
}

TEST(PayloadCodecTest, RecordsAtOnceAreThoseOfTheMessage) {
  for (const int count : {1, 2, 60, 300}) {
    const Window window = MakeWindow(count);
    std::string bytes;
    AppendWindowPayload(window.records, &bytes);
    const auto records = ParseWindowRecords(bytes);
    ASSERT_TRUE(records.ok()) << records.status();
    ExpectSame(*records, window.records);
  }
}

// Encodings that are the same message, and bytes cut or changed anywhere: both
// ways read the same or fail alike.
TEST(PayloadCodecTest, RecordsAtOnceAgreeWithTheMessageOnAnyBytes) {
  const Window window = MakeWindow(2);
  std::string good;
  AppendWindowPayload(window.records, &good);
  std::vector<std::string> all;
  for (size_t size = 0; size < good.size(); ++size) {
    all.push_back(good.substr(0, size));
  }
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int bit : {1, 2, 8, 0x40, 0x80}) {
      std::string other = good;
      other[i] = static_cast<char>(other[i] ^ bit);
      all.push_back(other);
    }
  }
  all.push_back(good + "\x12\x01x");  // a field that the message does not have
  for (const std::string& bytes : all) {
    const auto found = ParseWindowRecords(bytes);
    const auto payload = ParseWindowPayload(bytes);
    if (!payload.ok()) {
      EXPECT_EQ(found.status(), payload.status());
      continue;
    }
    const auto expected = WindowRecordsOf(*payload);
    EXPECT_EQ(found.status(), expected.status());
    if (found.ok() && expected.ok()) ExpectSame(*found, *expected);
  }
}

TEST(PayloadCodecTest, GarbageIsDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(ParseWindowPayload("\xff\xff").status()));
  v1::WindowPayload payload;
  payload.add_records()->set_leaf_hash("short");
  EXPECT_TRUE(absl::IsDataLoss(WindowRecordsOf(payload).status()));
}

TEST(PayloadCodecTest, CheckRecordsNamesWhatDiffers) {
  struct Case {
    const char* member;
    void (*alter)(Window*);
  };
  const std::vector<Case> cases = {
      {"records", [](Window* window) { window->records.entries.pop_back(); }},
      {"records", [](Window* window) { window->records.entries.clear(); }},
      {"root", [](Window* window) { window->records.bytes[5] = '7'; }},
      {"positions_sha256",
       [](Window* window) { window->records.entries[1].offset = 995; }},
      {"offsets.begin",
       [](Window* window) { window->checkpoint.offsets_begin -= 1; }},
      {"highest offset",
       [](Window* window) { window->checkpoint.offsets_end += 1; }},
  };
  for (const Case& c : cases) {
    Window window = MakeWindow(5);
    ASSERT_TRUE(CheckRecords(window.checkpoint, &window.records).ok());
    c.alter(&window);
    const absl::Status status =
        CheckRecords(window.checkpoint, &window.records);
    EXPECT_TRUE(absl::IsDataLoss(status)) << c.member;
    EXPECT_NE(status.message().find(c.member), absl::string_view::npos)
        << status;
  }
}

}  // namespace
}  // namespace windproof
