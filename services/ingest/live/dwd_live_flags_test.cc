#include "services/ingest/live/dwd_live_flags.h"

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Parsed {
  int code = 0;
  std::string err;
  absl::StatusOr<std::optional<DwdLiveOptions>> options =
      absl::UnknownError("the action did not run");
};

Parsed Parse(
    const std::vector<std::string>& args,
    const CommandLine::GetEnv& get_env = [](const std::string&)
        -> std::optional<std::string> { return std::nullopt; }) {
  Parsed parsed;
  DwdLiveFlags flags;
  CommandLine line("ingest", "test", "0");
  flags.AddTo(line.root());
  line.root().Action([&] {
    parsed.options = flags.Options();
    return kExitGood;
  });
  std::ostringstream out, err;
  parsed.code = line.RunWith(args, get_env, out, err);
  parsed.err = err.str();
  return parsed;
}

std::string Refusal(std::vector<std::string> args) {
  const Parsed parsed = Parse(args);
  EXPECT_FALSE(parsed.options.ok());
  return std::string(parsed.options.status().message());
}

TEST(DwdLiveFlagsTest, WithoutStationsThereIsNone) {
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.options.ok()) << parsed.options.status();
  EXPECT_EQ(*parsed.options, std::nullopt);
}

TEST(DwdLiveFlagsTest, Defaults) {
  const Parsed parsed =
      Parse({"--dwd-live", "00427,00433", "--dwd-base-url", "https://server/"});
  ASSERT_TRUE(parsed.options.ok()) << parsed.options.status();
  const DwdLiveOptions& options = **parsed.options;
  EXPECT_THAT(options.stations, ElementsAre("00427", "00433"));
  EXPECT_EQ(options.base_url, "https://server");
  EXPECT_EQ(options.cadence, std::nullopt);
  EXPECT_EQ(options.silent_after_ms, std::nullopt);
  EXPECT_TRUE(options.state_watermarks);
  EXPECT_EQ(options.poll_ms, 300'000);
  EXPECT_EQ(options.backoff.first_ms, 5'000);
  EXPECT_EQ(options.backoff.max_ms, 900'000);
  EXPECT_EQ(options.http.timeout_ms, 60'000);
  EXPECT_THAT(options.http.user_agent, HasSubstr("windproof/"));
}

TEST(DwdLiveFlagsTest, EverythingGiven) {
  const Parsed parsed = Parse({"--dwd-live",
                               "00427",
                               "--dwd-live",
                               "00433",
                               "--dwd-base-url",
                               "http://server:8080/mirror",
                               "--dwd-product",
                               "hourly",
                               "--dwd-silent-after",
                               "2h30m",
                               "--dwd-poll-every",
                               "1s",
                               "--dwd-backoff-max",
                               "4s",
                               "--dwd-connect-timeout",
                               "100ms",
                               "--dwd-timeout",
                               "2s",
                               "--dwd-body-bytes-max",
                               "1000"});
  ASSERT_TRUE(parsed.options.ok()) << parsed.options.status();
  const DwdLiveOptions& options = **parsed.options;
  EXPECT_THAT(options.stations, ElementsAre("00427", "00433"));
  EXPECT_EQ(options.cadence, DwdCadence::kHourly);
  EXPECT_EQ(options.silent_after_ms, 9'000'000);
  EXPECT_EQ(options.poll_ms, 1'000);
  EXPECT_EQ(options.backoff.first_ms, 1'000);
  EXPECT_EQ(options.backoff.max_ms, 4'000);
  EXPECT_EQ(options.http.connect_timeout_ms, 100);
  EXPECT_EQ(options.http.timeout_ms, 2'000);
  EXPECT_EQ(options.http.body_bytes_max, 1'000);
}

TEST(DwdLiveFlagsTest, FromTheEnvironment) {
  const Parsed parsed =
      Parse({}, [](const std::string& name) -> std::optional<std::string> {
        if (name == "WINDPROOF_DWD_LIVE") return "00427,00433";
        if (name == "WINDPROOF_DWD_BASE_URL") return "https://server";
        if (name == "WINDPROOF_DWD_SILENT_AFTER") return "never";
        return std::nullopt;
      });
  ASSERT_TRUE(parsed.options.ok()) << parsed.options.status();
  EXPECT_THAT((*parsed.options)->stations, ElementsAre("00427", "00433"));
  EXPECT_FALSE((*parsed.options)->state_watermarks);
}

TEST(DwdLiveFlagsTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(Refusal({"--dwd-live", "433", "--dwd-base-url", "http://s"}),
              HasSubstr("--dwd-live: station is \"433\"; accepted: a number "
                        "of five digits"));
  EXPECT_THAT(Refusal({"--dwd-live", "00433", "--dwd-base-url", "ftp://s"}),
              HasSubstr("--dwd-base-url: base URL is \"ftp://s\", which is "
                        "neither http nor https"));
  EXPECT_THAT(Refusal({"--dwd-live", "00433"}),
              HasSubstr("--dwd-base-url: is missing"));
  EXPECT_THAT(Refusal({"--dwd-base-url", "http://s"}),
              HasSubstr("without --dwd-live"));
  const std::vector<std::string> good = {"--dwd-live", "00433",
                                         "--dwd-base-url", "http://s"};
  const auto with = [&good](const std::string& flag, const std::string& value) {
    std::vector<std::string> args = good;
    args.push_back(flag);
    args.push_back(value);
    return Refusal(args);
  };
  EXPECT_THAT(with("--dwd-silent-after", "soon"),
              HasSubstr("--dwd-silent-after: \"soon\" is given; from 1s"));
  EXPECT_THAT(with("--dwd-silent-after", "0"), HasSubstr("from 1s"));
  EXPECT_THAT(with("--dwd-poll-every", "-1s"), HasSubstr("--dwd-poll-every"));
  EXPECT_THAT(with("--dwd-poll-every", "inf"), HasSubstr("--dwd-poll-every"));
  EXPECT_THAT(with("--dwd-backoff-max", "5"), HasSubstr("--dwd-backoff-max"));
  EXPECT_THAT(with("--dwd-timeout", "0"), HasSubstr("--dwd-timeout"));
  EXPECT_THAT(with("--dwd-ca", "/nonexistent/ca.pem"),
              HasSubstr("--dwd-ca: \"/nonexistent/ca.pem\" cannot be read"));
}

TEST(DwdLiveFlagsTest, TheCommandLineNamesWhatItRefusesItself) {
  EXPECT_THAT(Parse({"--dwd-product", "daily"}).err, HasSubstr("dwd-product"));
  EXPECT_THAT(Parse({"--dwd-body-bytes-max", "0"}).err,
              HasSubstr("dwd-body-bytes-max"));
}

}  // namespace
}  // namespace windproof
