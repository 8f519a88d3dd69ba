// `windproof anchor status`, health and /metrics of an anchor on a chain: also
// while its node is away, hangs or takes its permission back.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"
#include "tests/fault/fault_run.h"
#include "tests/multichain/fault/chain_anchor.h"
#include "tests/multichain/fault/chain_node.h"
#include "tests/multichain/fault/submitter.h"

namespace windproof {
namespace {

using fake_node::Json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class ChainStatusTest : public testing::Test {
 protected:
  ChainStatusTest() : node_(0), anchor_(node_) {
    Submitter submitter(anchor_.address(), {.keys = 2, .batch = 4});
    submitter.Submit(1);
    node_.Mine();
    submitter.Submit(1);
    EXPECT_TRUE(Eventually([this] {
      const v1::LedgerStatus status = anchor_.Status();
      return status.chain().confirmed() == 4 &&
             status.chain().unconfirmed() == 4 && status.pending() == 0;
    })) << anchor_.Status().DebugString();
  }

  // What was known last is shown, and why there is no more.
  void ExpectKnown(const std::string& wrong) {
    const Outcome text = anchor_.StatusCommand();
    EXPECT_EQ(text.code, 3) << text.err;
    EXPECT_THAT(text.out, AllOf(ContainsRegex("chain +wxchain, height "),
                                ContainsRegex("confirmed +4\n"),
                                ContainsRegex("wrong +.*" + wrong)));
    EXPECT_EQ(anchor_.Metric("windproof_chain_node_up"), 0);
    EXPECT_EQ(anchor_.Metric("windproof_chain_confirmed_items"), 4);
    EXPECT_EQ(anchor_.Health(), "NOT_SERVING");
  }
  bool HasProblem() {
    return Eventually([this] {
      return !anchor_.Status().problem().empty() &&
             anchor_.Health() == "NOT_SERVING";
    });
  }
  bool IsWellAgain() {
    return Eventually([this] {
      return anchor_.Status().problem().empty() &&
             anchor_.Health() == "SERVING";
    });
  }

  ChainNode node_;
  ChainAnchor anchor_;
};

TEST_F(ChainStatusTest, OfANodeThatAnswers) {
  const Outcome text = anchor_.StatusCommand();
  EXPECT_EQ(text.code, 0) << text.out << text.err;
  EXPECT_THAT(
      text.out,
      AllOf(HasSubstr("wxchain/checkpoints (multichain)"),
            HasSubstr("genesis " + node_.genesis()),
            ContainsRegex("stream +checkpoints\n"),
            ContainsRegex("mode +direct, ANCHORED with 1 confirmation\n"),
            ContainsRegex("pending +0\n"), ContainsRegex("unconfirmed +4\n"),
            ContainsRegex("confirmed +4\n"),
            ContainsRegex("lag +[0-9]+\\.[0-9] s\n"),
            ContainsRegex("wrong +nothing\n")));

  const Outcome json = anchor_.StatusCommand({"--output", "json"});
  EXPECT_EQ(json.code, 0) << json.err;
  const std::vector<JsonValue> lines = JsonLines(json.out);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(Text(lines[0], {"kind"}), "multichain");
  EXPECT_EQ(Text(lines[0], {"chain", "name"}), "wxchain");
  EXPECT_EQ(Text(lines[0], {"chain", "genesis"}), node_.genesis());
  EXPECT_EQ(Text(lines[0], {"chain", "mode"}), "direct");
  EXPECT_EQ(Number(lines[0], {"items"}), 8);
  EXPECT_EQ(Number(lines[0], {"confirmed"}), 4);
  EXPECT_EQ(Number(lines[0], {"chain", "unconfirmed"}), 4);
  EXPECT_GE(Number(lines[0], {"chain", "lag_ms"}), 0);
  EXPECT_EQ(Number(lines[0], {"chain", "lost"}), 0);

  EXPECT_EQ(anchor_.Metric("windproof_chain_node_up"), 1);
  EXPECT_EQ(anchor_.Metric("windproof_chain_height"),
            Number(lines[0], {"chain", "height"}));
  EXPECT_EQ(anchor_.Metric("windproof_chain_unconfirmed_items"), 4);
  EXPECT_GE(anchor_.Metric("windproof_chain_oldest_unconfirmed_seconds"), 0);
  EXPECT_EQ(anchor_.Metric("windproof_chain_foreign_items"), 0);
  EXPECT_EQ(anchor_.Metric("windproof_chain_double_items"), 0);
  EXPECT_EQ(anchor_.Metric("windproof_chain_lost_items"), 0);
}

TEST_F(ChainStatusTest, WhileTheNodeIsAway) {
  node_.Kill();
  ASSERT_TRUE(HasProblem());
  ExpectKnown("");
  node_.Start();
  EXPECT_TRUE(IsWellAgain()) << anchor_.Logs();
  EXPECT_EQ(anchor_.StatusCommand().code, 0);
}

// A hung node takes requests and never answers. Nothing here may wait for it:
// each call has a time limit that is shorter than the anchor's own.
TEST_F(ChainStatusTest, WhileTheNodeHangs) {
  node_.Fault("hang");
  ASSERT_TRUE(HasProblem());
  ExpectKnown("");
  anchor_.Stop();
  node_.Fault("restart");
  anchor_.Start();
  EXPECT_TRUE(IsWellAgain()) << anchor_.Logs();
}

TEST_F(ChainStatusTest, WhileThePermissionIsRevoked) {
  node_.Control(Json::Object()
                    .Add("fault", "revoke")
                    .Add("permission", std::string(kStream) + ".write"));
  // It is found out by the next publication.
  Submitter submitter(anchor_.address(), {.name = "b", .keys = 1, .batch = 1});
  submitter.Begin();
  ASSERT_TRUE(HasProblem());
  ExpectKnown("no write permission on the stream checkpoints");
  node_.Control(Json::Object()
                    .Add("fault", "grant")
                    .Add("permission", std::string(kStream) + ".write"));
  EXPECT_TRUE(IsWellAgain()) << anchor_.Logs();
  submitter.End();
}

TEST(ChainAlarmTest, AnItemThatWaitsTooLongIsFound) {
  ChainNode node(0);
  ChainAnchor anchor(node, "unconfirmed-alarm-s=1\n");
  Submitter submitter(anchor.address(), {.keys = 1, .batch = 1});
  submitter.Submit(1);
  ASSERT_TRUE(Eventually([&] { return anchor.StatusCommand().code == 1; }));
  EXPECT_THAT(anchor.StatusCommand().out, HasSubstr("has had no block for"));
  node.Mine();
  EXPECT_TRUE(Eventually([&] { return anchor.StatusCommand().code == 0; }));
}

}  // namespace
}  // namespace windproof
