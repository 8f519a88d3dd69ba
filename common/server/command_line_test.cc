#include "common/server/command_line.h"

#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// A program with one command of each kind of flag, and a group.
class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() : line_("prog", "A program.", "1.2 (commit abc)") {
    Command& serve = line_.root().AddCommand("serve", "Serves.");
    serve.Flag("listen", &listen_, "ADDR", "Where to listen.");
    serve.Flag("pipeline", &pipelines_, "NAME", "A pipeline.");
    serve.Flag("drain-ms", &drain_ms_, 0, 1000, "MS", "How long to drain.");
    serve.Flag("quiet", &quiet_, "Say less.");
    serve.Choice("log-format", &log_format_, {"json", "text"}, "Log lines.");
    serve.ConfigFile();
    serve.Example("prog serve --listen :0");
    serve.Action([this] {
      ++runs_;
      return 7;
    });

    Command& ingest = line_.root().AddCommand("ingest", "Ingests.");
    Command& dwd = ingest.AddCommand("dwd", "Files of the DWD.");
    dwd.Flag("topic", &topic_, "TOPIC", "The topic.");
    dwd.Require("topic");
    dwd.Arguments("PATH", &paths_, "What to read.");
    dwd.Action([] { return 0; });

    Command& show = line_.root().AddCommand("show", "Shows.");
    show.Argument("WINDOW", &window_, "A window.");
    show.Action([] { return 0; });
  }

  Outcome Run(const std::vector<std::string>& args) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = line_.RunWith(
        args,
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        out, err);
    return {code, out.str(), err.str()};
  }

  std::string WriteConfig(const std::string& text) {
    const std::string path =
        absl::StrCat(testing::TempDir(), "/windproof.conf");
    std::ofstream(path) << text;
    return path;
  }

  std::map<std::string, std::string> environment_;
  std::string listen_ = "default:1";
  std::vector<std::string> pipelines_ = {"weather"};
  int64_t drain_ms_ = 5;
  bool quiet_ = false;
  std::string log_format_ = "json";
  std::string topic_;
  std::vector<std::string> paths_;
  std::string window_;
  int runs_ = 0;
  CommandLine line_;
};

TEST_F(CommandLineTest, DefaultsStayAndTheActionsCodeIsReturned) {
  const Outcome got = Run({"serve"});
  EXPECT_EQ(got.code, 7) << got.err;
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(listen_, "default:1");
  EXPECT_THAT(pipelines_, ElementsAre("weather"));
  EXPECT_EQ(drain_ms_, 5);
}

TEST_F(CommandLineTest, FlagsAreRead) {
  const Outcome got =
      Run({"serve", "--listen", "a:1", "--pipeline=x", "--pipeline", "y",
           "--drain-ms", "9", "--quiet", "--log-format", "text"});
  ASSERT_EQ(got.code, 7) << got.err;
  EXPECT_EQ(listen_, "a:1");
  EXPECT_THAT(pipelines_, ElementsAre("x", "y"));
  EXPECT_EQ(drain_ms_, 9);
  EXPECT_TRUE(quiet_);
  EXPECT_EQ(log_format_, "text");
}

// Each flag with its three sources, the winner first.
TEST_F(CommandLineTest, FlagsWinOverEnvironmentAndThatOverTheFile) {
  const std::string config = WriteConfig(
      "listen = file:1\n"
      "drain-ms = 11\n"
      "pipeline = f1\n"
      "pipeline = f2\n"
      "quiet = true\n");
  environment_ = {{"WINDPROOF_LISTEN", "env:1"},
                  {"WINDPROOF_DRAIN_MS", "22"},
                  {"WINDPROOF_LOG_FORMAT", ""}};
  const Outcome got = Run({"serve", "--config", config, "--listen", "flag:1"});
  ASSERT_EQ(got.code, 7) << got.err;
  EXPECT_EQ(listen_, "flag:1");
  EXPECT_EQ(drain_ms_, 22);
  EXPECT_THAT(pipelines_, ElementsAre("f1", "f2"));
  EXPECT_TRUE(quiet_);
  EXPECT_EQ(log_format_, "json");  // an empty variable counts as unset
}

TEST_F(CommandLineTest, AListInTheEnvironmentTakesTheFilesPlace) {
  const std::string config = WriteConfig("pipeline = [\"f1\", \"f2\"]\n");
  environment_ = {{"WINDPROOF_CONFIG", config},
                  {"WINDPROOF_PIPELINE", "e1, e2"}};
  ASSERT_EQ(Run({"serve"}).code, 7);
  EXPECT_THAT(pipelines_, ElementsAre("e1", "e2"));
}

struct WrongUse {
  const char* name;
  std::vector<std::string> args;
  const char* says;
};

