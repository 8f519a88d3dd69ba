// `windproof show`, `watch` and `pipeline check`, as text and as JSON.

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

// 12:00 has two records, a duplicate and a conflict; 13:00 one and a late one.
const char kRecords[] =
    R"({"station_id":"00433","temperature":3.1,"timestamp":"2026-01-25T12:00:00Z"}
{"station_id":"00433","temperature":3.9,"timestamp":"2026-01-25T12:20:00Z","note":"left out"}
{"station_id":"00433","temperature":3.9,"timestamp":"2026-01-25T13:20:00+01:00"}
{"station_id":"00433","temperature":4.0,"timestamp":"2026-01-25T12:00:00Z"}
{"station_id":"00433","temperature":2.5,"timestamp":"2026-01-25T13:20:00Z"}
{"station_id":"00433","temperature":9.9,"timestamp":"2026-01-25T12:10:00Z"}
{"station_id":"00433","temperature":2.0,"timestamp":"2026-01-25T14:20:00Z"}
)";
const char kNoon[] = "weather/00433/2026-01-25T12:00:00Z";
const char kOne[] = "weather/00433/2026-01-25T13:00:00Z";

class LookTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new TestServer("weather");
    const std::string records = FreshPath("records.jsonl");
    WriteContent(records, kRecords);
    const Outcome ingest =
        server_->Run({"ingest", "json", "--topic", "weather.00433", records});
    ASSERT_EQ(ingest.code, 0) << ingest.err;
  }
  static void TearDownTestSuite() { delete server_; }

  static TestServer* server_;
};

TestServer* LookTest::server_ = nullptr;

TEST_F(LookTest, ShowTellsAllOfAWindow) {
  const Outcome got = server_->Run({"show", kNoon});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.out, HasSubstr(absl::StrCat("window      ", kNoon)));
  EXPECT_THAT(got.out,
              HasSubstr("2026-01-25T12:00:00Z to 2026-01-25T13:00:00Z"));
  EXPECT_THAT(got.out,
              HasSubstr("temperature: min 3.1, avg 3.5, max 3.9 °C over 2"));
  EXPECT_THAT(got.out, HasSubstr("3 accepted, 1 duplicate, 1 conflict"));
  EXPECT_THAT(got.out, ContainsRegex("dropped +offset 2 DUPLICATE"));
  EXPECT_THAT(got.out, ContainsRegex("dropped +offset 3 CONFLICT"));
  EXPECT_THAT(got.out, ContainsRegex("receipt +ANCHORED"));
  EXPECT_THAT(got.out, ContainsRegex(" 1 .\"station_id\":\"00433\""));
  EXPECT_THAT(server_->Run({"show", kOne}).out,
              ContainsRegex("dropped +offset 5 LATE"));
}

TEST_F(LookTest, ShowAsJson) {
  const Outcome got = server_->Run({"show", kNoon, "--output", "json"});
  EXPECT_EQ(got.code, 0) << got.err;
  const std::vector<JsonValue> lines = JsonLines(got.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Text(lines[0], {"checkpoint", "key"}), "00433");
  EXPECT_EQ(Text(lines[0], {"state"}), "ANCHORED");
  EXPECT_EQ(Text(lines[0], {"receipt", "state"}), "ANCHORED");
  const JsonValue* records = lines[0].Find("records");
  ASSERT_NE(records, nullptr);
  ASSERT_EQ(records->elements.size(), 2U);
  EXPECT_EQ(Number(records->elements[1], {"offset"}), 1);
  EXPECT_EQ(Number(records->elements[1], {"record", "temperature"}), 3.9);
  const JsonValue* dropped = lines[0].Find("dropped");
  ASSERT_NE(dropped, nullptr);
  ASSERT_EQ(dropped->elements.size(), 2U);
  EXPECT_EQ(Text(dropped->elements[0], {"reason"}), "DUPLICATE");
}

TEST_F(LookTest, ShowOfNoWindow) {
  const Outcome got =
      server_->Run({"show", "weather/00000/2026-01-25T12:00:00Z"});
  EXPECT_EQ(got.code, 2);
  EXPECT_EQ(got.out, "");
  EXPECT_THAT(got.err, HasSubstr("00000"));
}

