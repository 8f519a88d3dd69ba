// Wrong use: what each command says, and its exit code.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Misuse {
  const char* name;
  std::vector<std::string> arguments;
  int code;
  const char* says;
};

class MisuseTest : public testing::TestWithParam<Misuse> {};

TEST_P(MisuseTest, SaysWhatIsWrong) {
  const Outcome got = Windproof(GetParam().arguments);
  EXPECT_EQ(got.code, GetParam().code) << got.out << got.err;
  EXPECT_THAT(got.err, HasSubstr(GetParam().says));
  EXPECT_EQ(got.out, "");
}

INSTANTIATE_TEST_SUITE_P(
    Commands, MisuseTest,
    testing::Values(
        Misuse{"MisspeltCommand", {"verfy", "--all"}, 2, "did you mean verify"},
        Misuse{"MisspeltSubcommand", {"ingest", "dwt"}, 2, "did you mean dwd"},
        Misuse{"MisspeltFlag",
               {"ingest", "dwd", "x", "--complet"},
               2,
               "did you mean --complete"},
        Misuse{"NoPath", {"ingest", "dwd"}, 2, "PATH"},
        Misuse{"NoSuchPath", {"ingest", "dwd", "none.txt"}, 2, "none.txt"},
        Misuse{"NoTopic", {"ingest", "json", "x"}, 2, "--topic"},
        Misuse{"NoSuchJson",
               {"ingest", "json", "--topic", "t", "none.jsonl"},
               2,
               "none.jsonl"},
        Misuse{"NothingToVerify", {"verify"}, 2, "--all"},
        Misuse{"AllAndOne",
               {"verify", "--all", "weather/1/2026-01-25T12:00:00Z"},
               2,
               "--all"},
        Misuse{"NoWindowText", {"verify", "weather"}, 2, "PIPELINE/KEY/START"},
        Misuse{"TrustWithoutDataDir",
               {"verify", "--all", "--trust", "t.json"},
               2,
               "--data-dir"},
        Misuse{"NoStore",
               {"verify", "--all", "--data-dir", "none"},
               2,
               "none does not exist"},
        Misuse{"BadOutput",
               {"windows", "--output", "jsn"},
               2,
               "did you mean json"},
        Misuse{"UnknownWay",
               {"drill", "tamper", "--data-dir", "d", "--window", "w", "--what",
                "valu"},
               2,
               "did you mean value"},
        Misuse{"TamperNothing",
               {"drill", "tamper", "--data-dir", "none", "--window",
                "weather/1/2026-01-25T12:00:00Z", "--what", "value"},
               2,
               "none does not exist"},
        Misuse{"NoDemoFile", {"demo", "none.txt"}, 2, "none.txt"},
        Misuse{"NoSpec", {"pipeline", "check", "none.json"}, 2, "none.json"},
        Misuse{"NotReachable",
               {"windows", "--server", "127.0.0.1:1"},
               3,
               "127.0.0.1:1 is not reachable"},
        Misuse{"VerifierNotReachable",
               {"verify", "weather/1/2026-01-25T12:00:00Z", "--verifier",
                "127.0.0.1:1"},
               3,
               "verifier at 127.0.0.1:1 is not reachable"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(HelpTest, EveryCommandShowsAnExample) {
  const std::vector<std::vector<std::string>> commands = {
      {},
      {"serve"},
      {"ingest", "dwd"},
      {"ingest", "json"},
      {"windows"},
      {"show"},
      {"verify"},
      {"watch"},
      {"pipeline", "check"},
      {"drill", "tamper"},
      {"demo"},
  };
  for (std::vector<std::string> arguments : commands) {
    arguments.push_back("--help");
    const Outcome help = Windproof(arguments);
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, AllOf(HasSubstr("Usage:"), HasSubstr("Example:")))
        << testing::PrintToString(arguments);
  }
}

}  // namespace
}  // namespace windproof
