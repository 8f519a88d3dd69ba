// Every way of the drill on a stopped store, found by `windproof verify`.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::HasSubstr;

const char kWindow[] = "weather-hourly/99001/2025-01-05T00:00:00Z";

// The first finding of a verdict with that code, or nullptr.
const JsonValue* FindingOf(const JsonValue& verdict, absl::string_view code) {
  const JsonValue* checks = verdict.Find("checks");
  if (checks == nullptr) return nullptr;
  for (const JsonValue& check : checks->elements) {
    const JsonValue* findings = check.Find("findings");
    if (findings == nullptr) continue;
    for (const JsonValue& finding : findings->elements) {
      if (Text(finding, {"code"}) == code) return &finding;
    }
  }
  return nullptr;
}

struct Way {
  const char* what;
  const char* code;     // of a finding that must be there
  bool names_a_record;  // with its offset
};

// One store for all cases, made once; each case alters a copy.
class DrillTest : public testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    TestServer server("weather-hourly");
    const Outcome ingest = server.Run(
        {"ingest", "dwd", Binary("deploy/sample/1-first"), "--complete"});
    ASSERT_EQ(ingest.code, 0) << ingest.err;
    server.WaitForWindows(128);
    ASSERT_EQ(server.Stop(), 0);
    store_ = new std::string(server.data_dir());
  }

  static void TearDownTestSuite() { delete store_; }

  static std::string Copy() {
    std::string copy = FreshPath("copy");
    std::filesystem::copy(*store_, copy,
                          std::filesystem::copy_options::recursive);
    return copy;
  }

  static std::string* store_;
};

std::string* DrillTest::store_ = nullptr;

TEST_P(DrillTest, IsCaught) {
  const std::string copy = Copy();
  const Outcome tamper =
      Windproof({"drill", "tamper", "--data-dir", copy, "--window", kWindow,
                 "--what", GetParam().what});
  ASSERT_EQ(tamper.code, 0) << tamper.err;
  EXPECT_NE(tamper.out, "");

  const Outcome verify =
      Windproof({"verify", kWindow, "--data-dir", copy, "--trust",
                 absl::StrCat(*store_, "/trust.json"), "--output", "json"});
  EXPECT_EQ(verify.code, 1) << verify.err;
  const std::vector<JsonValue> verdicts = JsonLines(verify.out);
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_EQ(Text(verdicts[0], {"verdict"}), "FAILED");
  const JsonValue* finding = FindingOf(verdicts[0], GetParam().code);
  ASSERT_NE(finding, nullptr) << verify.out;
  EXPECT_NE(Text(*finding, {"expected"}) + Text(*finding, {"found"}), "");
  if (GetParam().names_a_record) {
    EXPECT_GE(Number(*finding, {"record"}), 0);
    EXPECT_GE(Number(*finding, {"offset"}), 0);
  }

  // The windows of the other station are as good as before.
  const Outcome other =
      Windproof({"verify", "weather-hourly/99002/2025-01-05T00:00:00Z",
                 "--data-dir", copy});
  EXPECT_EQ(other.code, 0) << other.out;
}

INSTANTIATE_TEST_SUITE_P(
    Ways, DrillTest,
    testing::Values(Way{"value", "RECORD_ALTERED", true},
                    Way{"remove", "RECORD_REMOVED", true},
                    Way{"add", "RECORD_ADDED", true},
                    Way{"swap", "RECORD_MOVED", true},
                    Way{"aggregate", "CHECKPOINT_DIFFERS", false},
                    Way{"offset", "OFFSET_ALTERED", true},
                    Way{"checkpoint", "CHECKPOINT_DIFFERS", false},
                    Way{"ledger", "PROOF_INVALID", false}),
    [](const auto& info) { return std::string(info.param.what); });

TEST_F(DrillTest, AnAlteredValueIsNamedWithBothValues) {
  const std::string copy = Copy();
  ASSERT_EQ(Windproof({"drill", "tamper", "--data-dir", copy, "--window",
                       kWindow, "--what", "value"})
                .code,
            0);
  const Outcome verify =
      Windproof({"verify", kWindow, "--data-dir", copy, "--output", "json"});
  const std::vector<JsonValue> verdicts = JsonLines(verify.out);
  ASSERT_EQ(verdicts.size(), 1U);
  const JsonValue* finding = FindingOf(verdicts[0], "RECORD_ALTERED");
  ASSERT_NE(finding, nullptr) << verify.out;
  EXPECT_NE(Text(*finding, {"expected"}), Text(*finding, {"found"}));
  EXPECT_THAT(Text(*finding, {"expected"}), HasSubstr("\"99001\""));
  EXPECT_THAT(Text(*finding, {"found"}), HasSubstr("\"99001\""));
}

TEST_F(DrillTest, AnUnalteredStoreIsGood) {
  const Outcome verify = Windproof({"verify", "--all", "--data-dir", *store_});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
  EXPECT_THAT(verify.out, HasSubstr("128 verified"));
}

TEST_F(DrillTest, RefusesARunningStoreAndUnknownWindows) {
  TestServer server("weather-hourly");
  const Outcome running =
      Windproof({"drill", "tamper", "--data-dir", server.data_dir(), "--window",
                 kWindow, "--what", "value"});
  EXPECT_EQ(running.code, 3);
  EXPECT_THAT(running.err, HasSubstr("in use"));
  const Outcome unknown = Windproof(
      {"drill", "tamper", "--data-dir", *store_, "--window",
       "weather-hourly/00000/2025-01-05T00:00:00Z", "--what", "value"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no window"));
}

}  // namespace
}  // namespace windproof
