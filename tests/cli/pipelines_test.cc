// A server with several pipelines: what commands show without --pipeline.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

// Two pipelines over one topic; the one given first is the last by name.
class PipelinesTest : public testing::Test {
 protected:
  static std::string Spec(const char* name, int window_ms) {
    const std::string path = FreshPath("spec.json");
    WriteContent(
        path, absl::StrCat(R"({"name":")", name,
                           R"(","topics":["sensors"],"key_field":"id",)",
                           R"("timestamp_field":"at","fields":{"v":"NUMBER"},)",
                           R"("aggregated":["v"],"window_ms":)", window_ms,
                           R"(,"grace_ms":0,"future_skew_ms":0})"));
    return path;
  }

  void SetUp() override {
    // Of key a: 12:00, 12:01 and, by the hour, 12:00; of b the same.
    const std::string records = FreshPath("records.jsonl");
    std::string lines;
    for (const char* time : {"12:00:10", "12:01:10", "13:00:00"}) {
      for (const char* key : {"b", "a"}) {
        absl::StrAppend(&lines, R"({"id":")", key, R"(","at":"2026-01-25T)",
                        time, R"(Z","v":1})", "\n");
      }
    }
    WriteContent(records, lines);
    const Outcome ingest =
        server_.Run({"ingest", "json", "--topic", "sensors", records});
    ASSERT_EQ(ingest.code, 0) << ingest.err;
  }

  // PIPELINE/KEY/START of each line, as `name` finds them.
  template <typename Name>
  static std::string Names(const std::string& out, Name name) {
    std::vector<std::string> names;
    for (const JsonValue& line : JsonLines(out)) names.push_back(name(line));
    return absl::StrJoin(names, " ");
  }
  static std::string OfCheckpoints(const std::string& out) {
    return Names(out, [](const JsonValue& line) {
      return absl::StrCat(
          Text(line, {"checkpoint", "pipeline"}), "/",
          Text(line, {"checkpoint", "key"}), "/",
          Text(line, {"checkpoint", "window", "start"}).substr(11, 5));
    });
  }
  static std::string OfVerdicts(const std::string& out) {
    return Names(out, [](const JsonValue& line) {
      return absl::StrCat(Text(line, {"window", "pipeline"}), "/",
                          Text(line, {"window", "key"}), "/",
                          Text(line, {"window", "start"}).substr(11, 5), "=",
                          Text(line, {"verdict"}));
    });
  }

  TestServer server_{{Spec("minutes", 60'000), Spec("hours", 3'600'000)}};
};

TEST_F(PipelinesTest, WindowsOfAllInOrderOrOfOne) {
  const Outcome all = server_.Run({"windows", "--output", "json"});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(OfCheckpoints(all.out),
            "hours/a/12:00 hours/b/12:00 minutes/a/12:00 minutes/a/12:01 "
            "minutes/b/12:00 minutes/b/12:01");
  const Outcome one = server_.Run(
      {"windows", "--pipeline", "minutes", "--key", "b", "--output", "json"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(OfCheckpoints(one.out), "minutes/b/12:00 minutes/b/12:01");
  const Outcome key = server_.Run({"windows", "--key", "b"});
  EXPECT_THAT(key.out, ContainsRegex("hours +b +2026-01-25T12:00:00Z"));
  EXPECT_THAT(key.out, ContainsRegex("minutes +b +2026-01-25T12:01:00Z"));
}

TEST_F(PipelinesTest, NoWindowsIsSaid) {
  const Outcome none = server_.Run({"windows", "--key", "nosuch"});
  EXPECT_EQ(none.code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("no closed window of key nosuch"));
  const Outcome json =
      server_.Run({"windows", "--key", "nosuch", "--output", "json"});
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(json.out, "");
}

TEST_F(PipelinesTest, VerifyOfAllInOrderOrOfOne) {
  const Outcome all = server_.Run({"verify", "--all", "--output", "json"});
  EXPECT_EQ(all.code, 0) << all.err;
  const std::string verdicts = OfVerdicts(all.out);
  EXPECT_EQ(verdicts,
            "hours/a/12:00=VERIFIED hours/b/12:00=VERIFIED "
            "minutes/a/12:00=VERIFIED minutes/a/12:01=VERIFIED "
            "minutes/b/12:00=VERIFIED minutes/b/12:01=VERIFIED");
  const Outcome table = server_.Run({"verify", "--all"});
  EXPECT_THAT(table.out, HasSubstr("6 windows"));
  EXPECT_THAT(table.out, HasSubstr("6 verified"));
  const Outcome one = server_.Run({"verify", "--all", "--pipeline", "hours"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("2 verified"));
  const Outcome key = server_.Run({"verify", "--key", "a"});
  EXPECT_EQ(key.code, 0) << key.err;
  EXPECT_THAT(key.out, HasSubstr("3 verified"));
  const Outcome nobody =
      server_.Run({"verify", "--all", "--pipeline", "nobody"});
  EXPECT_EQ(nobody.code, 2);
  EXPECT_THAT(nobody.err, HasSubstr("nobody"));

  ASSERT_EQ(server_.Stop(), 0);
  const Outcome stopped = Windproof({"verify", "--all", "--output", "json",
                                     "--data-dir", server_.data_dir()});
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_EQ(OfVerdicts(stopped.out), verdicts);
}

TEST_F(PipelinesTest, WatchShowsAllOrOne) {
  const Outcome all = server_.Run({"watch", "--from-start", "--count", "6"});
  EXPECT_EQ(all.code, 0) << all.err;
  EXPECT_THAT(all.out, HasSubstr("hours/a/"));
  EXPECT_THAT(all.out, HasSubstr("minutes/b/"));
  const Outcome one = server_.Run(
      {"watch", "--from-start", "--count", "2", "--pipeline", "hours"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out, Not(HasSubstr("minutes/")));
}

}  // namespace
}  // namespace windproof
