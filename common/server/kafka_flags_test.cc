#include "common/server/kafka_flags.h"

#include <string>

#include "absl/status/status.h"
#include "common/server/logging.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(KafkaFlagsTest, WarningsAboutOurOwnSettingsAreForDebugging) {
  constexpr char kSettings[] =
      "librdkafka CONFWARN: [thrd:app]: Configuration property "
      "auto.commit.enable is deprecated";
  constexpr char kOther[] = "librdkafka FAIL: [thrd:app]: Connection refused";
  const auto lines_at = [&](LogLevel level) {
    testing::internal::CaptureStderr();
    StartLogging({.service = "s", .level = level});
    LogKafkaLine(4, kSettings);
    LogKafkaLine(4, kOther);
    return testing::internal::GetCapturedStderr();
  };
  const std::string info = lines_at(LogLevel::kInfo);
  EXPECT_EQ(info.find("CONFWARN"), std::string::npos) << info;
  EXPECT_NE(info.find(R"("level":"warning")"), std::string::npos) << info;
  const std::string debug = lines_at(LogLevel::kDebug);
  EXPECT_NE(debug.find("CONFWARN"), std::string::npos) << debug;
}

TEST(KafkaFlagsTest, TheLogAndItsSettingsGoTogether) {
  KafkaFlags flags;
  flags.log = "kafka";
  EXPECT_TRUE(absl::IsInvalidArgument(flags.Options().status()));
  flags.log = "embedded";
  flags.config = "kafka.properties";
  EXPECT_TRUE(absl::IsInvalidArgument(flags.Options().status()));
}

}  // namespace
}  // namespace windproof
