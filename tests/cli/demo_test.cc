// `windproof demo`, and what it leaves behind.

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(DemoTest, TheSampleIsVerifiedAndEveryTamperingCaught) {
  const Outcome demo = Windproof({"demo", "--output", "json"});
  EXPECT_EQ(demo.code, 0) << demo.out << demo.err;
  const std::vector<JsonValue> lines = JsonLines(demo.out);
  ASSERT_EQ(lines.size(), 1U);
  std::vector<std::string> members;
  for (const auto& [name, value] : lines[0].members) members.push_back(name);
  EXPECT_THAT(members, ElementsAre("records", "windows", "anchored", "verified",
                                   "failed", "dropped", "drills", "seconds"));
  EXPECT_EQ(Number(lines[0], {"windows"}), 132);
  EXPECT_EQ(Number(lines[0], {"anchored"}), 132);
  EXPECT_EQ(Number(lines[0], {"verified"}), 132);
  EXPECT_EQ(Number(lines[0], {"failed"}), 0);
  for (const char* reason : {"duplicate", "conflict", "late"}) {
    EXPECT_GT(Number(lines[0], {"dropped", reason}), 0) << reason;
  }
  EXPECT_EQ(Number(lines[0], {"dropped", "invalid"}), 0);
  std::vector<std::string> ways;
  for (const JsonValue& drill : lines[0].Find("drills")->elements) {
    ways.push_back(Text(drill, {"what"}));
    ASSERT_NE(drill.Find("caught"), nullptr);
    EXPECT_TRUE(drill.Find("caught")->boolean) << ways.back();
    EXPECT_NE(Text(drill, {"finding", "code"}), "") << ways.back();
  }
  EXPECT_THAT(ways, ElementsAre("value", "remove", "add", "swap", "aggregate",
                                "offset", "checkpoint", "ledger"));
}

TEST(DemoTest, AStoreThatIsKeptIsAGoodOne) {
  const std::string data_dir = FreshPath("kept");
  const Outcome demo = Windproof(
      {"demo", Binary("deploy/sample/1-first"), "--data-dir", data_dir});
  EXPECT_EQ(demo.code, 0) << demo.out << demo.err;
  EXPECT_THAT(demo.out, HasSubstr("All good"));
  const Outcome verify = Windproof({"verify", "--all", "--data-dir", data_dir});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;

  const Outcome again = Windproof({"demo", "--data-dir", data_dir});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("is not empty"));
}

// Hourly and 10-minute rows each go to their pipeline.
TEST(DemoTest, BothCadencesTogether) {
  const std::string folder = FreshPath("both");
  std::filesystem::create_directory(folder);
  std::filesystem::copy(Binary("deploy/sample/1-first"), folder);
  std::string rows =
      "STATIONS_ID;MESS_DATUM;  QN;PP_10;TT_10;TM5_10;RF_10;TD_10;eor\n";
  for (const char* time : {"0000", "0010", "0020", "0030", "0040", "0050"}) {
    rows += std::string("99003;20250101") + time +
            ";3;1010.0;1.5;0.5;80.0;-1.0;eor\n";
  }
  WriteContent(folder + "/produkt_zehn_min_tu_20250101_20250101_99003.txt",
               rows);
  const Outcome demo = Windproof({"demo", folder, "--output", "json"});
  EXPECT_EQ(demo.code, 0) << demo.out << demo.err;
  const std::vector<JsonValue> lines = JsonLines(demo.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Number(lines[0], {"windows"}), 129);
  EXPECT_EQ(Number(lines[0], {"verified"}), 129);
}

}  // namespace
}  // namespace windproof
