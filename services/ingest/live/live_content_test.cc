#include "services/ingest/live/live_content.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ingest/live/testing/dwd_files.h"

namespace windproof {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const std::string& zip,
                    DwdCadence cadence = DwdCadence::kTenMinutes) {
  const auto content = ReadLiveContent(zip, "00433", cadence);
  EXPECT_FALSE(content.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(content.status())) << content.status();
  return std::string(content.status().message());
}

TEST(LiveContentTest, ReadsTheRowsOfAZip) {
  const auto content = ReadLiveContent(TenMinuteZip("433", TestRows(0, 60)),
                                       "00433", DwdCadence::kTenMinutes);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(content->rows.rows(), 6u);
  EXPECT_EQ(content->rows.id(), "00433");
  EXPECT_EQ(content->rows.time_s(1), kTestDay + 600);
  EXPECT_EQ(content->rejected_rows, 0);
}

TEST(LiveContentTest, HourlyToo) {
  const auto content =
      ReadLiveContent(HourlyZip("433", {{0, "1.0"}, {60, "2.0"}}), "00433",
                      DwdCadence::kHourly);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(content->rows.rows(), 2u);
}

TEST(LiveContentTest, ADayThatHasNotBegunHasNoRows) {
  const auto content = ReadLiveContent(TenMinuteZip("433", {}), "00433",
                                       DwdCadence::kTenMinutes);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(content->rows.rows(), 0u);
}

TEST(LiveContentTest, EveryTruncationIsAnError) {
  const std::string zip = TenMinuteZip("433", TestRows(0, 60));
  for (size_t size = 0; size < zip.size(); ++size) {
    EXPECT_FALSE(
        ReadLiveContent(zip.substr(0, size), "00433", DwdCadence::kTenMinutes)
            .ok())
        << size;
  }
}

TEST(LiveContentTest, ADamagedByteIsNeverAnotherValue) {
  const std::string zip = TenMinuteZip("433", TestRows(0, 60));
  const auto good = ReadLiveContent(zip, "00433", DwdCadence::kTenMinutes);
  ASSERT_TRUE(good.ok());
  for (size_t at = 0; at < zip.size(); ++at) {
    std::string damaged = zip;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const auto read =
        ReadLiveContent(damaged, "00433", DwdCadence::kTenMinutes);
    if (!read.ok()) continue;  // most are
    // Else it was in what does not count, as a time of the archive.
    ASSERT_EQ(read->rows.rows(), good->rows.rows()) << at;
    for (size_t row = 0; row < read->rows.rows(); ++row) {
      std::string a, b;
      read->rows.AppendRecord(row, &a);
      good->rows.AppendRecord(row, &b);
      ASSERT_EQ(a, b) << at;
    }
  }
}

TEST(LiveContentTest, GarbageIsNamed) {
  EXPECT_THAT(Refusal(""), HasSubstr("no product"));
  EXPECT_THAT(Refusal("<html>Not today</html>"), HasSubstr("no zip"));
  EXPECT_THAT(Refusal(MakeZip({{"readme.txt", "hello"}})),
              HasSubstr("no product"));
  EXPECT_THAT(Refusal(MakeZip({{"produkt_x.txt", "hello"}})),
              HasSubstr("produkt_x.txt is no DWD product file"));
}

TEST(LiveContentTest, AnotherStationOrCadenceIsNamed) {
  EXPECT_THAT(Refusal(TenMinuteZip("427", TestRows(0, 60))),
              HasSubstr("rows of station 427; station 00433 is accepted"));
  EXPECT_THAT(Refusal(HourlyZip("433", {{0, "1.0"}})),
              HasSubstr("hourly rows; 10-minute ones are accepted"));
}

TEST(LiveContentTest, AWrongRowIsRejectedAlone) {
  const auto content = ReadLiveContent(
      TenMinuteZip("433", {{0, "1.0"}, {10, "warm"}, {20, "3.0"}}), "00433",
      DwdCadence::kTenMinutes);
  ASSERT_TRUE(content.ok()) << content.status();
  EXPECT_EQ(content->rows.rows(), 2u);
  EXPECT_EQ(content->rejected_rows, 1);
  ASSERT_EQ(content->rejected.size(), 1u);
  EXPECT_THAT(content->rejected[0], HasSubstr(":3: TT_10 is \"warm\""));
}

TEST(LiveContentTest, MetadataThatCannotBeReadSpoilTheFile) {
  EXPECT_THAT(Refusal(MakeZip({{"Metadaten_Parameter_433.txt", "nonsense"},
                               {"produkt_zehn_now_tu_433.txt",
                                TenMinuteProduct("433", TestRows(0, 60))}})),
              HasSubstr("Metadaten_Parameter_433.txt"));
}

}  // namespace
}  // namespace windproof
