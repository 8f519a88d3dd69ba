// Two different checkpoints of one window on the chain, by publishers that are
// both allowed: the anchor reports it, keeps both, and verification fails with
// both. And an outage of hours, as window-hash's outbox sees it.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/crypto/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"
#include "tests/fault/fault_run.h"
#include "tests/multichain/fault/chain_anchor.h"
#include "tests/multichain/fault/chain_node.h"

namespace windproof {
namespace {

using fake_node::Json;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kNoon[] = "weather/00433/2026-01-25T12:00:00Z";
constexpr char kRecords[] =
    R"({"station_id":"00433","temperature":3.1,"timestamp":"2026-01-25T12:00:00Z"}
{"station_id":"00433","temperature":2.5,"timestamp":"2026-01-25T13:20:00Z"}
{"station_id":"00433","temperature":2.0,"timestamp":"2026-01-25T14:20:00Z"}
)";

// `windproof serve` on the chain.
class ChainServer {
 public:
  explicit ChainServer(const ChainNode& node)
      : process_(Binary("services/windproof/windproof"),
                 {"serve", "--data-dir", FreshPath("data"), "--listen",
                  "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--pipeline",
                  "weather", "--ledger", "multichain", "--multichain-config",
                  ChainConfigFile(node)}) {
    EXPECT_TRUE(process_.WaitReady()) << process_.err();
  }

  Outcome Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--server", process_.grpc()});
    return RunProcess(Binary("services/windproof/windproof"), arguments);
  }
  void Ingest() {
    const std::string records = FreshPath("records.jsonl");
    WriteContent(records, kRecords);
    const Outcome ingest =
        Run({"ingest", "json", "--topic", "weather.00433", records});
    ASSERT_EQ(ingest.code, 0) << ingest.err;
  }
  std::vector<JsonValue> Windows(const char* state) const {
    std::vector<JsonValue> found;
    for (const JsonValue& window :
         JsonLines(Run({"windows", "--output", "json"}).out)) {
      if (Text(window, {"state"}) == state) found.push_back(window);
    }
    return found;
  }
  Process& process() { return process_; }

 private:
  Process process_;
};

std::string HashText(const std::string& bytes) {
  return HexOf(Sha256Of(bytes));
}

TEST(EquivocationTest, BothAreKeptReportedAndFailTheWindow) {
  ChainNode node(200);
  ChainServer server(node);
  ASSERT_NO_FATAL_FAILURE(server.Ingest());
  ASSERT_TRUE(Eventually([&] {
    return server.Windows("ANCHORED").size() == 2;
  })) << server.process().err();
  const Outcome good = server.Run({"verify", kNoon});
  EXPECT_EQ(good.code, 0) << good.out << good.err;

  // The publisher's own node says something else of noon.
  std::string first;
  for (const ChainItem& item : node.Items()) {
    if (item.keys.size() == 2 && item.keys[1] == kNoon) first = item.text;
  }
  ASSERT_NE(first, "");
  const std::string other =
      absl::StrReplaceAll(first, {{"\"max\":3.1", "\"max\":3.2"}});
  ASSERT_NE(first, other);
  node.Call("publishfrom", fake_node::JsonText([&] {
              Json keys = Json::Array();
              keys.Append(Json::String("weather/00433"));
              keys.Append(Json::String(kNoon));
              Json params = Json::Array();
              params.Append(Json::String(node.address()));
              params.Append(Json::String(kStream));
              params.Append(std::move(keys));
              params.Append(Json::Object().Add("text", other));
              return params;
            }()));

  // Nobody submits anything: the anchor sees it by itself.
  EXPECT_TRUE(Eventually([&] {
    return server.Run({"anchor", "status"}).code == 1;
  }));
  EXPECT_THAT(server.Run({"anchor", "status"}).out,
              HasSubstr("1 equivocation"));
  EXPECT_THAT(server.process().err(),
              AllOf(HasSubstr("\"error\""), HasSubstr("equivocation"),
                    HasSubstr(HashText(first)), HasSubstr(HashText(other))));

  const Outcome verified = server.Run({"verify", kNoon, "--output", "json"});
  EXPECT_EQ(verified.code, 1) << verified.out;
  EXPECT_THAT(verified.out,
              AllOf(HasSubstr("FAILED"), HasSubstr(HashText(first)),
                    HasSubstr(HashText(other))));
  // The other window is none of its business.
  EXPECT_EQ(server.Run({"verify", "weather/00433/2026-01-25T13:00:00Z"}).code,
            0);
  // Both stay.
  int of_noon = 0;
  for (const ChainItem& item : node.Items()) {
    if (item.keys.size() == 2 && item.keys[1] == kNoon) ++of_noon;
  }
  EXPECT_EQ(of_noon, 2);
  EXPECT_EQ(server.process().Stop(), 0);
}

TEST(OutageTest, TheOutboxKeepsEverythingUntilTheNodeIsBack) {
  ChainNode node(200);
  ChainServer server(node);
  node.Kill();
  ASSERT_NO_FATAL_FAILURE(server.Ingest());
  EXPECT_TRUE(
      Eventually([&] { return server.Windows("PENDING").size() == 2; }));
  EXPECT_EQ(server.Run({"anchor", "status"}).code, 3);
  node.Start();
  EXPECT_TRUE(Eventually([&] {
    return server.Windows("ANCHORED").size() == 2;
  })) << server.process().err();
  EXPECT_EQ(server.Run({"verify", "--all"}).code, 0);
  EXPECT_EQ(node.Items().size(), 2U);
  EXPECT_EQ(server.process().Stop(), 0);
}

}  // namespace
}  // namespace windproof
