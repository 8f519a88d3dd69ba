#include "common/server/nearest.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace windproof {
namespace {

const std::vector<std::string>& Commands() {
  static const auto* const commands = new std::vector<std::string>{
      "serve", "ingest", "windows", "show", "verify", "watch"};
  return *commands;
}

TEST(NearestTest, EditDistanceCountsEachKindOfEdit) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("serve", "serve"), 0);
  EXPECT_EQ(EditDistance("sreve", "serve"), 1);
  EXPECT_EQ(EditDistance("serv", "serve"), 1);
  EXPECT_EQ(EditDistance("servee", "serve"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(NearestTest, FindsWhatWasMeant) {
  EXPECT_EQ(Nearest("verfiy", Commands()), "verify");
  EXPECT_EQ(Nearest("servee", Commands()), "serve");
  EXPECT_EQ(Nearest("window", Commands()), "windows");
  EXPECT_EQ(Nearest("win", Commands()), "windows");
}

TEST(NearestTest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(Nearest("bananas", Commands()), "");
  EXPECT_EQ(Nearest("", Commands()), "");
  EXPECT_EQ(Nearest("verify", {}), "");
  EXPECT_EQ(Nearest(std::string(10'000, 'x'), Commands()), "");
}

TEST(NearestTest, EndsAMessage) {
  EXPECT_EQ(DidYouMean("srve", Commands()), "; did you mean serve?");
  EXPECT_EQ(DidYouMean("bananas", Commands()), "");
}

}  // namespace
}  // namespace windproof
