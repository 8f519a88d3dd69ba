// A node that lies, loses replies, stalls, takes its permissions back or its
// blocks apart: every checkpoint that was handed in is on the chain in the end,
// with the bytes that it had, and what stands there twice is reported.
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fault/fault_run.h"
#include "tests/multichain/fault/chain_anchor.h"
#include "tests/multichain/fault/chain_node.h"
#include "tests/multichain/fault/submitter.h"

namespace windproof {
namespace {

using fake_node::Json;
using testing::HasSubstr;

// With blocks all the time.
constexpr int64_t kBlockMs = 200;

// Ends with all on the chain, and the anchor's counts as the chain has it.
void ExpectAllThere(ChainNode& node, ChainAnchor& anchor,
                    const std::vector<const Submitter*>& submitters,
                    bool in_order = true) {
  ASSERT_TRUE(anchor.WaitSettled())
      << anchor.Status().DebugString() << anchor.Logs();
  const int64_t doubles = ExpectOnChain(node, submitters, in_order);
  const v1::LedgerStatus status = anchor.Status();
  EXPECT_EQ(status.chain().doubles(), doubles);
  EXPECT_EQ(status.chain().foreign(), 0);
  EXPECT_EQ(status.equivocations(), 0) << anchor.Logs();
}

// --- Replies ----------------------------------------------------------------

struct ReplyFault {
  const char* name;
  const char* command;   // for the node's control address
  bool doubles = false;  // whether items may be there twice
};

class ReplyFaultTest : public testing::TestWithParam<ReplyFault> {};

INSTANTIATE_TEST_SUITE_P(
    All, ReplyFaultTest,
    testing::Values(
        ReplyFault{"LostReplyOfPublish",
                   R"({"fault":"lose_reply","count":4,
                       "method":"publishmultifrom"})"},
        ReplyFault{"LostRepliesOfAll", R"({"fault":"lose_reply","count":8})"},
        ReplyFault{"DroppedRequests", R"({"fault":"drop_request","count":8})"},
        ReplyFault{"HalfReplies", R"({"fault":"half","count":7})"},
        ReplyFault{"Delays", R"({"fault":"delay","count":15,"number":200})"},
        ReplyFault{"SlowReplies", R"({"fault":"slow","count":8,"number":300})"},
        ReplyFault{"WorkQueueExceeded", R"({"fault":"refuse","count":8})"},
        ReplyFault{"HtmlOfAProxy",
                   R"({"fault":"html","count":7,"number":502})"},
        ReplyFault{"NonJson",
                   R"({"fault":"non_json","count":6,"text":"<oops>"})"},
        ReplyFault{"WrongId", R"({"fault":"wrong_id","count":6})"},
        ReplyFault{"PublishedTwice",
                   R"({"fault":"duplicate","count":3,
                       "method":"publishmultifrom"})",
                   true},
        ReplyFault{"NoUnspentOutputs",
                   R"({"fault":"error","count":3,"number":-716,
                       "text":"No unspent outputs are available",
                       "method":"publishmultifrom"})"},
        ReplyFault{"Stall", R"({"fault":"stall","ms":2000})"},
        ReplyFault{"WarmUp", R"({"fault":"warm_up","ms":1500})"},
        ReplyFault{"Restart", R"({"fault":"restart"})"},
        ReplyFault{"ClockForwards", R"({"fault":"clock","seconds":7200})"},
        ReplyFault{"ClockBackwards", R"({"fault":"clock","seconds":-7200})"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(ReplyFaultTest, EveryCheckpointIsOnTheChain) {
  ChainNode node(kBlockMs);
  ChainAnchor anchor(node);
  Submitter submitter(anchor.address(), {});
  submitter.Submit(3);
  const absl::optional<Json> command = fake_node::ParseJson(GetParam().command);
  ASSERT_TRUE(command.has_value());
  node.Control(*command);
  submitter.Submit(12);
  node.Fault("clear");
  submitter.Submit(3);
  ExpectAllThere(node, anchor, {&submitter});
  EXPECT_EQ(anchor.Status().chain().lost(), 0);
  EXPECT_EQ(anchor.Status().chain().doubles() > 0, GetParam().doubles);
}

// --- Reorganisations --------------------------------------------------------

struct Reorganisation {
  int depth;
  const char* fate;
};

class ReorganisationTest : public testing::TestWithParam<Reorganisation> {};

INSTANTIATE_TEST_SUITE_P(
    All, ReorganisationTest,
    testing::Values(Reorganisation{1, "mined_again"},
                    Reorganisation{6, "mined_again"},
                    Reorganisation{20, "mined_again"},
                    Reorganisation{1, "held"}, Reorganisation{6, "held"},
                    Reorganisation{20, "held"}, Reorganisation{1, "conflict"},
                    Reorganisation{6, "conflict"},
                    Reorganisation{20, "conflict"}),
    [](const auto& info) {
      return absl::StrCat(info.param.fate, info.param.depth);
    });

TEST_P(ReorganisationTest, EveryCheckpointIsOnTheChain) {
  const bool conflict = absl::string_view(GetParam().fate) == "conflict";
  ChainNode node(0);
  ChainAnchor anchor(node);
  Submitter submitter(anchor.address(), {.keys = 3, .batch = 3});
  for (int i = 0; i < 22; ++i) {
    submitter.Submit(1);
    node.Mine();
  }
  submitter.Submit(1);
  ASSERT_TRUE(
      Eventually([&] { return anchor.Status().chain().unconfirmed() == 3; }));

  node.Control(Json::Object()
                   .Add("fault", "reorg")
                   .Add("depth", GetParam().depth)
                   .Add("fate", GetParam().fate));
  submitter.Submit(2);
  ASSERT_TRUE(Eventually([&] {
    return anchor.Logs().find("the chain was reorganised") != std::string::npos;
  })) << anchor.Logs();
  node.Fault("release");
  // What was lost is published again, and mined.
  ASSERT_TRUE(Eventually([&] {
    node.Mine();
    const v1::LedgerStatus status = anchor.Status();
    return status.problem().empty() && status.pending() == 0 &&
           status.chain().unconfirmed() == 0 &&
           status.chain().confirmed() == submitter.count();
  })) << anchor.Status().DebugString()
      << anchor.Logs();
  ExpectAllThere(node, anchor, {&submitter}, !conflict);
  EXPECT_EQ(anchor.Status().chain().lost() > 0, conflict);

  // An anchor that reads this chain anew comes to the same.
  anchor.Stop();
  anchor.DeleteData();
  anchor.Start();
  submitter.SubmitAllAgain();
  submitter.Submit(2);
  node.Mine();
  ExpectAllThere(node, anchor, {&submitter}, !conflict);
}

// --- Permissions, twins, a lost store ---------------------------------------

TEST(NodeFaultTest, PermissionsRevokedAndGrantedAgain) {
  ChainNode node(kBlockMs);
  ChainAnchor anchor(node);
  Submitter submitter(anchor.address(), {});
  submitter.Begin();
  for (const std::string& permission :
       {absl::StrCat(kStream, ".write"), std::string("send")}) {
    const auto change = [&](const char* how) {
      node.Control(
          Json::Object().Add("fault", how).Add("permission", permission));
    };
    change("revoke");
    EXPECT_TRUE(Eventually([&] { return anchor.Health() == "NOT_SERVING"; }));
    EXPECT_THAT(anchor.Status().problem(), HasSubstr("grant"));
    const int64_t failed = submitter.failed_calls();
    EXPECT_TRUE(Eventually([&] { return submitter.failed_calls() > failed; }));
    change("grant");
    EXPECT_TRUE(Eventually([&] { return anchor.Health() == "SERVING"; }));
  }
  submitter.End();
  ExpectAllThere(node, anchor, {&submitter});
}

TEST(NodeFaultTest, TwoAnchorsOnOneStream) {
  ChainNode node(kBlockMs);
  ChainAnchor first(node);
  ChainAnchor second(node);
  // The same checkpoints, as of a window-hash that was started twice.
  Submitter to_first(first.address(), {});
  Submitter to_second(second.address(), {});
  to_first.Begin();
  to_second.Begin();
  EXPECT_TRUE(Eventually([&] {
    return first.Status().size() > 400 && second.Status().size() > 400;
  }));
  to_first.End();
  to_second.End();
  ExpectAllThere(node, first, {&to_first, &to_second});
  ExpectAllThere(node, second, {&to_first, &to_second});
  std::cout << first.Status().chain().doubles() << " doubles of "
            << first.Status().size() << " items" << std::endl;
}

TEST(NodeFaultTest, AStoreThatIsLostComesBackFromTheChain) {
  ChainNode node(kBlockMs);
  ChainAnchor anchor(node);
  Submitter submitter(anchor.address(), {});
  submitter.Submit(20);
  ASSERT_TRUE(anchor.WaitSettled()) << anchor.Logs();
  anchor.Kill();
  anchor.DeleteData();
  anchor.Start();
  submitter.SubmitAllAgain();
  submitter.Submit(5);
  ExpectAllThere(node, anchor, {&submitter});
  EXPECT_EQ(anchor.Status().chain().doubles(), 0);
}

// --- A node that is away for long -------------------------------------------

// The most memory that a process has had, in MiB.
int64_t PeakMib(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(file, line);) {
    absl::string_view rest = line;
    int64_t kib = 0;
    if (absl::ConsumePrefix(&rest, "VmHWM:") &&
        absl::ConsumeSuffix(&rest, "kB") && absl::SimpleAtoi(rest, &kib)) {
      return kib / 1024;
    }
  }
  return -1;
}

