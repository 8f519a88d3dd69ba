#include "common/server/logging.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr char kTime[] = "2026-01-25T12:00:00.123Z";

TEST(LoggingTest, JsonLinesKeepTypesAndEscape) {
  EXPECT_EQ(FormatLogLine(
                {.service = "anchor"}, kTime, LogLevel::kWarning, "a \"b\"\n",
                {{"n", int64_t{-3}}, {"ok", true}, {"text", "x\xffy °C"}}),
            R"({"ts":"2026-01-25T12:00:00.123Z","level":"warning",)"
            R"("service":"anchor","msg":"a \"b\"\n","n":-3,"ok":true,)"
            R"("text":"x*y °C"})");
}

TEST(LoggingTest, TextLinesStayOnOneLine) {
  EXPECT_EQ(FormatLogLine({.service = "ingest", .format = LogFormat::kText},
                          kTime, LogLevel::kInfo, "two\nlines",
                          {{"n", 3}, {"text", "a b"}, {"empty", ""}}),
            "2026-01-25T12:00:00.123Z info ingest: two\\nlines n=3 "
            "text=\"a b\" empty=\"\"");
}

TEST(LoggingTest, LevelsBelowTheConfiguredAreLeftOut) {
  testing::internal::CaptureStderr();
  StartLogging({.service = "s", .level = LogLevel::kWarning});
  LogInfo("not this");
  LogError("but this");
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_EQ(lines.find("not this"), std::string::npos);
  EXPECT_NE(lines.find(R"("level":"error","service":"s","msg":"but this"})"),
            std::string::npos)
      << lines;
}

}  // namespace
}  // namespace windproof
