#include "services/ingest/dwd/dwd_file.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/canonical/timestamp.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr absl::string_view kHourly =
    "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\n";
constexpr absl::string_view kTenMinutes =
    "STATIONS_ID;MESS_DATUM;  QN;PP_10;TT_10;TM5_10;RF_10;TD_10;eor\n";

struct Parsed {
  absl::Status status;
  DwdFileSummary summary;
  // station time value,value,value,value,value
  std::vector<std::string> rows;
};

Parsed Parse(absl::string_view text, const DwdTimeZones& zones = {}) {
  Parsed parsed;
  auto summary = ParseDwdFile(text, zones, [&parsed](const DwdRow& row) {
    parsed.rows.push_back(absl::StrCat(
        row.station, " ", FormatTimestamp(Timestamp{row.time_s, 0}), " ",
        absl::StrJoin(row.values, ",")));
  });
  parsed.status = summary.status();
  if (summary.ok()) parsed.summary = *std::move(summary);
  return parsed;
}

TEST(DwdFileTest, HourlyRows) {
  const Parsed parsed = Parse(
      absl::StrCat(kHourly, "        433;2018092400;    3;   8.7;  89.0;eor\n",
                   "        433;2018092401;    3;-999;  -0.5;eor\n",
                   "        433;2018092402;    3;-999;-999;eor\n"));
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.summary.cadence, DwdCadence::kHourly);
  EXPECT_EQ(parsed.summary.rows, 3);
  EXPECT_EQ(parsed.summary.rejected_rows, 0);
  EXPECT_EQ(parsed.rows,
            (std::vector<std::string>{"433 2018-09-24T00:00:00Z 8.7,89.0,,,",
                                      "433 2018-09-24T01:00:00Z ,-0.5,,,",
                                      "433 2018-09-24T02:00:00Z ,,,,"}));
}

TEST(DwdFileTest, TenMinuteRowsOfEveryLineEnd) {
  const std::string text = absl::StrCat(
      kTenMinutes,
      "       3379;201810040010;    3;  966.3;   9.2;   8.6;  92.9;   8.1;eor\n"
      "\n",
      "       3379;201810040020;    3;-999;-999;-999;-999;-999;eor");
  for (const char* const line_end : {"\n", "\r\n", "\r\r\n"}) {
    const Parsed parsed = Parse(absl::StrReplaceAll(text, {{"\n", line_end}}));
    ASSERT_TRUE(parsed.status.ok()) << parsed.status;
    EXPECT_EQ(parsed.summary.cadence, DwdCadence::kTenMinutes);
    EXPECT_EQ(parsed.rows,
              (std::vector<std::string>{"3379 2018-10-04T00:10:00Z "
                                        "9.2,92.9,8.1,966.3,8.6",
                                        "3379 2018-10-04T00:20:00Z ,,,,"}));
    EXPECT_EQ(parsed.summary.rejected_rows, 0);
  }
}

TEST(DwdFileTest, ColumnsGoByTheirNamesInAnyOrder) {
  const Parsed parsed = Parse(
      "\xef\xbb\xbfMESS_DATUM; REL_FEUCHTE ;STRUKTUR_VERSION; LUFTTEMPERATUR;"
      "STATIONS_ID\n2015042100;65;38;-06.70;00001\n");
  ASSERT_TRUE(parsed.status.ok()) << parsed.status;
  EXPECT_EQ(parsed.rows,
            (std::vector<std::string>{"1 2015-04-21T00:00:00Z -6.70,65,,,"}));
}

TEST(DwdFileTest, NumbersAreKeptAsTheyStand) {
  const struct {
    const char* text;
    const char* value;
  } kRows[] = {
      {"0", "0"},
      {"-0.0", "-0.0"},
      {"007.50", "7.50"},
      {"00", "0"},
      {"-00.5", "-0.5"},
      {"-999", ""},
      {"-999.0", ""},
      {"-999.00", ""},
      {"-999.1", "-999.1"},
      {"-9990", "-9990"},
      {"999", "999"},
      {"123456789012345.123456789012345", "123456789012345.123456789012345"},
  };
  for (const auto& row : kRows) {
    const Parsed parsed = Parse(
        absl::StrCat(kHourly, "1;2018092400;3;", row.text, ";-999;eor\n"));
    ASSERT_EQ(parsed.rows.size(), 1u) << row.text;
    EXPECT_EQ(parsed.rows[0],
              absl::StrCat("1 2018-09-24T00:00:00Z ", row.value, ",,,,"));
  }
}

