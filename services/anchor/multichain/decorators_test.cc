// The JsonRpc decorators, with a clock and waits of the test's.
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "services/anchor/multichain/backoff.h"
#include "services/anchor/multichain/circuit_rpc.h"
#include "services/anchor/multichain/json_rpc.h"
#include "services/anchor/multichain/retrying_rpc.h"
#include "services/anchor/multichain/rpc_answer.h"

namespace windproof {
namespace {

// Answers from a list, the last of it for ever.
class Scripted final : public JsonRpc {
 public:
  explicit Scripted(std::deque<RpcReply> replies)
      : replies_(std::move(replies)) {}

  RpcReply Call(absl::string_view, absl::string_view) override {
    ++calls;
    RpcReply reply = replies_.front();
    if (replies_.size() > 1) replies_.pop_front();
    return reply;
  }

  int calls = 0;

 private:
  std::deque<RpcReply> replies_;
};

RpcReply With(RpcOutcome outcome, int64_t code = 0) {
  if (outcome == RpcOutcome::kDone) return {};
  RpcReply reply =
      RpcFailure(absl::StatusCode::kUnavailable, outcome, "m", "no");
  reply.code = code;
  return reply;
}

TEST(BackoffTest, DoublesUpToTheMostWithJitter) {
  const BackoffRange range{100, 1000};
  EXPECT_EQ(BackoffMs(range, 1, 0), 50);
  EXPECT_EQ(BackoffMs(range, 1, 0.999), 99);
  EXPECT_EQ(BackoffMs(range, 2, 0), 100);
  EXPECT_EQ(BackoffMs(range, 4, 0), 400);
  EXPECT_EQ(BackoffMs(range, 5, 0), 500);
  EXPECT_EQ(BackoffMs(range, 1'000'000, 0), 500);
  EXPECT_EQ(BackoffMs(range, 1'000'000, 0.999), 999);
}

class RetryingTest : public ::testing::Test {
 protected:
  RetryingRpc::Options Options() {
    return {.tries_max = 4,
            .backoff = {100, 1000},
            .wait =
                [this](int64_t ms) {
                  waits_.push_back(ms);
                  return go_on_;
                },
            .random = [] { return 0.0; }};
  }
  std::vector<int64_t> waits_;
  bool go_on_ = true;
};

TEST_F(RetryingTest, TriesAgainWhatWasNotDone) {
  Scripted node({With(RpcOutcome::kNotDone), With(RpcOutcome::kNotDone),
                 With(RpcOutcome::kDone)});
  RetryingRpc rpc(Options(), node);
  EXPECT_TRUE(rpc.Call("publish", "[]").status.ok());
  EXPECT_EQ(node.calls, 3);
  EXPECT_EQ(waits_, (std::vector<int64_t>{50, 100}));
  EXPECT_EQ(rpc.repeated(), 2);
}

TEST_F(RetryingTest, NeverRepeatsWhatMayHaveBeenDone) {
  for (const RpcOutcome outcome :
       {RpcOutcome::kUnknown, RpcOutcome::kPermanent}) {
    Scripted node({With(outcome)});
    RetryingRpc rpc(Options(), node);
    EXPECT_EQ(rpc.Call("publish", "[]").outcome, outcome);
    EXPECT_EQ(node.calls, 1);
  }
}

TEST_F(RetryingTest, GivesUp) {
  Scripted node({With(RpcOutcome::kNotDone)});
  RetryingRpc rpc(Options(), node);
  EXPECT_EQ(rpc.Call("publish", "[]").outcome, RpcOutcome::kNotDone);
  EXPECT_EQ(node.calls, 4);
}

TEST_F(RetryingTest, EndsWithTheWait) {
  go_on_ = false;
  Scripted node({With(RpcOutcome::kNotDone)});
  RetryingRpc rpc(Options(), node);
  EXPECT_EQ(rpc.Call("publish", "[]").outcome, RpcOutcome::kNotDone);
  EXPECT_EQ(node.calls, 1);
}

class CircuitTest : public ::testing::Test {
 protected:
  CircuitRpc::Options Options() {
    return {.failures_max = 2,
            .open_for = {1000, 4000},
            .now_ms = [this] { return now_ms_; },
            .random = [] { return 0.0; }};
  }
  int64_t now_ms_ = 0;
};

TEST_F(CircuitTest, OpensAfterSilenceAndLetsOneCallThroughLater) {
  Scripted node({With(RpcOutcome::kUnknown), With(RpcOutcome::kNotDone),
                 With(RpcOutcome::kUnknown), With(RpcOutcome::kDone)});
  CircuitRpc rpc(Options(), node);
  rpc.Call("a", "[]");
  EXPECT_FALSE(rpc.open());
  rpc.Call("a", "[]");
  EXPECT_TRUE(rpc.open());
  // Not asked, and so not done.
  EXPECT_EQ(rpc.Call("a", "[]").outcome, RpcOutcome::kNotDone);
  EXPECT_EQ(node.calls, 2);

  now_ms_ = 500;
  EXPECT_FALSE(rpc.open());
  EXPECT_EQ(rpc.Call("a", "[]").outcome, RpcOutcome::kUnknown);
  EXPECT_EQ(node.calls, 3);
  EXPECT_TRUE(rpc.open());  // longer now
  now_ms_ = 1499;
  EXPECT_TRUE(rpc.open());
  now_ms_ = 1500;
  EXPECT_TRUE(rpc.Call("a", "[]").status.ok());
  EXPECT_FALSE(rpc.open());
}

TEST_F(CircuitTest, ANodeThatSaysNoIsThere) {
  Scripted node({With(RpcOutcome::kPermanent), With(RpcOutcome::kNotDone, -28),
                 With(RpcOutcome::kPermanent, -704)});
  CircuitRpc rpc(Options(), node);
  for (int i = 0; i < 10; ++i) rpc.Call("a", "[]");
  EXPECT_FALSE(rpc.open());
  EXPECT_EQ(node.calls, 10);
}

}  // namespace
}  // namespace windproof
