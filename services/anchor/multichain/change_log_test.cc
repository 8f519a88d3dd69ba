#include "services/anchor/multichain/change_log.h"

#include <vector>

#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(ChangeLogTest, KeepsTheLastAndTheirNumbers) {
  ChangeLog log(3);
  EXPECT_EQ(log.end(), 0);
  EXPECT_TRUE(log.Some(0, 10).empty());
  for (int64_t position = 10; position < 15; ++position) log.Add(position);
  EXPECT_EQ(log.first(), 2);
  EXPECT_EQ(log.end(), 5);
  EXPECT_EQ(log.Some(2, 10), (std::vector<int64_t>{12, 13, 14}));
  EXPECT_EQ(log.Some(3, 1), (std::vector<int64_t>{13}));
  EXPECT_TRUE(log.Some(5, 1).empty());
  EXPECT_TRUE(log.Some(2, 0).empty());
}

}  // namespace
}  // namespace windproof
