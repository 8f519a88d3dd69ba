// Flags, environment and configuration file of the real programs.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/process.h"

namespace windproof {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const char kWindproof[] = "services/windproof/windproof";

TEST(ConfigTest, FlagsWinOverEnvironmentAndThatOverTheFile) {
  const std::string from_file = FreshPath("file");
  const std::string from_environment = FreshPath("environment");
  const std::string config = FreshPath("windproof.conf");
  WriteContent(config, absl::StrCat("data-dir = ", from_file,
                                    "\nlisten = 127.0.0.1:1\n"
                                    "log-format = text\n"));
  // listen: flag over file. data-dir: environment over file. log-format: file.
  Process server(Binary(kWindproof),
                 {"serve", "--config", config, "--listen", "127.0.0.1:0"},
                 {{"WINDPROOF_DATA_DIR", from_environment}});
  ASSERT_TRUE(server.WaitReady()) << server.err();
  EXPECT_EQ(server.Stop(), 0);
  EXPECT_THAT(server.err(), HasSubstr(" info windproof: serving"));
  EXPECT_NE(FileContent(from_environment + "/trust.json"), "");
  EXPECT_EQ(FileContent(from_file + "/trust.json"), "");
}

struct WrongUse {
  const char* name;
  const char* program;
  std::vector<std::string> arguments;
  const char* says;
};

class WrongUseTest : public testing::TestWithParam<WrongUse> {};

TEST_P(WrongUseTest, ExitsWithTwoAndSaysWhy) {
  const Outcome got =
      RunProcess(Binary(GetParam().program), GetParam().arguments);
  EXPECT_EQ(got.code, 2) << got.err;
  EXPECT_EQ(got.out, "");
  EXPECT_THAT(got.err, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongUseTest,
    testing::ValuesIn(std::vector<WrongUse>{
        {"NoCommand", kWindproof, {}, "a command is missing"},
        {"Command", kWindproof, {"srve"}, "did you mean serve?"},
        {"Flag",
         kWindproof,
         {"serve", "--data-dri", "x"},
         "did you mean --data-dir?"},
        {"NoDataDir", kWindproof, {"serve"}, "--data-dir is missing"},
        {"NoPipeline",
         kWindproof,
         {"serve", "--data-dir", "/nonexistent/x", "--pipeline", "wether"},
         "wether"},
        {"Listen",
         kWindproof,
         {"serve", "--data-dir", "/nonexistent/x", "--listen", "7400"},
         "windproof serve: --listen: address \"7400\" is not HOST:PORT"},
        {"HttpListen",
         kWindproof,
         {"serve", "--data-dir", "/nonexistent/x", "--http-listen", "here"},
         "--http-listen: address \"here\""},
        {"AnchorNoDataDir",
         "services/anchor/anchor",
         {},
         "--data-dir is missing"},
        {"VerifierNoTrust",
         "services/verifier/verifier",
         {},
         "--trust is missing"},
        {"VerifierTrustAway",
         "services/verifier/verifier",
         {"--trust", "/nonexistent/trust.json"},
         "/nonexistent/trust.json"},
        {"IngestAlone", "services/ingest/ingest", {}, "windproof serve"},
        {"WindowHashAlone",
         "services/window_hash/window_hash",
         {"--data-dir", "unused"},
         "windproof serve"},
    }),
    [](const auto& info) { return info.param.name; });

TEST(ConfigTest, VersionNamesProgramAndCommit) {
  for (const auto& [program, name] :
       std::vector<std::pair<std::string, std::string>>{
           {kWindproof, "windproof "},
           {"services/anchor/anchor", "anchor "},
           {"services/verifier/verifier", "verifier "},
           {"services/ingest/ingest", "ingest "},
           {"services/window_hash/window_hash", "window-hash "}}) {
    const Outcome got = RunProcess(Binary(program), {"--version"});
    EXPECT_EQ(got.code, 0);
    EXPECT_THAT(got.out, StartsWith(name));
    EXPECT_THAT(got.out, HasSubstr("(commit "));
    EXPECT_THAT(RunProcess(Binary(program), {"--help"}).out,
                HasSubstr("Example:"));
  }
}

}  // namespace
}  // namespace windproof
