#include "services/anchor/multichain/stream_item.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr char kConfirmed[] =
    R"([{"publishers":["1FoT"],"keys":["a","b"],"offchain":false,)"
    R"("available":true,"data":{"text":"x\u00FC\n"},"confirmations":1,)"
    R"("blockhash":)"
    R"("0022917d9066c3e205a1541219f3f5e9c0a85efee4dff53d2e2ad9394e366e09",)"
    R"("blockheight":3,"blockindex":7,"blocktime":1795448845,"txid":)"
    R"("909fcda4eaa157368205cd791b346364a72c1df07f7ce85c0bf65bb59bfcc70a",)"
    R"("vout":1,"valid":true,"time":1795448840,"timereceived":1795448840}])";

absl::StatusOr<std::vector<StreamItem>> Read(const std::string& json) {
  return StreamItemsFrom(*ParseJson(json));
}

TEST(StreamItemTest, AVerboseItemIsRead) {
  const auto items = Read(kConfirmed);
  ASSERT_TRUE(items.ok()) << items.status();
  ASSERT_EQ(items->size(), 1u);
  const StreamItem& item = items->front();
  EXPECT_EQ(item.vout, 1);
  EXPECT_EQ(item.height, 3);
  EXPECT_EQ(item.data, "x\xC3\xBC\n");
  EXPECT_EQ(item.data_is, StreamItem::Data::kHere);
  EXPECT_EQ(item.keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(item.time_s, 1795448840);
}

TEST(StreamItemTest, DataComeInFourWays) {
  struct Row {
    const char* json;
    StreamItem::Data is;
    const char* data;
  };
  for (const Row& row : {
           Row{"\"00fF\"", StreamItem::Data::kHere, "\0\xFF"},
           Row{"\"\"", StreamItem::Data::kHere, ""},
           Row{"{\"text\":\"x\"}", StreamItem::Data::kHere, "x"},
           Row{"{\"json\":{\"i\":1}}", StreamItem::Data::kOther, ""},
           Row{"{\"txid\":\"ab\",\"vout\":0,\"format\":\"text\",\"size\":9}",
               StreamItem::Data::kElsewhere, ""},
           Row{"null", StreamItem::Data::kOther, ""},
           Row{"\"xyz\"", StreamItem::Data::kOther, ""},
       }) {
    const auto items = Read(absl::StrReplaceAll(
        kConfirmed, {{"{\"text\":\"x\\u00FC\\n\"}", row.json}}));
    ASSERT_TRUE(items.ok()) << row.json << items.status();
    EXPECT_EQ(items->front().data_is, row.is) << row.json;
    if (row.data[0] != '\0') {
      EXPECT_EQ(items->front().data, row.data);
    }
  }
}

TEST(StreamItemTest, WhatIsNotVerboseIsRefused) {
  for (const char* member :
       {"\"txid\"", "\"vout\"", "\"valid\"", "\"keys\"", "\"publishers\"",
        "\"time\"", "\"data\"", "\"blockhash\"", "\"blockheight\""}) {
    const auto items =
        Read(absl::StrReplaceAll(kConfirmed, {{member, "\"else\""}}));
    EXPECT_TRUE(absl::IsInvalidArgument(items.status())) << member;
  }
  EXPECT_FALSE(Read("{}").ok());
}

TEST(StreamItemTest, TextGoesAsTextAndOtherBytesAsHex) {
  const std::vector<LedgerDraft> drafts = {
      {{"p/k", "p/k/s"}, "{\"a\":1.10}", "", ""},
      {{"k"}, std::string("\xFF\0", 2), "", ""},
      {{"k"}, "", "", ""},
  };
  EXPECT_EQ(PublishParams("1Addr", "st\"r", drafts),
            R"(["1Addr","st\"r",[{"keys":["p/k","p/k/s"],)"
            R"("data":{"text":"{\"a\":1.10}"}},)"
            R"({"keys":["k"],"data":"ff00"},{"keys":["k"],"data":""}]])");
}

TEST(StreamItemTest, ACallHasAtMost32ItemsAndTwoMegabytes) {
  EXPECT_EQ(StreamCallSize(std::vector<LedgerDraft>(100)), 32u);
  EXPECT_EQ(StreamCallSize(std::vector<LedgerDraft>(5)), 5u);
  EXPECT_EQ(StreamCallSize({}), 0u);
  const LedgerDraft large{{"k"}, std::string(1 << 20, 'x'), "", ""};
  EXPECT_EQ(StreamCallSize(std::vector<LedgerDraft>(5, large)), 2u);
}

TEST(StreamItemTest, KeysThatTheNodeWouldChangeAreRefused) {
  for (const char* key : {"*", "\xFF", "a\xC0\x80"}) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(CheckStreamDraft({{key}, "x", "", ""}, 0)));
  }
  EXPECT_TRUE(CheckStreamDraft({{std::string(256, 'k')}, "x", "", ""}, 0).ok());
  EXPECT_FALSE(
      CheckStreamDraft({{std::string(257, 'k')}, "x", "", ""}, 0).ok());
}

}  // namespace
}  // namespace windproof
