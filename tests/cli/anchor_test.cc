// `windproof anchor status` of an embedded ledger; of a chain's it is in
// tests/multichain/fault.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

const char kRecords[] =
    R"({"station_id":"00433","temperature":3.1,"timestamp":"2026-01-25T12:00:00Z"}
{"station_id":"00433","temperature":2.5,"timestamp":"2026-01-25T13:20:00Z"}
)";

TEST(AnchorStatusTest, OfAnEmbeddedLedger) {
  const TestServer server("weather");
  const std::string records = FreshPath("records.jsonl");
  WriteContent(records, kRecords);
  const Outcome ingest =
      server.Run({"ingest", "json", "--topic", "weather.00433", records});
  ASSERT_EQ(ingest.code, 0) << ingest.err;
  server.WaitForWindows(1);

  const Outcome text = server.Run({"anchor", "status"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(ContainsRegex("ledger +windproof/ledger-.* \\(embedded\\)"),
                    ContainsRegex("confirmed +1\n"),
                    ContainsRegex("equivocations +0\n"),
                    ContainsRegex("wrong +nothing\n")));

  const Outcome json = server.Run({"anchor", "status", "--output", "json"});
  EXPECT_EQ(json.code, 0) << json.err;
  const std::vector<JsonValue> lines = JsonLines(json.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Text(lines[0], {"kind"}), "embedded");
  EXPECT_EQ(Number(lines[0], {"items"}), 1);
  EXPECT_EQ(Number(lines[0], {"confirmed"}), 1);
  EXPECT_EQ(Number(lines[0], {"pending"}), 0);
  ASSERT_NE(lines[0].Find("wrong"), nullptr);
  EXPECT_TRUE(lines[0].Find("wrong")->elements.empty());
  EXPECT_EQ(lines[0].Find("chain"), nullptr);
}

TEST(AnchorStatusTest, OfNoServer) {
  const Outcome got =
      Windproof({"anchor", "status", "--server", "127.0.0.1:1"});
  EXPECT_EQ(got.code, 3);
  EXPECT_EQ(got.out, "");
  EXPECT_THAT(got.err, HasSubstr("127.0.0.1:1 is not reachable"));
}

TEST(AnchorStatusTest, TheGroupNeedsACommand) {
  const Outcome got = Windproof({"anchor"});
  EXPECT_EQ(got.code, 2);
  EXPECT_THAT(got.out + got.err, HasSubstr("status"));
}

}  // namespace
}  // namespace windproof
