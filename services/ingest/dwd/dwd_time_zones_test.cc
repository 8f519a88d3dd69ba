#include "services/ingest/dwd/dwd_time_zones.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using Zone = DwdTimeZones::Zone;

// As in a real file, in ISO-8859-1.
const char kParameters[] =
    "Stations_ID;Von_Datum;Bis_Datum;Stationsname;Parameter;"
    "Parameterbeschreibung;Einheit;Datenquelle (Strukturversion=SV);"
    "Zusatz-Info;Besonderheiten;Literaturhinweis;eor;\r\n"
    "427;19730101;19910701;Sch\xf6nefeld;TT_TU;Lufttemperatur;\xb0"
    "C;Archiv;Stundenwerte in MEZ (MD);;;eor;\r\n"
    "427;19910701;19930531;Sch\xf6nefeld;TT_TU;Lufttemperatur;\xb0"
    "C;analog;Stundenwerte in MEZ;;;eor;   \r\n"
    "427;19930601;20010401;Sch\xf6nefeld;TT_TU;Lufttemperatur;\xb0"
    "C;MIRIAM;Stundenwerte in UTC;;;eor;\r\n"
    "427;19730101;20010401;Sch\xf6nefeld;RF_TU;relative Feuchte;%;MIRIAM;"
    "Stundenwerte in UTC;;;eor;\r\n"
    "Legende: FT  = Folgetag; GZ = Gesetzliche Zeit\r\n"
    "generiert: 27.03.2020 --  Deutscher Wetterdienst  --\r\n";

TEST(DwdTimeZonesTest, PeriodsOfAParameter) {
  DwdTimeZones zones;
  ASSERT_TRUE(zones.Add(kParameters).ok());
  const auto periods = zones.PeriodsOf(427, "TT_TU");
  ASSERT_EQ(periods.size(), 3u);
  const struct {
    int32_t day;
    Zone zone;
  } kRows[] = {
      {19721231, Zone::kUnsaid}, {19730101, Zone::kMez}, {19910701, Zone::kMez},
      {19930531, Zone::kMez},    {19930601, Zone::kUtc}, {20010401, Zone::kUtc},
      {20010402, Zone::kUnsaid},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(DwdTimeZones::ZoneOf(periods, row.day), row.zone) << row.day;
  }
  EXPECT_EQ(zones.PeriodsOf(427, "RF_TU").size(), 1u);
  EXPECT_TRUE(zones.PeriodsOf(433, "TT_TU").empty());
  EXPECT_EQ(DwdTimeZones::ZoneOf({}, 19900101), Zone::kUnsaid);
}

TEST(DwdTimeZonesTest, OnAnOverlapThePeriodThatBeganLastCounts) {
  const std::vector<DwdTimeZones::Period> periods = {
      {1, "TT_TU", 19950201, 20010401, Zone::kUtc},
      {1, "TT_TU", 19510101, 19950201, Zone::kMez},
  };
  EXPECT_EQ(DwdTimeZones::ZoneOf(periods, 19950131), Zone::kMez);
  EXPECT_EQ(DwdTimeZones::ZoneOf(periods, 19950201), Zone::kUtc);
}

TEST(DwdTimeZonesTest, WordsThatNameAZone) {
  const struct {
    const char* remark;
    Zone zone;
  } kRows[] = {
      {"Stundenwerte in MEZ", Zone::kMez},
      {"MEZ(MD)", Zone::kMez},
      {"Werte in UTC", Zone::kUtc},
      {"Werte in GZ", Zone::kOther},
      {"Werte in MESZ", Zone::kOther},
      {"", Zone::kUnsaid},
      {"SUTCX", Zone::kUnsaid},
      {"BEMEZ", Zone::kUnsaid},
  };
  for (const auto& row : kRows) {
    DwdTimeZones zones;
    ASSERT_TRUE(zones
                    .Add(absl::StrCat("Stations_ID;Von_Datum;Bis_Datum;"
                                      "Parameter;Zusatz-Info\n1;19500101;;"
                                      "TT_TU;",
                                      row.remark, "\n"))
                    .ok());
    EXPECT_EQ(DwdTimeZones::ZoneOf(zones.PeriodsOf(1, "TT_TU"), 20240101),
              row.zone)
        << row.remark;
  }
}

TEST(DwdTimeZonesTest, RefusesWhatHasNotTheColumns) {
  for (const char* const text :
       {"", "a;b\n", "\n\n", "Stations_ID;Von_Datum;Bis_Datum;Parameter\n"}) {
    DwdTimeZones zones;
    const absl::Status status = zones.Add(text);
    EXPECT_FALSE(status.ok()) << text;
    EXPECT_TRUE(absl::StrContains(status.message(), "has no column"));
  }
}

}  // namespace
}  // namespace windproof
