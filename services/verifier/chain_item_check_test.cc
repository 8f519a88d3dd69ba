#include "services/verifier/chain_item_check.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string CodesOf(const CheckedItem& checked) {
  std::string codes;
  for (const Finding& finding : checked.outcome.findings) {
    codes += finding.code + " ";
  }
  return codes;
}

TEST(ChainItemCheckTest, WhatAnotherNodeShowsIsAFinding) {
  ChainTrust trust;
  ServedItem item;
  item.position = 7;
  ServedPlace place;
  place.block_hash = "ours";
  EXPECT_EQ(CodesOf(CheckChainItem(item, place, trust)).find("SPLIT_VIEW"),
            std::string::npos);
  place.split_view = "at height 5 …";
  place.other_block_hash = "theirs";
  const CheckedItem checked = CheckChainItem(item, place, trust);
  EXPECT_TRUE(checked.outcome.failed());
  const auto found = std::find_if(
      checked.outcome.findings.begin(), checked.outcome.findings.end(),
      [](const Finding& finding) { return finding.code == "SPLIT_VIEW"; });
  ASSERT_NE(found, checked.outcome.findings.end()) << CodesOf(checked);
  EXPECT_EQ(found->expected, "ours");
  EXPECT_EQ(found->found, "theirs");
  EXPECT_NE(found->message.find("at height 5"), std::string::npos);
}

}  // namespace
}  // namespace windproof
