// Every golden log, fed in every way, gives the same bytes.
#include "tests/vectors/golden_log.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::filesystem::path> JsonFiles(
    const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void CheckAll(const std::filesystem::path& folder, size_t at_least) {
  const auto files = JsonFiles(folder);
  ASSERT_GE(files.size(), at_least);
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename().string());
    const absl::StatusOr<GoldenLog> log = ParseGoldenLog(ReadFile(file));
    ASSERT_TRUE(log.ok()) << log.status();
    for (const size_t batch : {size_t{0}, size_t{1}, size_t{3}, size_t{7}}) {
      for (const bool restart : {false, true}) {
        for (const std::optional<int64_t> spill :
             {std::optional<int64_t>(), std::optional<int64_t>(0),
              std::optional<int64_t>(2)}) {
          const absl::Status status =
              CheckGoldenLog(*log, {batch, restart, spill});
          EXPECT_TRUE(status.ok())
              << "batches of " << batch << ", restarts " << restart
              << ", spills beyond " << spill.value_or(-1) << ": " << status;
        }
      }
    }
  }
}

TEST(GoldenLogTest, OurOwn) { CheckAll("tests/vectors/logs", 12); }

TEST(GoldenLogTest, ThoseOfTheFormats) {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "WINDPROOF_SHARED is not set";
  const auto folder = std::filesystem::path(shared) / "data" / "windproof";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << folder << " does not exist";
  }
  CheckAll(folder, 34);
}

TEST(GoldenLogTest, ADifferenceIsNamed) {
  absl::StatusOr<GoldenLog> log =
      ParseGoldenLog(ReadFile("tests/vectors/logs/several-keys.json"));
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_FALSE(log->written.empty());
  GoldenLog other = *log;
  other.written[0].records[0].second[10] ^= 1;
  EXPECT_NE(CheckGoldenLog(other, {}).message().find("checkpoint 0, record 0"),
            absl::string_view::npos);
  other = *log;
  other.written.pop_back();
  EXPECT_FALSE(CheckGoldenLog(other, {}).ok());
  other = *log;
  other.classes[0].name = "late";
  EXPECT_NE(CheckGoldenLog(other, {}).message().find("class of the record"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace windproof