TEST(NodeFaultTest, ANodeThatIsAwayIsNotOverrunWhenItComesBack) {
  ChainNode node(kBlockMs);
  ChainAnchor anchor(node);
  std::vector<std::unique_ptr<Submitter>> submitters;
  std::vector<const Submitter*> all;
  for (int i = 0; i < 16; ++i) {
    submitters.push_back(std::make_unique<Submitter>(
        anchor.address(),
        Submitter::Options{
            .name = absl::StrCat("s", i, "-"), .keys = 2, .batch = 100}));
    all.push_back(submitters.back().get());
    submitters.back()->Submit(1);
  }
  const auto failed_calls = [&] {
    int64_t failed = 0;
    for (const Submitter* submitter : all) failed += submitter->failed_calls();
    return failed;
  };
  // It answers, but executes nothing: so that calls can be counted.
  node.Control(Json::Object().Add("fault", "refuse").Add("count", -1));
  const int64_t requests = node.Requests();
  const auto start = std::chrono::steady_clock::now();
  const int64_t failed = failed_calls();
  for (const auto& submitter : submitters) submitter->Begin();
  EXPECT_TRUE(Eventually([&] { return failed_calls() - failed > 60; }));
  const std::chrono::duration<double> away =
      std::chrono::steady_clock::now() - start;
  const auto asked = static_cast<double>(node.Requests() - requests);
  std::cout << "away: " << failed_calls() - failed << " calls of clients and "
            << asked << " of the node in " << away.count() << " s" << std::endl;
  EXPECT_LT(asked, 20 + 20 * away.count());

  // Then it is away altogether, and comes back.
  node.Kill();
  node.Start();
  int64_t before = 0;
  for (const Submitter* submitter : all) before += submitter->count();
  EXPECT_TRUE(Eventually([&] {
    int64_t now = 0;
    for (const Submitter* submitter : all) now += submitter->count();
    return now > before + 1600;
  }));
  for (const auto& submitter : submitters) submitter->End();
  ExpectAllThere(node, anchor, all);
  EXPECT_EQ(anchor.Logs().find("Work queue depth exceeded, "),
            std::string::npos);
  EXPECT_LT(PeakMib(anchor.process().pid()), 256);
}

}  // namespace
}  // namespace windproof
