#include "services/ingest/live/live_product.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(LiveProductTest, TenMinutesAreRecentAndThenNow) {
  const std::vector<LiveFile> files =
      LiveFilesOf("https://server/mirror", DwdCadence::kTenMinutes, "00433");
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].kind, LiveFileKind::kRecent);
  EXPECT_EQ(files[0].url,
            "https://server/mirror/climate_environment/CDC/"
            "observations_germany/climate/10_minutes/air_temperature/recent/"
            "10minutenwerte_TU_00433_akt.zip");
  EXPECT_EQ(files[1].kind, LiveFileKind::kNow);
  EXPECT_EQ(files[1].url,
            "https://server/mirror/climate_environment/CDC/"
            "observations_germany/climate/10_minutes/air_temperature/now/"
            "10minutenwerte_TU_00433_now.zip");
}

TEST(LiveProductTest, HourlyHasNoNow) {
  const std::vector<LiveFile> files =
      LiveFilesOf("http://server", DwdCadence::kHourly, "00427");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].kind, LiveFileKind::kRecent);
  EXPECT_EQ(files[0].url,
            "http://server/climate_environment/CDC/observations_germany/"
            "climate/hourly/air_temperature/recent/"
            "stundenwerte_TU_00427_akt.zip");
}

TEST(LiveProductTest, BaseUrlsThatAreAccepted) {
  EXPECT_EQ(*CheckLiveBaseUrl("http://server"), "http://server");
  EXPECT_EQ(*CheckLiveBaseUrl("https://server:8443/a/b//"),
            "https://server:8443/a/b");
  EXPECT_EQ(*CheckLiveBaseUrl("HTTP://[::1]:80/"), "HTTP://[::1]:80");
}

struct BadUrl {
  const char* name;
  const char* url;
  const char* why;
};

class BadUrlTest : public ::testing::TestWithParam<BadUrl> {};

TEST_P(BadUrlTest, IsNamed) {
  const auto checked = CheckLiveBaseUrl(GetParam().url);
  ASSERT_FALSE(checked.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(checked.status()));
  EXPECT_THAT(std::string(checked.status().message()),
              HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    , BadUrlTest,
    ::testing::ValuesIn(std::vector<BadUrl>{
        {"Nothing", "", "neither http nor https"},
        {"Ftp", "ftp://server", "neither http nor https"},
        {"File", "file:///etc/passwd", "neither http nor https"},
        {"NoScheme", "server/path", "\"server/path\""},
        {"NoHost", "https://", "names no host"},
        {"NoHostButAPath", "http:///path", "names no host"},
        {"NoHostButAPort", "http://:80", "names no host"},
        {"User", "https://me:secret@server", "with a user"},
        {"Query", "https://server?x=1", "with a query"},
        {"Fragment", "https://server/#a", "with a query"},
        {"Blank", "https://ser ver", "character"},
        {"Newline", "https://server\r\nHost: other", "character"},
    }),
    [](const auto& info) { return info.param.name; });

TEST(LiveProductTest, StationsWithCommasOrOneByOne) {
  EXPECT_THAT(*ParseLiveStations({"00427,00433"}),
              ElementsAre("00427", "00433"));
  EXPECT_THAT(*ParseLiveStations({"00427", " 00433 "}),
              ElementsAre("00427", "00433"));
  EXPECT_TRUE(ParseLiveStations({})->empty());
}

TEST(LiveProductTest, StationsThatAreNoneAreNamed) {
  for (const char* const bad : {"433", "004330", "0043a", "", "00433,", "-0433",
                                "../..", "00433;00427"}) {
    const auto stations = ParseLiveStations({bad});
    ASSERT_FALSE(stations.ok()) << bad;
    EXPECT_THAT(std::string(stations.status().message()),
                HasSubstr("five digits"));
  }
  EXPECT_THAT(
      std::string(
          ParseLiveStations({"00433", "00427,00433"}).status().message()),
      HasSubstr("00433 is there twice"));
}

}  // namespace
}  // namespace windproof
