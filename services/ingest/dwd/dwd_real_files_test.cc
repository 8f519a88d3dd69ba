// Real downloads, with the counts that their description gives. Skipped where
// the data are not there.

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "gtest/gtest.h"
#include "services/ingest/dwd/dwd_collector.h"

namespace windproof {
namespace {

class DwdRealFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const shared = std::getenv("WINDPROOF_SHARED");
    if (shared == nullptr) {
      GTEST_SKIP() << "WINDPROOF_SHARED does not say where the data are";
    }
    data_ = absl::StrCat(shared, "/data/dwd/");
    if (!std::filesystem::exists(data_)) {
      GTEST_SKIP() << data_ << " is not there";
    }
  }

  DwdCollection Collect(const std::vector<std::string>& paths) {
    DwdCollector collector;
    for (const std::string& path : paths) collector.AddPath(data_ + path);
    return collector.Finish();
  }

  std::string data_;
};

std::string Record(const DwdStation& station, size_t row) {
  std::string record;
  station.AppendRecord(row, &record);
  return record;
}

// Rows whose record has not that field.
size_t Missing(const DwdStation& station, const char* field) {
  const std::string name = absl::StrCat("\"", field, "\":");
  size_t missing = 0;
  for (size_t row = 0; row < station.rows(); ++row) {
    if (!absl::StrContains(Record(station, row), name)) ++missing;
  }
  return missing;
}