TEST_F(CommandLineTest, WrongUseIsNamedWithTheNearestWord) {
  for (const WrongUse& wrong : std::vector<WrongUse>{
           {"Command",
            {"srve"},
            "unknown command \"srve\"; did you mean serve?"},
           {"FarCommand", {"xyzzy"}, "there are serve, ingest, show"},
           {"NoCommand", {}, "a command is missing; there are serve"},
           {"NoSubcommand", {"ingest"}, "a command is missing; there are dwd"},
           {"Flag",
            {"serve", "--lsten", "x"},
            "unknown flag --lsten; did you mean --listen?"},
           {"FlagWithValue",
            {"serve", "--lsten=x"},
            "unknown flag --lsten; did you mean --listen?"},
           {"RootFlag", {"--listen", "x", "serve"}, "unknown flag --listen"},
           {"Number",
            {"serve", "--drain-ms", "1001"},
            "--drain-ms is \"1001\"; a whole number from 0 to 1000"},
           {"NoNumber", {"serve", "--drain-ms", "5s"}, "\"5s\""},
           {"Choice",
            {"serve", "--log-format", "txt"},
            "\"txt\"; json, text are accepted; did you mean text?"},
           {"NoValue", {"serve", "--listen"}, "--listen"},
           {"Twice",
            {"serve", "--listen", "a", "--listen", "b"},
            "--listen is given 2 values; one is accepted"},
           {"Extra", {"serve", "now"}, "unexpected argument \"now\""},
           {"Required",
            {"ingest", "dwd", "x"},
            "--topic is missing (or WINDPROOF_TOPIC in the environment)"},
           {"RequiredArgument",
            {"ingest", "dwd", "--topic", "t"},
            "PATH is missing"},
           {"Subcommand", {"ingest", "dwdd"}, "did you mean dwd?"},
       }) {
    const Outcome got = Run(wrong.args);
    EXPECT_EQ(got.code, kExitUsage) << wrong.name;
    EXPECT_THAT(got.err, HasSubstr(wrong.says)) << wrong.name;
    EXPECT_EQ(got.out, "") << wrong.name;
  }
  EXPECT_EQ(runs_, 0);
}

TEST_F(CommandLineTest, MistakesInTheFileAreNamedWithTheirLine) {
  struct Wrong {
    const char* text;
    const char* says;
  };
  for (const Wrong& wrong : {
           Wrong{"\nlistn = x\n",
                 ":2: unknown key listn; did you mean listen?"},
           Wrong{"config = x\n", ":1: unknown key config"},
           Wrong{"listen = x\nlisten = y\n", ":2: listen is there a second"},
           Wrong{"drain-ms = x\n", ":1: drain-ms is \"x\""},
           Wrong{"quiet = maybe\n", ":1: quiet is \"maybe\""},
           Wrong{"listen\n", "line 1: the line is not `name = value`"},
       }) {
    const Outcome got = Run({"serve", "--config", WriteConfig(wrong.text)});
    EXPECT_EQ(got.code, kExitUsage) << wrong.text;
    EXPECT_THAT(got.err, HasSubstr(wrong.says));
  }
  EXPECT_THAT(Run({"serve", "--config", "/nonexistent"}).err,
              HasSubstr("/nonexistent"));
  EXPECT_EQ(runs_, 0);
}

TEST_F(CommandLineTest, MistakesInTheEnvironmentNameTheVariable) {
  environment_ = {{"WINDPROOF_DRAIN_MS", "soon"}};
  const Outcome got = Run({"serve"});
  EXPECT_EQ(got.code, kExitUsage);
  EXPECT_THAT(got.err, HasSubstr("environment variable WINDPROOF_DRAIN_MS is "
                                 "\"soon\""));
}

TEST_F(CommandLineTest, ArgumentsMayBeNamesOfCommands) {
  const Outcome got =
      Run({"ingest", "dwd", "serve", "show", "--topic", "t", "a b"});
  ASSERT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(paths_, ElementsAre("serve", "show", "a b"));
  ASSERT_EQ(Run({"show", "ingest"}).code, 0);
  EXPECT_EQ(window_, "ingest");
}

TEST_F(CommandLineTest, HelpAndVersionGoToOut) {
  const Outcome help = Run({"serve", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("--log-format json|text"));
  EXPECT_THAT(help.out, HasSubstr("Where to listen. [default: default:1]"));
  EXPECT_THAT(help.out, HasSubstr("Example:\n  prog serve --listen :0"));
  const Outcome version = Run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out, "prog 1.2 (commit abc)\n");
  EXPECT_EQ(runs_, 0);
}

}  // namespace
}  // namespace windproof
