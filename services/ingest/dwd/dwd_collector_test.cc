#include "services/ingest/dwd/dwd_collector.h"

#include <sys/stat.h>
#include <zip.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/ingest/dwd/dwd_archive.h"

namespace windproof {
namespace {

constexpr absl::string_view kHeader =
    "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\n";
constexpr absl::string_view kMez =
    "Stations_ID;Von_Datum;Bis_Datum;Parameter;Zusatz-Info\n"
    "433;19510101;19950131;TT_TU;Stundenwerte in MEZ\n";

std::string Product(const std::vector<std::string>& rows) {
  std::string text(kHeader);
  for (const std::string& row : rows) absl::StrAppend(&text, row, ";eor\n");
  return text;
}

class DwdCollectorTest : public ::testing::Test {
 protected:
  DwdCollectorTest()
      : folder_(absl::StrCat(
            ::testing::TempDir(), "/",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }

  std::string Write(const std::string& name, absl::string_view text) {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  std::string WriteZip(
      const std::string& name,
      const std::vector<std::pair<std::string, std::string>>& members) {
    const std::string path = folder_ + "/" + name;
    zip_t* const zip =
        zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [member, text] : members) {
      zip_file_add(zip, member.c_str(),
                   zip_source_buffer(zip, text.data(), text.size(), 0),
                   ZIP_FL_OVERWRITE);
    }
    EXPECT_EQ(zip_close(zip), 0);
    return path;
  }

  DwdCollection Collect(const std::vector<std::string>& paths) {
    DwdCollector collector(limits_);
    for (const std::string& path : paths) collector.AddPath(path);
    return collector.Finish();
  }

  // The only rejection's text.
  std::string Rejection(const std::vector<std::string>& paths) {
    const DwdCollection found = Collect(paths);
    EXPECT_EQ(found.rejections.size(), 1u);
    return found.rejections.empty() ? ""
                                    : DwdRejectionText(found.rejections[0]);
  }

  const std::string folder_;
  DwdArchiveLimits limits_;
};

std::string Records(const DwdStation& station) {
  std::string records;
  for (size_t row = 0; row < station.rows(); ++row) {
    if (row > 0) records += ' ';
    station.AppendRecord(row, &records);
  }
  return records;
}

TEST_F(DwdCollectorTest, FilesOfAStationBecomeOneInOrderOfTime) {
  const std::string newer =
      Write("b.txt", Product({"1;2020010102;3;2;2", "1;2020010103;3;3;3"}));
  const std::string older =
      Write("a.csv", Product({"1;2020010100;3;0;0", "1;2020010102;3;2;2"}));
  const DwdCollection found = Collect({newer, older});
  EXPECT_TRUE(found.rejections.empty());
  EXPECT_EQ(found.files, 2);
  EXPECT_EQ(found.rows, 4);
  ASSERT_EQ(found.stations.size(), 1u);
  std::vector<int64_t> hours;
  for (size_t row = 0; row < 4; ++row) {
    hours.push_back(found.stations[0].time_s(row) / 3600 % 24);
  }
  EXPECT_EQ(hours, (std::vector<int64_t>{0, 2, 2, 3}));
}

TEST_F(DwdCollectorTest, AFolderIsReadAtAnyDepthWithoutWhatIsNoProduct) {
  Write("in/produkt_tu_stunde_1.txt", Product({"1;2020010100;3;0;0"}));
  Write("in/deep/er/renamed.CSV", Product({"2;2020010100;3;0;0"}));
  Write("in/Metadaten_Geographie_00001.txt", "Stations_id;von\n");
  Write("in/readme.txt", "nothing");
  Write("in/empty.txt", "");
  Write("in/picture.png", "STATIONS_ID");
  WriteZip("in/z.zip", {{"produkt_tu.txt", Product({"3;2020010100;3;0;0"})}});
  std::filesystem::create_directory_symlink("..", folder_ + "/in/deep/loop");
  const DwdCollection found = Collect({folder_ + "/in"});
  EXPECT_TRUE(found.rejections.empty());
  ASSERT_EQ(found.stations.size(), 3u);
  EXPECT_EQ(found.stations[2].id(), "00003");
}

TEST_F(DwdCollectorTest, InAFolderABrokenProductIsRefusedByName) {
  Write("in/produkt_tu_stunde_1.txt", "");
  Write("in/produkt_zehn_min_ff.txt", "STATIONS_ID;MESS_DATUM;FF_10;eor\n");
  Write("in/good.txt", Product({"1;2020010100;3;0;0"}));
  const DwdCollection found = Collect({folder_ + "/in"});
  EXPECT_EQ(found.refused_files, 2);
  EXPECT_EQ(found.rows, 1);
}

TEST_F(DwdCollectorTest, NamedFilesMustBeProducts) {
  EXPECT_TRUE(absl::StrContains(Rejection({Write("notes.txt", "hello\n")}),
                                "notes.txt is no DWD"));
  EXPECT_TRUE(absl::StrContains(Rejection({folder_ + "/none.txt"}),
                                "there is no such file or folder"));
  EXPECT_TRUE(absl::StrContains(Rejection({folder_ + "/none.zip"}),
                                "there is no such file or folder"));
  EXPECT_TRUE(absl::StrContains(Rejection({"/dev/zero"}),
                                "is neither a file nor a folder"));
}

TEST_F(DwdCollectorTest, RejectedRowsNameTheirFileAndLine) {
  const std::string path =
      Write("a.txt", Product({"1;2020010100;3;0;0", "1;2020010101;3;x;0"}));
  EXPECT_TRUE(absl::StartsWith(Rejection({path}),
                               absl::StrCat(path, ":3: TT_TU is \"x\"")));
}

TEST_F(DwdCollectorTest, MetadataCountForTheirZip) {
  const std::string product = Product({"433;1995013123;3;1;1"});
  const std::string path = WriteZip(
      "a.zip", {{"produkt_tu.txt", product},
                {"Metadaten_Parameter_tu_stunde_00433.txt", std::string(kMez)},
                {"Metadaten_Geographie_00433.txt", "x"}});
  const DwdCollection found =
      Collect({path, WriteZip("b.zip", {{"produkt_tu.txt", product}})});
  EXPECT_TRUE(found.rejections.empty());
  ASSERT_EQ(found.stations.size(), 1u);
  EXPECT_EQ(Records(found.stations[0]),
            "{\"station_id\":\"00433\",\"timestamp\":\"1995-01-31T22:00:00Z\","
            "\"temperature\":1,\"humidity\":1} "
            "{\"station_id\":\"00433\",\"timestamp\":\"1995-01-31T23:00:00Z\","
            "\"temperature\":1,\"humidity\":1}");
}

TEST_F(DwdCollectorTest, MetadataCountForTheirFolder) {
  const std::string product = Product({"433;1995013123;3;1;1"});
  Write("in/Metadaten_Parameter_tu_stunde_00433.txt", kMez);
  Write("in/produkt_tu.txt", product);
  Write("in/other/produkt_tu.txt", product);
  const DwdCollection found = Collect({folder_ + "/in"});
  ASSERT_EQ(found.stations.size(), 1u);
  const std::string records = Records(found.stations[0]);
  EXPECT_TRUE(absl::StrContains(records, "T22:00:00Z")) << records;
  EXPECT_TRUE(absl::StrContains(records, "T23:00:00Z")) << records;
}

TEST_F(DwdCollectorTest, WithoutReadableMetadataAProductIsLeftOut) {
  const std::string product = Product({"433;1995013123;3;1;1"});
  const DwdCollection zip = Collect({WriteZip(
      "a.zip", {{"produkt_tu.txt", product},
                {"Metadaten_Parameter_tu_stunde_00433.txt", "x\n"}})});
  EXPECT_TRUE(zip.stations.empty());
  EXPECT_EQ(zip.refused_files, 2);
  Write("in/Metadaten_Parameter_tu_stunde_00433.txt", "x\n");
  EXPECT_TRUE(
      absl::StrContains(Rejection({Write("in/produkt_tu.txt", product)}),
                        "Metadaten_Parameter_tu_stunde_00433.txt"));
}

TEST_F(DwdCollectorTest, ZipsThatAreNone) {
  std::string rows;
  for (int day = 1; day <= 28; ++day) {
    for (int hour = 10; hour <= 23; ++hour) {
      absl::StrAppend(&rows, "1;202001", day < 10 ? "0" : "", day, hour, ";3;",
                      day * hour % 17, ".", hour, ";80.0;eor\n");
    }
  }
  const std::string good =
      WriteZip("good.zip", {{"produkt_tu.txt", absl::StrCat(kHeader, rows)}});
  EXPECT_EQ(Collect({good}).rows, 28 * 14);
  std::ifstream file(good, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());

  // Cut anywhere: never a crash, always said.
  for (size_t size = 0; size < bytes.size(); size += 97) {
    const DwdCollection found =
        Collect({Write("cut.zip", bytes.substr(0, size))});
    EXPECT_EQ(found.refused_files, 1) << size;
    EXPECT_EQ(found.rows, 0) << size;
  }
  // A byte changed in the packed data: the checksum tells.
  for (size_t at = 60; at < bytes.size() - 120; at += 61) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const DwdCollection found = Collect({Write("damaged.zip", damaged)});
    EXPECT_EQ(found.refused_files, 1) << at;
    EXPECT_EQ(found.rows, 0) << at;
  }
  EXPECT_TRUE(absl::StrContains(
      Rejection({WriteZip("none.zip", {{"readme.txt", "x"}})}), "produkt_*"));
  EXPECT_TRUE(
      absl::StrContains(Rejection({Write("text.zip", "no zip")}), "is no zip"));
}

TEST_F(DwdCollectorTest, WhatIsTooBigIsRefused) {
  limits_.file_bytes_max = 1 << 20;
  limits_.zip_members_max = 3;
  // 64 MiB in some 64 KiB.
  const std::string bomb =
      WriteZip("bomb.zip", {{"produkt_tu.txt", std::string(64 << 20, '0')}});
  EXPECT_TRUE(absl::StrContains(Rejection({bomb}), "unpacks to 67108864"));
  EXPECT_TRUE(absl::StrContains(
      Rejection({Write("big.txt", std::string((1 << 20) + 1, 'x'))}),
      "up to 1048576 are accepted"));
  EXPECT_TRUE(absl::StrContains(
      Rejection({WriteZip("many.zip", {{"produkt_1.txt", "1"},
                                       {"produkt_2.txt", "1"},
                                       {"produkt_3.txt", "1"},
                                       {"produkt_4.txt", "1"}})}),
      "4 members"));
}

TEST_F(DwdCollectorTest, ABombThatLiesAboutItsSizeIsStopped) {
  limits_.file_bytes_max = 1 << 20;
  const std::string bomb =
      WriteZip("bomb.zip", {{"produkt_tu.txt", std::string(8 << 20, '0')}});
  std::ifstream file(bomb, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)),
                    std::istreambuf_iterator<char>());
  // The uncompressed size, in the local and in the central header.
  const std::string size("\0\0\x80\0", 4);
  int patched = 0;
  for (size_t at = bytes.find(size); at != std::string::npos;
       at = bytes.find(size, at + 1)) {
    bytes.replace(at, 4, std::string("\x10\0\0\0", 4));
    ++patched;
  }
  ASSERT_GE(patched, 1);
  const DwdCollection found = Collect({Write("liar.zip", bytes)});
  EXPECT_EQ(found.refused_files, 1);
  EXPECT_EQ(found.rows, 0);
}

TEST_F(DwdCollectorTest, FinishLeavesNothingBehind) {
  DwdCollector collector;
  collector.AddPath(Write("a.txt", Product({"1;2020010100;3;0;0"})));
  EXPECT_EQ(collector.Finish().rows, 1);
  const DwdCollection empty = collector.Finish();
  EXPECT_EQ(empty.rows, 0);
  EXPECT_TRUE(empty.stations.empty());
}

}  // namespace
}  // namespace windproof
