// `windproof serve --dwd-live`: from the files of an open-data server to
// verified windows.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ingest/live/live_product.h"
#include "services/ingest/live/testing/dwd_files.h"
#include "services/ingest/live/testing/dwd_server.h"
#include "tests/e2e/client.h"
#include "tests/e2e/process.h"
#include "tests/live/live_run.h"

namespace windproof {
namespace {

using ::testing::HasSubstr;

constexpr LiveFileKind kNow = LiveFileKind::kNow;
constexpr LiveFileKind kRecent = LiveFileKind::kRecent;

// The first `rows` rows of a product.
std::string FirstRows(const std::string& product, size_t rows) {
  size_t end = 0;
  for (size_t line = 0; line <= rows && end != std::string::npos; ++line) {
    end = product.find('\n', end);
    if (end != std::string::npos) ++end;
  }
  return product.substr(0, end);
}

std::string Zipped(const std::string& product) {
  return MakeZip({{"produkt_zehn_now_tu_x.txt", product}});
}

// What the same rows give that come from files: the reference.
std::vector<std::string> FromFiles(const std::vector<std::string>& paths) {
  const auto server = Serve(FreshPath("reference"));
  EXPECT_TRUE(server->WaitReady()) << server->err();
  std::vector<std::string> arguments = {"ingest", "dwd", "--server",
                                        server->grpc()};
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  const Outcome ingest =
      RunProcess(Binary("services/windproof/windproof"), arguments);
  EXPECT_LE(ingest.code, 1) << ingest.err;  // 1: rows that were rejected
  std::vector<std::string> checkpoints = Checkpoints(server->grpc());
  EXPECT_EQ(server->Stop(), 0) << server->err();
  return checkpoints;
}

void ExpectSame(const std::vector<std::string>& got,
                const std::vector<std::string>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], expected[i]);
}

void ExpectVerified(const std::string& address) {
  const Outcome verify = RunProcess(Binary("services/windproof/windproof"),
                                    {"verify", "--all", "--server", address});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
}

std::string Metrics(const Process& server) {
  return RunProcess("/usr/bin/curl",
                    {"-s", absl::StrCat("http://", server.http(), "/metrics")})
      .out;
}

