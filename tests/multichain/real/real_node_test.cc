// The ledger, and all of Windproof on it, on a node that this test did not
// start: the one that the file in WINDPROOF_MULTICHAIN_CONFIG names, as
// `./dev test --multichain` does with a real multichaind.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger_contract.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/multichain_ledger.h"
#include "services/anchor/testing/temp_dir.h"
#include "tests/cli/command_run.h"
#include "tests/fault/fault_run.h"

namespace windproof {
namespace {

std::string GivenConfig() {
  const char* const given = std::getenv("WINDPROOF_MULTICHAIN_CONFIG");
  return given == nullptr ? "" : given;
}

// Each has a stream of its own.
std::string NewStream() {
  static int count = 0;
  return absl::StrCat(
      "t", std::chrono::system_clock::now().time_since_epoch().count(), "-",
      ++count);
}

class RealFixture : public LedgerFixture {
 public:
  RealFixture() {
    const std::string file = FreshPath("multichain.properties");
    WriteContent(file, absl::StrCat(FileContent(GivenConfig()), "\nstream=",
                                    NewStream(), "\ncreate-stream=true\n"));
    const auto read = ReadMultiChainConfig(file);
    EXPECT_TRUE(read.ok()) << read.status();
    MultiChainLedger::Options options;
    options.config = *read;
    options.store_path = absl::StrCat(dir_.path(), "/multichain");
    options.poll_ms = 100;
    auto ledger = MultiChainLedger::Open(std::move(options));
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
    EXPECT_TRUE(Eventually([this] { return ledger_->State().ok(); }))
        << ledger_->State().status();
  }
  Ledger& ledger() override { return *ledger_; }

 private:
  TempDir dir_;
  std::unique_ptr<MultiChainLedger> ledger_;
};

std::vector<LedgerFixtureFactory> Factories() {
  if (GivenConfig().empty()) return {};
  return {{"RealNode", [] { return std::make_unique<RealFixture>(); }}};
}

INSTANTIATE_TEST_SUITE_P(RealNode, LedgerContractTest,
                         ::testing::ValuesIn(Factories()),
                         [](const auto& info) { return info.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LedgerContractTest);

constexpr char kRecords[] =
    R"({"station_id":"00433","temperature":3.1,"timestamp":"2026-01-25T12:00:00Z"}
{"station_id":"00433","temperature":2.5,"timestamp":"2026-01-25T13:20:00Z"}
{"station_id":"00433","temperature":2.0,"timestamp":"2026-01-25T14:20:00Z"}
)";

TEST(RealNodeTest, WindowsAreAnchoredAndVerified) {
  if (GivenConfig().empty()) {
    GTEST_SKIP() << "WINDPROOF_MULTICHAIN_CONFIG is not set: there is no real "
                    "MultiChain node; ./dev test --multichain starts one where "
                    "multichaind is on PATH";
  }
  const std::string config = FreshPath("multichain.properties");
  WriteContent(config, absl::StrCat(FileContent(GivenConfig()), "\nstream=",
                                    NewStream(), "\ncreate-stream=true\n"));
  Process server(Binary("services/windproof/windproof"),
                 {"serve", "--data-dir", FreshPath("data"), "--listen",
                  "127.0.0.1:0", "--pipeline", "weather", "--ledger",
                  "multichain", "--multichain-config", config});
  ASSERT_TRUE(server.WaitReady()) << server.err();
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--server", server.grpc()});
    return RunProcess(Binary("services/windproof/windproof"), arguments);
  };
  const std::string records = FreshPath("records.jsonl");
  WriteContent(records, kRecords);
  const Outcome ingest =
      run({"ingest", "json", "--topic", "weather.00433", records});
  ASSERT_EQ(ingest.code, 0) << ingest.err;
  EXPECT_TRUE(Eventually([&] {
    int anchored = 0;
    for (const JsonValue& window :
         JsonLines(run({"windows", "--output", "json"}).out)) {
      if (Text(window, {"state"}) == "ANCHORED") ++anchored;
    }
    return anchored == 2;
  })) << server.err();
  const Outcome verified = run({"verify", "--all"});
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_EQ(run({"anchor", "status"}).code, 0);
  EXPECT_EQ(server.Stop(), 0) << server.err();
}

}  // namespace
}  // namespace windproof