TEST_F(LookTest, WatchFromTheStart) {
  const Outcome text = server_->Run({"watch", "--from-start", "--count", "2"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr(kNoon), HasSubstr("2 records"),
                              HasSubstr(kOne), HasSubstr("1 record ")));
  const Outcome json = server_->Run(
      {"watch", "--from-start", "--count", "1", "--output", "json"});
  EXPECT_EQ(json.code, 0) << json.err;
  const std::vector<JsonValue> lines = JsonLines(json.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Number(lines[0], {"position"}), 0);
  EXPECT_EQ(Text(lines[0], {"checkpoint", "window", "start"}),
            "2026-01-25T12:00:00Z");
}

TEST_F(LookTest, WatchSeesWhatIsAnchoredLater) {
  Process watch(Binary("services/windproof/windproof"),
                {"watch", "--from-start", "--key", "00427", "--count", "1",
                 "--server", server_->address()});
  const std::string records = FreshPath("records.jsonl");
  WriteContent(
      records,
      R"({"station_id":"00427","temperature":1,"timestamp":"2026-01-25T12:00:00Z"}
{"station_id":"00427","temperature":2,"timestamp":"2026-01-25T13:20:00Z"}
)");
  ASSERT_EQ(
      server_->Run({"ingest", "json", "--topic", "weather.00427", records})
          .code,
      0);
  EXPECT_THAT(watch.ReadLine(),
              HasSubstr("weather/00427/2026-01-25T12:00:00Z"));
  EXPECT_EQ(watch.Wait(), 0) << watch.err();
}

TEST_F(LookTest, WhatIsStoredIsForItsOwnerAlone) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(server_->data_dir())) {
    struct stat info = {};
    ASSERT_EQ(lstat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 077, 0U) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 5);
}

TEST(PipelineCheckTest, SaysWhatBecomesOfEachRecord) {
  const std::string records = FreshPath("records.jsonl");
  WriteContent(
      records,
      R"({"station_id":"00433","temperature":3.90,"timestamp":"2026-01-25T13:20:00+01:00","x":1}
{"station_id":"00433","temperature":1 "timestamp":"2026-01-25T12:00:00Z"}
{"station_id":"00433","temperature":1,"timestamp":"yesterday"}
{"temperature":1,"timestamp":"2026-01-25T12:00:00Z"}
)");
  const Outcome text = Windproof({"pipeline", "check", "weather", records});
  EXPECT_EQ(text.code, 1) << text.err;
  EXPECT_THAT(text.out, HasSubstr("1: weather/00433/2026-01-25T12:00:00Z\n"));
  EXPECT_THAT(
      text.out,
      HasSubstr(
          R"({"station_id":"00433","temperature":3.9,"timestamp":"2026-01-25T12:20:00Z"})"));
  EXPECT_THAT(text.out, ContainsRegex("2: invalid: value is .*JSON byte 38"));
  EXPECT_THAT(text.out, HasSubstr("3: invalid: timestamp is \"yesterday\""));
  EXPECT_THAT(text.out, HasSubstr("4: invalid: station_id is nothing"));
  EXPECT_THAT(text.out, HasSubstr("1 good, 3 invalid"));

  const Outcome json =
      Windproof({"pipeline", "check", "weather", records, "--output", "json"});
  EXPECT_EQ(json.code, 1);
  const std::vector<JsonValue> lines = JsonLines(json.out);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(Text(lines[0], {"spec", "name"}), "weather");
  EXPECT_EQ(Text(lines[1], {"window", "start"}), "2026-01-25T12:00:00Z");
  EXPECT_EQ(Number(lines[1], {"canonical", "temperature"}), 3.9);
  EXPECT_EQ(Text(lines[2], {"invalid", "field"}), "value");
  EXPECT_EQ(Text(lines[3], {"invalid", "field"}), "timestamp");
}

TEST(PipelineCheckTest, NamesTheMemberOfABadSpec) {
  const std::string spec = FreshPath("spec.json");
  WriteContent(spec, R"({"name":"s","topics":["t"],"key_field":"k",
    "timestamp_field":"t","window_ms":0,"grace_ms":0,"future_skew_ms":0})");
  const Outcome got = Windproof({"pipeline", "check", spec});
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.err, HasSubstr("window_ms is 0"));
  const Outcome good = Windproof({"pipeline", "check", "weather-hourly"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("a68ab69a6e22e70e0906ab3b7764f473"));
}

}  // namespace
}  // namespace windproof