TEST(LiveTest, WindowsAreThoseOfTheFilesWhateverTheServerDid) {
  const std::string all_433 = TenMinuteProduct("433", TestRows(-1440, 1440));
  const std::string all_427 = TenMinuteProduct("427", TestRows(0, 600));
  const std::string path_433 = FreshPath("produkt_433.txt");
  const std::string path_427 = FreshPath("produkt_427.txt");
  WriteContent(path_433, all_433);
  WriteContent(path_427, all_427);
  const std::vector<std::string> expected = FromFiles({path_433, path_427});
  ASSERT_GT(expected.size(), 50u);

  DwdServer dwd;
  const std::string recent = UrlOf(dwd, "00433", kRecent);
  const std::string now = UrlOf(dwd, "00433", kNow);
  const std::string now_427 = UrlOf(dwd, "00427", kNow);
  Publish(dwd, recent, Zipped(TenMinuteProduct("433", TestRows(-1440, 0))));
  Publish(dwd, now, Zipped(TenMinuteProduct("433", TestRows(0, 100))));
  Publish(dwd, now_427, Zipped(FirstRows(all_427, 10)));

  const std::string data_dir = FreshPath("data");
  auto server = Serve(data_dir, Following(dwd, "00427,00433"));
  ASSERT_TRUE(server->WaitReady()) << server->err();
  ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();

  // Away, busy, cut off, garbage, elsewhere; and each time it comes back with
  // more.
  const auto with = [](int64_t end) {
    return Zipped(TenMinuteProduct("433", TestRows(0, end)));
  };
  const std::string zip = with(300);
  const std::vector<DwdAnswer> faults = {
      {.status = 503, .headers = {{"Retry-After", "0"}}},
      {.status = 404},
      {.body = zip.substr(0, zip.size() - 30), .etag = "\"cut\""},
      {.body = "<html>Wartungsarbeiten</html>", .etag = "\"html\""},
      {.body = zip, .etag = "\"broken\"", .breaks_off = true},
      {.status = 302, .headers = {{"Location", "/moved.zip"}}},
  };
  int64_t end = 100;
  for (const DwdAnswer& fault : faults) {
    dwd.SetUrl(now, fault);
    dwd.Mark();
    ASSERT_TRUE(dwd.WaitForRequests(now, 1));
    end += 100;
    Publish(dwd, now, with(end));
    ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();
  }
  dwd.Stop();
  dwd.Restart();
  end += 100;
  // By another way, through a redirect.
  dwd.SetUrl(now, {.status = 302, .headers = {{"Location", "/moved.zip"}}});
  Publish(dwd, dwd.base_url() + "/moved.zip", with(end));
  ASSERT_TRUE(dwd.WaitTaken(dwd.base_url() + "/moved.zip")) << server->err();

  // The server of ours goes and comes back, too.
  EXPECT_EQ(server->Stop(), 0) << server->err();
  Publish(dwd, now, Zipped(TenMinuteProduct("433", TestRows(0, 1440))));
  Publish(dwd, now_427, Zipped(all_427));
  server = Serve(data_dir, Following(dwd, "00427,00433"));
  ASSERT_TRUE(server->WaitReady()) << server->err();
  ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();
  ASSERT_TRUE(dwd.WaitTaken(now_427)) << server->err();

  Client client(server->grpc());
  EXPECT_EQ(client.WaitAnchored(static_cast<int>(expected.size())).size(),
            expected.size());
  ExpectSame(Checkpoints(server->grpc()), expected);
  ExpectVerified(server->grpc());
  EXPECT_THAT(
      Metrics(*server),
      HasSubstr("windproof_dwd_live_rows_sent_total{station=\"00433\""));
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

TEST(LiveTest, RealFilesInSteps) {
  const char* const shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) {
    GTEST_SKIP() << "WINDPROOF_SHARED does not say where the data are";
  }
  const std::string data = absl::StrCat(shared, "/data/dwd/");
  if (!std::filesystem::exists(data)) GTEST_SKIP() << data << " is not there";
  const std::string of_now = data + "ten_minutes_now/";
  const std::string of_day = of_now + "produkt_zehn_now_tu_";
  const std::vector<std::string> days = {
      of_day + "20250323_20250323_01420.txt",
      of_day + "20250324_20250324_01420.txt",
      of_day + "20250329_20250329_01420.txt"};
  const std::string offenbach = of_day + "20250323_20250323_07341.txt";
  const std::string cologne = of_now + "10minutenwerte_TU_02667_now.zip";
  const std::string aachen =
      data + "ten_minutes/10minutenwerte_TU_00003_real_auszug_hist.zip";
  const std::string munich =
      data + "ten_minutes/produkt_zehn_min_tu_20181004_20200405_03379.txt";
  std::vector<std::string> paths = days;
  paths.insert(paths.end(), {offenbach, cologne, aachen, munich});
  const std::vector<std::string> expected = FromFiles(paths);
  ASSERT_GT(expected.size(), 4'800u);

  DwdServer dwd;
  // As served: zips as they are, texts in a zip.
  Publish(dwd, UrlOf(dwd, "02667", kNow), FileContent(cologne));
  Publish(dwd, UrlOf(dwd, "00003", kRecent), FileContent(aachen));
  Publish(dwd, UrlOf(dwd, "03379", kRecent),
          MakeZip({{"produkt_zehn_min_tu_x_03379.txt", FileContent(munich)}}));
  const auto server =
      Serve(FreshPath("data"), Following(dwd, "00003,01420,02667,03379,07341"));
  ASSERT_TRUE(server->WaitReady()) << server->err();

  const std::string now = UrlOf(dwd, "01420", kNow);
  std::string before;
  for (const std::string& day : days) {
    const std::string product = FileContent(day);
    if (!before.empty()) {
      Publish(dwd, UrlOf(dwd, "01420", kRecent), Zipped(before));
      ASSERT_TRUE(dwd.WaitTaken(UrlOf(dwd, "01420", kRecent)));
    }
    for (const size_t rows : {1, 7, 30, 1'000}) {
      Publish(dwd, now, Zipped(FirstRows(product, rows)));
      Publish(dwd, UrlOf(dwd, "07341", kNow),
              Zipped(FirstRows(FileContent(offenbach), rows)));
      ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();
      ASSERT_TRUE(dwd.WaitTaken(UrlOf(dwd, "07341", kNow)));
      if (day != days.front()) break;  // in whole days from here on
    }
    Publish(dwd, now, Zipped(product));
    ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();
    Publish(dwd, UrlOf(dwd, "07341", kNow), Zipped(FileContent(offenbach)));
    before = before.empty() ? product
                            : before + product.substr(product.find('\n') + 1);
  }
  ASSERT_TRUE(dwd.WaitTaken(UrlOf(dwd, "07341", kNow)));
  ASSERT_TRUE(dwd.WaitTaken(UrlOf(dwd, "03379", kRecent)));
  ASSERT_TRUE(dwd.WaitTaken(UrlOf(dwd, "02667", kNow)));
  ASSERT_TRUE(dwd.WaitTaken(UrlOf(dwd, "00003", kRecent)));

  Client client(server->grpc());
  EXPECT_EQ(client.WaitAnchored(static_cast<int>(expected.size())).size(),
            expected.size());
  ExpectSame(Checkpoints(server->grpc()), expected);
  // The row that is cut off in the file of 03379.
  EXPECT_THAT(server->err(), HasSubstr("cut off"));
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

TEST(LiveTest, ARowThatChangedLaterIsAConflictOrLate) {
  DwdServer dwd;
  const std::string now = UrlOf(dwd, "00433", kNow);
  std::vector<TestRow> rows = TestRows(0, 60);
  Publish(dwd, now, TenMinuteZip("433", rows));
  const auto server = Serve(FreshPath("data"), Following(dwd, "00433"));
  ASSERT_TRUE(server->WaitReady()) << server->err();
  ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();

  rows[1].temperature = "30.5";  // its window is open
  Publish(dwd, now, TenMinuteZip("433", rows));
  ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();
  for (const TestRow& row : TestRows(60, 150)) rows.push_back(row);
  Publish(dwd, now, TenMinuteZip("433", rows));
  ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();
  rows[2].temperature = "31.5";  // its window is closed
  for (const TestRow& row : TestRows(150, 210)) rows.push_back(row);
  Publish(dwd, now, TenMinuteZip("433", rows));
  ASSERT_TRUE(dwd.WaitTaken(now)) << server->err();

  Client client(server->grpc());
  ASSERT_EQ(client.WaitAnchored(3).size(), 3u);
  const std::vector<std::string> checkpoints = Checkpoints(server->grpc());
  ASSERT_EQ(checkpoints.size(), 3u);
  EXPECT_THAT(checkpoints[0], HasSubstr("\"conflict\":1"));
  EXPECT_THAT(checkpoints[0], HasSubstr("\"max\":0.5"));
  EXPECT_THAT(checkpoints[1], HasSubstr("\"late\":0"));
  EXPECT_THAT(checkpoints[2], HasSubstr("\"late\":1"));
  for (const std::string& checkpoint : checkpoints) {
    EXPECT_THAT(checkpoint, HasSubstr("\"records\":6"));
    EXPECT_THAT(checkpoint, HasSubstr("\"duplicate\":0"));
  }
  ExpectVerified(server->grpc());
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

TEST(LiveTest, ASilentStationsWindowsClose) {
  // Hours that are over.
  const int64_t now_s = std::chrono::duration_cast<std::chrono::seconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  const int64_t begin_s = now_s / 3'600 * 3'600 - 5 * 3'600;
  DwdServer dwd;
  const std::string now = UrlOf(dwd, "00433", kNow);
  Publish(dwd, UrlOf(dwd, "00433", kRecent), TenMinuteZip("433", {}, begin_s));
  Publish(dwd, now, TenMinuteZip("433", TestRows(0, 90), begin_s));
  const auto server = Serve(FreshPath("data"), Following(dwd, "00433", "1s"));
  ASSERT_TRUE(server->WaitReady()) << server->err();

  Client client(server->grpc());
  ASSERT_EQ(client.WaitAnchored(2).size(), 2u);
  const std::vector<std::string> checkpoints = Checkpoints(server->grpc());
  ASSERT_EQ(checkpoints.size(), 2u);
  EXPECT_THAT(checkpoints[0], HasSubstr("\"control\":0"));
  EXPECT_THAT(checkpoints[0], HasSubstr("\"records\":6"));
  EXPECT_THAT(checkpoints[1], HasSubstr("\"control\":1"));
  EXPECT_THAT(checkpoints[1], HasSubstr("\"records\":3"));
  // Once is enough, however often it looks.
  dwd.Mark();
  ASSERT_TRUE(dwd.WaitForRequests(now, 3));
  EXPECT_THAT(Metrics(*server),
              HasSubstr("windproof_dwd_live_watermarks_total{station=\"00433\"}"
                        " 1\n"));
  ExpectVerified(server->grpc());
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

TEST(LiveTest, HourlyWindowsOfADay) {
  DwdServer dwd;
  const std::string url = UrlOf(dwd, "00433", kRecent, DwdCadence::kHourly);
  std::vector<TestRow> rows;
  for (int64_t hour = 0; hour < 30; ++hour) rows.push_back({hour * 60, "1.5"});
  Publish(dwd, url, HourlyZip("433", rows));
  std::vector<std::string> flags = Following(dwd, "00433");
  flags.insert(flags.end(), {"--pipeline", "weather-hourly"});
  const auto server = Serve(FreshPath("data"), flags);
  ASSERT_TRUE(server->WaitReady()) << server->err();
  Client client(server->grpc());
  ASSERT_EQ(client.WaitAnchored(1, "weather-hourly").size(), 1u);
  const Outcome verify =
      RunProcess(Binary("services/windproof/windproof"),
                 {"verify", "--server", server->grpc(),
                  "weather-hourly/00433/2026-01-25T00:00:00Z"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

TEST(LiveTest, StopDoesNotWaitForASlowServer) {
  DwdServer dwd;
  const std::string url = UrlOf(dwd, "00433", kRecent);
  dwd.SetUrl(url, {.body = std::string(1'000, 'x'), .stalls = true});
  std::vector<std::string> flags = Following(dwd, "00433");
  // Longer than the test may take.
  flags.insert(flags.end(), {"--dwd-timeout", "1h", "--drain-ms", "600000"});
  const auto server = Serve(FreshPath("data"), flags);
  ASSERT_TRUE(server->WaitReady()) << server->err();
  ASSERT_TRUE(dwd.WaitForRequests(url, 1));
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

struct Misuse {
  const char* name;
  const char* program;
  std::vector<std::string> flags;
  const char* why;
};

class LiveMisuseTest : public ::testing::TestWithParam<Misuse> {};

TEST_P(LiveMisuseTest, IsNamedBeforeAnythingIsMade) {
  std::vector<std::string> arguments;
  const std::string data_dir = FreshPath("never");
  if (absl::EndsWith(GetParam().program, "windproof")) {
    arguments = {"serve", "--data-dir", data_dir};
  }
  arguments.insert(arguments.end(), GetParam().flags.begin(),
                   GetParam().flags.end());
  const Outcome got = RunProcess(Binary(GetParam().program), arguments);
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr(GetParam().why));
  EXPECT_FALSE(std::filesystem::exists(data_dir));
}

INSTANTIATE_TEST_SUITE_P(
    , LiveMisuseTest,
    ::testing::ValuesIn(std::vector<Misuse>{
        {"Station",
         "services/windproof/windproof",
         {"--dwd-live", "433", "--dwd-base-url", "http://127.0.0.1:1"},
         "--dwd-live: station is \"433\"; accepted: a number of five digits"},
        {"BaseUrl",
         "services/windproof/windproof",
         {"--dwd-live", "00433", "--dwd-base-url", "ftp://127.0.0.1:1"},
         "--dwd-base-url: base URL is \"ftp://127.0.0.1:1\", which is neither "
         "http nor https"},
        {"NoBaseUrl",
         "services/windproof/windproof",
         {"--dwd-live", "00433"},
         "--dwd-base-url: is missing"},
        {"OfIngest",
         "services/ingest/ingest",
         {"--log", "kafka", "--dwd-live", "0433", "--dwd-base-url",
          "http://127.0.0.1:1"},
         "--dwd-live: station is \"0433\""},
    }),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace windproof
