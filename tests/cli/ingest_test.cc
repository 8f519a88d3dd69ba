// From files to verified windows, through the commands alone.

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::HasSubstr;

std::string SpecFile() {
  std::string path = FreshPath("sensors.json");
  WriteContent(path, R"({
    "name": "sensors", "topics": ["sensors"], "key_field": "sensor",
    "timestamp_field": "at", "fields": {"volts": "NUMBER"},
    "aggregated": ["volts"], "window_ms": 60000, "grace_ms": 5000,
    "future_skew_ms": 60000, "units": {"volts": "V"}})");
  return path;
}

TEST(IngestTest, JsonLinesOfAnOwnPipelineAreVerified) {
  TestServer server(SpecFile());
  const std::string records = FreshPath("records.jsonl");
  WriteContent(records,
               R"({"sensor":"s1","at":"2026-01-25T12:00:00Z","volts":3.30}
{"sensor":"s1","at":"2026-01-25T13:00:20+01:00","volts":3.2,"note":"dropped"}

{"sensor":"s1","at":"2026-01-25T12:01:05Z","volts":3.1}
)");
  const Outcome ingest = server.Run(
      {"ingest", "json", "--topic", "sensors", records, "--output", "json"});
  EXPECT_EQ(ingest.code, 0) << ingest.err;
  const std::vector<JsonValue> summary = JsonLines(ingest.out);
  ASSERT_EQ(summary.size(), 1U);
  EXPECT_EQ(Number(summary[0], {"records"}), 3);
  EXPECT_EQ(Number(summary[0], {"rejected"}), 0);

  const std::vector<JsonValue> windows = server.WaitForWindows(1);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(Text(windows[0], {"checkpoint", "key"}), "s1");
  EXPECT_EQ(Number(windows[0], {"checkpoint", "records"}), 2);
  EXPECT_EQ(Number(windows[0], {"checkpoint", "aggregates", "volts", "avg"}),
            3.25);
  EXPECT_EQ(Text(windows[0], {"receipt", "state"}), "ANCHORED");

  const Outcome verify = server.Run(
      {"verify", "sensors/s1/2026-01-25T12:00:00Z", "--output", "json"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  const std::vector<JsonValue> verdicts = JsonLines(verify.out);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(Text(verdicts[0], {"verdict"}), "VERIFIED");
  EXPECT_EQ(Text(verdicts[0], {"window", "start"}), "2026-01-25T12:00:00Z");
}

TEST(IngestTest, RejectedLinesAreNamedAndTheRestGoesOn) {
  TestServer server(SpecFile());
  const std::string records = FreshPath("records.jsonl");
  WriteContent(records,
               R"({"sensor":"s1","at":"2026-01-25T12:00:00Z","volts":1}
no JSON
{"sensor":"s1","at":"2026-01-25T12:00:10Z","volts":2}
{"sensor":"s1","at":"2999-01-25T12:00:00Z","volts":3}
{"sensor":"s1","at":"2026-01-25T12:01:05Z","volts":4}
)");
  const Outcome ingest = server.Run(
      {"ingest", "json", "--topic", "sensors", records, "--output", "json"});
  EXPECT_EQ(ingest.code, 1);
  EXPECT_THAT(ingest.err, HasSubstr(records + ":2: "));
  EXPECT_THAT(ingest.err,
              HasSubstr(records + ":4: at is 2999-01-25T12:00:00Z"));
  const std::vector<JsonValue> summary = JsonLines(ingest.out);
  ASSERT_EQ(summary.size(), 1U);
  EXPECT_EQ(Number(summary[0], {"records"}), 3);
  EXPECT_EQ(Number(summary[0], {"rejected"}), 2);
  const std::vector<JsonValue> windows = server.WaitForWindows(1);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(Number(windows[0], {"checkpoint", "records"}), 2);
}

TEST(IngestTest, ATopicThatNobodyReadsIsWrongUse) {
  TestServer server(SpecFile());
  const std::string records = FreshPath("records.jsonl");
  WriteContent(records, "{\"sensor\":\"s1\",\"at\":0}\n");
  const Outcome json =
      server.Run({"ingest", "json", "--topic", "sensorz", records});
  EXPECT_EQ(json.code, 2);
  EXPECT_THAT(json.err, HasSubstr("topic is \"sensorz\""));
  EXPECT_THAT(json.err, HasSubstr("accepted: sensors"));
  const Outcome dwd =
      server.Run({"ingest", "dwd", Binary("deploy/sample/1-first")});
  EXPECT_EQ(dwd.code, 2);
  EXPECT_THAT(dwd.err, HasSubstr("topic is \"weather.9900"));
}

TEST(IngestTest, TwoDeliveriesOfStationsWithDuplicatesAndLateRows) {
  TestServer server("weather-hourly");
  ASSERT_EQ(server.Run({"ingest", "dwd", Binary("deploy/sample/1-first")}).code,
            0);
  const Outcome second =
      server.Run({"ingest", "dwd", Binary("deploy/sample/2-update"),
                  "--complete", "--output", "json"});
  EXPECT_EQ(second.code, 0) << second.err;
  const std::vector<JsonValue> summary = JsonLines(second.out);
  ASSERT_EQ(summary.size(), 1U);
  EXPECT_EQ(Number(summary[0], {"stations"}), 2);
  EXPECT_EQ(Number(summary[0], {"completed"}), 2);

  // 66 days each; in order of key and start.
  const std::vector<JsonValue> windows = server.WaitForWindows(132);
  ASSERT_EQ(windows.size(), 132U);
  double late = 0;
  double duplicate = 0;
  double conflict = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    late += Number(windows[i], {"checkpoint", "scan", "late"});
    duplicate += Number(windows[i], {"checkpoint", "scan", "duplicate"});
    conflict += Number(windows[i], {"checkpoint", "scan", "conflict"});
    if (i == 0) continue;
    EXPECT_LT(Text(windows[i - 1], {"checkpoint", "key"}) +
                  Text(windows[i - 1], {"checkpoint", "window", "start"}),
              Text(windows[i], {"checkpoint", "key"}) +
                  Text(windows[i], {"checkpoint", "window", "start"}));
  }
  EXPECT_GT(late, 0);
  EXPECT_GT(duplicate, 0);
  EXPECT_GT(conflict, 0);

  const Outcome verify = server.Run({"verify", "--all", "--output", "json"});
  EXPECT_EQ(verify.code, 0) << verify.err;
  const std::vector<JsonValue> verdicts = JsonLines(verify.out);
  EXPECT_EQ(verdicts.size(), 132U);
  for (const JsonValue& verdict : verdicts) {
    EXPECT_EQ(Text(verdict, {"verdict"}), "VERIFIED");
  }
  const Outcome range =
      server.Run({"windows", "--key", "99001", "--from", "2025-01-10T00:00:00Z",
                  "--to", "2025-01-12T00:00:00Z", "--output", "json"});
  EXPECT_EQ(JsonLines(range.out).size(), 2U);
}

TEST(IngestTest, BadRowsAreNamedAndTheRestGoesOn) {
  TestServer server("weather-hourly");
  const std::string file =
      FreshPath("produkt_tu_stunde_20250101_20250101_99003.txt");
  WriteContent(file,
               "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\n"
               "      99003;2025010100;    3;   1.0;  80.0;eor\n"
               "      99003;2025010125;    3;   1.0;  80.0;eor\n"
               "      99003;2025010101;    3;   x.0;  80.0;eor\n"
               "      99003;2999010102;    3;   1.5;  80.0;eor\n"
               "      99003;2025010103;    3;   2.0;  -999;eor\n"
               "      99003;202501\n");
  const Outcome ingest =
      server.Run({"ingest", "dwd", file, "--complete", "--output", "json"});
  EXPECT_EQ(ingest.code, 1);
  for (const char* line : {":3: ", ":4: ", ":7: "}) {
    EXPECT_THAT(ingest.err, HasSubstr(file + line));
  }
  // A good row, but of the future: ingest refuses it.
  EXPECT_THAT(ingest.err, HasSubstr("station 99003 at 2999-01-01T02:00:00Z"));
  const std::vector<JsonValue> summary = JsonLines(ingest.out);
  ASSERT_EQ(summary.size(), 1U);
  EXPECT_EQ(Number(summary[0], {"records"}), 2);
  EXPECT_EQ(Number(summary[0], {"rejected"}), 4);
  EXPECT_EQ(Number(summary[0], {"completed"}), 1);
  const std::vector<JsonValue> windows = server.WaitForWindows(1);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(Number(windows[0], {"checkpoint", "records"}), 2);
}

TEST(IngestTest, TwoRealStationsAreVerified) {
  const std::string shared = SharedData();
  if (shared.empty()) GTEST_SKIP() << "WINDPROOF_SHARED has no data";
  const std::string start =
      shared +
      "/dwd/hourly_recent_20200327/produkt_tu_stunde_20180924_20200326_";
  TestServer server("weather-hourly");
  const Outcome ingest =
      server.Run({"ingest", "dwd", start + "00427.txt", start + "00433.txt",
                  "--complete", "--output", "json"});
  EXPECT_EQ(ingest.code, 0) << ingest.err;
  const std::vector<JsonValue> summary = JsonLines(ingest.out);
  ASSERT_EQ(summary.size(), 1U);
  EXPECT_EQ(Number(summary[0], {"records"}), 26400);
  EXPECT_EQ(server.WaitForWindows(1100).size(), 1100U);

  const Outcome verify = server.Run({"verify", "--all"});
  EXPECT_EQ(verify.code, 0) << verify.err;
  EXPECT_THAT(verify.out, HasSubstr("1100 windows, 26400 records"));
  EXPECT_THAT(verify.out, HasSubstr("1100 verified, 0 empty, 0 failed"));

  // The same store, stopped.
  EXPECT_EQ(server.Stop(), 0);
  const Outcome offline =
      Windproof({"verify", "--key", "00433", "--data-dir", server.data_dir()});
  EXPECT_EQ(offline.code, 0) << offline.err;
  EXPECT_THAT(offline.out, HasSubstr("550 verified"));
}

}  // namespace
}  // namespace windproof