TEST(DwdFileTest, RowsThatAreWrongAreRejectedAndTheRestGoesOn) {
  const struct {
    const char* name;
    std::string row;
    std::vector<const char*> named;
  } kRows[] = {
      {"TooFewColumns", "433;2018092400;3;8.7;eor", {"5 columns", "6"}},
      {"TooManyColumns", "433;2018092400;3;8.7;89.0;;eor", {"7 columns", "6"}},
      {"NoEor", "433;2018092400;3;8.7;89.0;", {"eor"}},
      {"CutEor", "433;2018092400;3;8.7;89.0;eo", {"\"eo\"", "eor"}},
      {"NoNumber", "433;2018092400;3;warm;89.0;eor", {"TT_TU", "warm", "-999"}},
      {"DecimalComma", "433;2018092400;3;8,7;89.0;eor", {"TT_TU", "8,7"}},
      {"Exponent", "433;2018092400;3;8e1;89.0;eor", {"TT_TU", "8e1"}},
      {"Plus", "433;2018092400;3;+8;89.0;eor", {"TT_TU", "+8"}},
      {"NoDigits", "433;2018092400;3;8.7;.;eor", {"RF_TU", "\".\""}},
      {"PointAtTheEnd", "433;2018092400;3;8.7;8.;eor", {"RF_TU", "8."}},
      {"Empty", "433;2018092400;3;8.7;;eor", {"RF_TU", "\"\""}},
      {"NotANumber", "433;2018092400;3;NaN;89.0;eor", {"TT_TU", "NaN"}},
      {"TooLong",
       "433;2018092400;3;1234567890123456;89.0;eor",
       {"TT_TU", "1234567890123456"}},
      {"ZeroByte", std::string("433;2018092400;3;8\0;9;eor", 25), {"TT_TU"}},
      {"NoSuchDay",
       "433;2019022900;3;8.7;89.0;eor",
       {"MESS_DATUM", "2019022900", "yyyymmddhh"}},
      {"NoSuchMonth", "433;2019130100;3;8.7;89.0;eor", {"MESS_DATUM"}},
      {"Hour24", "433;2019010124;3;8.7;89.0;eor", {"MESS_DATUM"}},
      {"DateWithMinutes", "433;201901010000;3;8.7;89.0;eor", {"MESS_DATUM"}},
      {"DateWithLetters", "433;20190101aa;3;8.7;89.0;eor", {"MESS_DATUM"}},
      {"StationOfSixDigits",
       "100433;2018092400;3;8.7;89.0;eor",
       {"STATIONS_ID", "100433"}},
      {"StationOfNone", ";2018092400;3;8.7;89.0;eor", {"STATIONS_ID"}},
      {"StationNegative", "-33;2018092400;3;8.7;89.0;eor", {"STATIONS_ID"}},
  };
  for (const auto& row : kRows) {
    const Parsed parsed =
        Parse(absl::StrCat(kHourly, "433;2018092400;3;1;2;eor\n", row.row, "\n",
                           "433;2018092401;3;1;2;eor\n"));
    ASSERT_TRUE(parsed.status.ok()) << row.name;
    EXPECT_EQ(parsed.rows.size(), 2u) << row.name;
    EXPECT_EQ(parsed.summary.rejected_rows, 1) << row.name;
    ASSERT_EQ(parsed.summary.rejected.size(), 1u) << row.name;
    EXPECT_EQ(parsed.summary.rejected[0].line, 3) << row.name;
    for (const char* const word : row.named) {
      EXPECT_TRUE(absl::StrContains(parsed.summary.rejected[0].reason, word))
          << row.name << ": " << parsed.summary.rejected[0].reason;
    }
  }
}

TEST(DwdFileTest, EveryCutOfTheLastRowIsRejected) {
  const std::string row = "433;2018092401;3;8.7;89.0;eor";
  const std::string before =
      absl::StrCat(kHourly, "433;2018092400;3;1;2;eor\n");
  for (size_t size = 1; size < row.size(); ++size) {
    const Parsed parsed = Parse(absl::StrCat(before, row.substr(0, size)));
    EXPECT_EQ(parsed.rows.size(), 1u) << size;
    ASSERT_EQ(parsed.summary.rejected.size(), 1u) << size;
    EXPECT_TRUE(
        absl::StrContains(parsed.summary.rejected[0].reason, "cut off"));
  }
  EXPECT_EQ(Parse(before + row).rows.size(), 2u);
}

TEST(DwdFileTest, TenMinutesBefore2000AreMez) {
  const std::string row = ";3;-999;1;2;3;4;eor\n";
  const Parsed parsed = Parse(
      absl::StrCat(kTenMinutes, "1;199912312350", row, "1;200001010000", row));
  ASSERT_EQ(parsed.rows.size(), 2u);
  EXPECT_TRUE(absl::StrContains(parsed.rows[0], "1999-12-31T22:50:00Z"));
  EXPECT_TRUE(absl::StrContains(parsed.rows[1], "2000-01-01T00:00:00Z"));
}