TEST_F(DwdRealFilesTest, TheBerlinPair) {
  const DwdCollection found =
      Collect({"hourly_recent_20200327/"
               "produkt_tu_stunde_20180924_20200326_00427.txt",
               "hourly_recent_20200327/"
               "produkt_tu_stunde_20180924_20200326_00433.txt"});
  EXPECT_TRUE(found.rejections.empty());
  EXPECT_EQ(found.rows, 26'400);
  ASSERT_EQ(found.stations.size(), 2u);
  const DwdStation& schoenefeld = found.stations[0];
  const DwdStation& tempelhof = found.stations[1];
  EXPECT_EQ(schoenefeld.id(), "00427");
  EXPECT_EQ(schoenefeld.rows(), 13'200u);
  EXPECT_EQ(Missing(schoenefeld, "temperature"), 0u);
  EXPECT_EQ(tempelhof.topic(), "weather.00433");
  EXPECT_EQ(tempelhof.rows(), 13'200u);
  EXPECT_EQ(tempelhof.rows_of(DwdCadence::kHourly), 13'200u);
  EXPECT_EQ(Missing(tempelhof, "temperature"), 36u);
  EXPECT_EQ(Missing(tempelhof, "humidity"), 239u);
  EXPECT_EQ(Record(tempelhof, 0),
            "{\"station_id\":\"00433\",\"timestamp\":\"2018-09-24T00:00:00Z\","
            "\"temperature\":8.7,\"humidity\":89.0}");
  EXPECT_EQ(FormatTimestamp({tempelhof.time_s(13'199), 0}),
            "2020-03-26T23:00:00Z");
}

TEST_F(DwdRealFilesTest, AllHourlyFiles) {
  const DwdCollection found = Collect({"hourly_recent_20200327"});
  EXPECT_TRUE(found.rejections.empty());
  EXPECT_EQ(found.files, 29);
  EXPECT_EQ(found.rows, 378'055);
  EXPECT_EQ(found.stations.size(), 29u);
  const std::map<std::string, size_t> kMissing = {
      {"00096", 3},  {"00164", 23}, {"00433", 36}, {"00880", 53},
      {"02856", 90}, {"02951", 23}, {"05546", 112}};
  for (const DwdStation& station : found.stations) {
    const auto missing = kMissing.find(station.id());
    EXPECT_EQ(Missing(station, "temperature"),
              missing == kMissing.end() ? 0 : missing->second)
        << station.id();
  }
}

TEST_F(DwdRealFilesTest, OverlappingSnapshotsLieSideBySide) {
  const DwdCollection found =
      Collect({"hourly_recent_20200326",
               "hourly_recent_20200327/"
               "produkt_tu_stunde_20180924_20200326_00427.txt"});
  ASSERT_EQ(found.stations.size(), 2u);
  const DwdStation& station = found.stations[0];
  ASSERT_EQ(station.id(), "00427");
  ASSERT_EQ(station.rows(), 26'400u);
  size_t repeated = 0;
  for (size_t row = 1; row < station.rows(); ++row) {
    ASSERT_LE(station.time_s(row - 1), station.time_s(row));
    if (Record(station, row - 1) == Record(station, row)) ++repeated;
  }
  EXPECT_EQ(repeated, 13'176u);
}

TEST_F(DwdRealFilesTest, TenMinutesThatWereCutOff) {
  const DwdCollection found = Collect({"ten_minutes"});
  ASSERT_EQ(found.stations.size(), 2u);
  EXPECT_EQ(found.stations[0].id(), "00003");
  EXPECT_EQ(found.stations[0].rows(), 20u);
  const DwdStation& munich = found.stations[1];
  EXPECT_EQ(munich.id(), "03379");
  EXPECT_EQ(munich.rows(), 29'126u);
  EXPECT_EQ(munich.rows_of(DwdCadence::kTenMinutes), 29'126u);
  EXPECT_EQ(Record(munich, 0),
            "{\"station_id\":\"03379\",\"timestamp\":\"2018-10-04T00:00:00Z\","
            "\"temperature\":9.2,\"humidity\":92.9,\"dew_point\":8.1,"
            "\"pressure\":966.3,\"ground_temperature\":8.6}");
  EXPECT_EQ(found.rejected_rows, 1);
  EXPECT_EQ(found.refused_files, 0);
  ASSERT_EQ(found.rejections.size(), 1u);
  EXPECT_EQ(found.rejections[0].line, 29'128);
  EXPECT_TRUE(absl::StrContains(found.rejections[0].reason, "cut off"))
      << found.rejections[0].reason;
  EXPECT_TRUE(absl::StrContains(found.rejections[0].reason, "2 columns"))
      << found.rejections[0].reason;
}

TEST_F(DwdRealFilesTest, OfToday) {
  const DwdCollection found = Collect({"ten_minutes_now"});
  EXPECT_TRUE(found.rejections.empty());
  EXPECT_EQ(found.rows, 417);
  ASSERT_EQ(found.stations.size(), 3u);
  EXPECT_EQ(found.stations[0].rows(), 114u + 45 + 57);  // 01420
  EXPECT_EQ(found.stations[1].rows(), 111u);            // 02667, from a zip
  EXPECT_EQ(found.stations[2].rows(), 90u);             // 07341
}

TEST_F(DwdRealFilesTest, OriginalZipsOf2016) {
  const DwdCollection found =
      Collect({"hourly_zip_2016/stundenwerte_TU_01048_akt.zip",
               "hourly_zip_2016/stundenwerte_TU_01051_akt.zip"});
  EXPECT_TRUE(found.rejections.empty());
  EXPECT_EQ(found.rows, 26'400);
  ASSERT_EQ(found.stations.size(), 2u);
  EXPECT_EQ(Record(found.stations[0], 0),
            "{\"station_id\":\"01048\",\"timestamp\":\"2015-04-21T00:00:00Z\","
            "\"temperature\":6.7,\"humidity\":65.0}");
}

TEST_F(DwdRealFilesTest, OtherProductsAreRefusedWhole) {
  const DwdCollection found = Collect({"ten_minutes_wind"});
  EXPECT_TRUE(found.stations.empty());
  EXPECT_EQ(found.refused_files, 4);
  ASSERT_EQ(found.rejections.size(), 4u);
  for (const DwdRejection& rejection : found.rejections) {
    EXPECT_EQ(rejection.line, 0);
    EXPECT_TRUE(absl::StrContains(rejection.reason, "produkt_tu_stunde_"))
        << rejection.reason;
  }
}

TEST_F(DwdRealFilesTest, TheWholeFolderHoldsNoSurprise) {
  const DwdCollection found = Collect({"."});
  EXPECT_EQ(found.refused_files, 4);
  EXPECT_EQ(found.rejected_rows, 1);
  EXPECT_EQ(found.rows, 378'055 + 26'400 + 29'126 + 20 + 417 + 26'400);
}

}  // namespace
}  // namespace windproof
