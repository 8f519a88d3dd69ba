#include "common/record_log/record_log.h"

#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(AppendOutcomeTest, IsWhatTheStatusWasGiven) {
  const absl::Status plain = absl::UnavailableError("away");
  EXPECT_TRUE(AppendOutcome(plain).empty());
  EXPECT_TRUE(AppendOutcome(absl::OkStatus()).empty());

  const std::vector<AppendedRecord> outcome = {
      {0, 5}, {2, -1}, {2147483647, int64_t{9'223'372'036'854'775'807}}};
  const absl::Status status = WithAppendOutcome(plain, outcome);
  EXPECT_EQ(status.code(), plain.code());
  EXPECT_EQ(status.message(), plain.message());
  const std::vector<AppendedRecord> found = AppendOutcome(status);
  ASSERT_EQ(found.size(), outcome.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].partition, outcome[i].partition) << i;
    EXPECT_EQ(found[i].offset, outcome[i].offset) << i;
  }
}

}  // namespace
}  // namespace windproof