TEST(DwdFileTest, HourlyRowsAreMezWhereTheMetadataSaySo) {
  DwdTimeZones zones;
  ASSERT_TRUE(zones
                  .Add("Stations_ID;Von_Datum;Bis_Datum;Parameter;Zusatz-Info\n"
                       "1;19500101;19930531;TT_TU;Stundenwerte in MEZ\n"
                       "1;19930601;20240101;TT_TU;Stundenwerte in UTC\n"
                       "2;19500101;19930531;TT_TU;Stundenwerte in GZ\n")
                  .ok());
  const Parsed parsed =
      Parse(absl::StrCat(kHourly, "1;1993053123;3;1;2;eor\n",
                         "1;1993060100;3;1;2;eor\n", "2;1993053123;3;1;2;eor\n",
                         "3;1993053123;3;1;2;eor\n"),
            zones);
  ASSERT_EQ(parsed.rows.size(), 3u);
  EXPECT_TRUE(absl::StrContains(parsed.rows[0], "1993-05-31T22:00:00Z"));
  EXPECT_TRUE(absl::StrContains(parsed.rows[1], "1993-06-01T00:00:00Z"));
  EXPECT_TRUE(absl::StrContains(parsed.rows[2], "1993-05-31T23:00:00Z"));
  // Legal time has summers that nothing here knows of.
  ASSERT_EQ(parsed.summary.rejected.size(), 1u);
  EXPECT_EQ(parsed.summary.rejected[0].line, 4);
}

TEST(DwdFileTest, TimesReachTheEndsOfTheYears) {
  const Parsed parsed = Parse(absl::StrCat(kHourly, "1;0000010100;3;1;2;eor\n",
                                           "1;9999123123;3;1;2;eor\n"));
  ASSERT_EQ(parsed.rows.size(), 2u);
  EXPECT_TRUE(absl::StrContains(parsed.rows[0], "0000-01-01T00:00:00Z"));
  EXPECT_TRUE(absl::StrContains(parsed.rows[1], "9999-12-31T23:00:00Z"));
  // An hour before that is another year.
  const Parsed mez =
      Parse(absl::StrCat(kTenMinutes, "1;000001010000;3;1;2;3;4;5;eor\n"));
  EXPECT_EQ(mez.summary.rejected_rows, 1);
}

TEST(DwdFileTest, OtherFilesAreRefusedWhole) {
  const struct {
    const char* name;
    std::string text;
    const char* named;
  } kRows[] = {
      {"Empty", "", "empty"},
      {"Wind", "STATIONS_ID;MESS_DATUM;  QN;FF_10;DD_10;eor\n", "FF_10"},
      {"Prose", "Deutscher Wetterdienst\n", "Deutscher Wetterdienst"},
      {"Binary", std::string("PK\3\4\0\0\xff", 7), "PK"},
      {"TwoTemperatures", "STATIONS_ID;MESS_DATUM;TT_10;TT_TU;eor\n",
       "TT_10 and TT_TU"},
      {"EndlessHeader", std::string(1 << 20, ';'), "no DWD product"},
  };
  for (const auto& row : kRows) {
    const Parsed parsed = Parse(row.text);
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status)) << row.name;
    EXPECT_TRUE(absl::StrContains(parsed.status.message(), row.named))
        << parsed.status;
    EXPECT_LT(parsed.status.message().size(), 1000u) << row.name;
    EXPECT_TRUE(parsed.rows.empty());
  }
  EXPECT_TRUE(Parse(kHourly).status.ok());
}

TEST(DwdFileTest, KnowsAProductByItsFirstLine) {
  EXPECT_TRUE(LooksLikeDwdFile(kHourly));
  EXPECT_TRUE(LooksLikeDwdFile("STATIONS_ID;MESS_DATUM;FF_10;eor\r\n1;2"));
  EXPECT_FALSE(LooksLikeDwdFile("Stations_ID;Von_Datum;Bis_Datum\n"));
  EXPECT_FALSE(LooksLikeDwdFile(""));
}

TEST(DwdFileTest, OfVeryManyRejectedRowsTheFirstAreKept) {
  std::string text(kHourly);
  for (size_t i = 0; i < DwdFileSummary::kRejectedKept + 5; ++i) text += "x\n";
  const Parsed parsed = Parse(text);
  EXPECT_EQ(parsed.summary.rejected_rows,
            static_cast<int64_t>(DwdFileSummary::kRejectedKept + 5));
  EXPECT_EQ(parsed.summary.rejected.size(), DwdFileSummary::kRejectedKept);
}

}  // namespace
}  // namespace windproof
