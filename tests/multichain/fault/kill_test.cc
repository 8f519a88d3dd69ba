// Promise 4 on a chain: an anchor, or its node, that is killed at any moment
// loses no checkpoint and publishes none with other bytes; one that stands
// there twice says the same, and is reported.
//
// The moments come from a seed, which is printed and can be given as
// WINDPROOF_FAULT_SEED. 20 kills of the anchor; 200 with WINDPROOF_LONG.
#include <chrono>
#include <iostream>
#include <random>
#include <thread>

#include "gtest/gtest.h"
#include "tests/fault/fault_run.h"
#include "tests/multichain/fault/chain_anchor.h"
#include "tests/multichain/fault/chain_node.h"
#include "tests/multichain/fault/submitter.h"

namespace windproof {
namespace {

class ChainKillTest : public testing::Test {
 protected:
  ChainKillTest() : random_(FaultSeed()), node_(200), anchor_(node_) {}

  // Lets things go on for a random while: the moment of a kill, not a wait for
  // anything.
  void Linger(int most_ms) {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(random_() % (most_ms + 1)));
  }

  void ExpectAllThere(const Submitter& submitter) {
    ASSERT_TRUE(anchor_.WaitSettled())
        << anchor_.Status().DebugString() << anchor_.Logs();
    const int64_t doubles = ExpectOnChain(node_, {&submitter});
    const v1::LedgerStatus status = anchor_.Status();
    EXPECT_EQ(status.chain().doubles(), doubles);
    EXPECT_EQ(status.chain().lost(), 0);
    EXPECT_EQ(status.chain().foreign(), 0);
    EXPECT_EQ(status.equivocations(), 0) << anchor_.Logs();
    std::cout << submitter.count() << " checkpoints, " << doubles
              << " doubles, " << submitter.failed_calls() << " failed calls"
              << std::endl;
  }

  std::mt19937_64 random_;
  ChainNode node_;
  ChainAnchor anchor_;
};

TEST_F(ChainKillTest, AnAnchorThatIsKilledHasEachCheckpoint) {
  Submitter submitter(anchor_.address(), {});
  submitter.Begin();
  const int kills = LongRun() ? 200 : 20;
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    Linger(300);
    anchor_.Kill();
    // One that is killed before it is ready, now and then.
    if (i % 5 == 4) {
      anchor_.Begin();
      Linger(100);
      anchor_.Kill();
    }
    anchor_.Start();
  }
  submitter.End();
  ExpectAllThere(submitter);
}

TEST_F(ChainKillTest, ANodeThatIsKilledHasEachCheckpoint) {
  Submitter submitter(anchor_.address(), {});
  submitter.Begin();
  const int kills = LongRun() ? 50 : 6;
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    Linger(500);
    node_.Kill();
    Linger(300);
    node_.Start();
  }
  submitter.End();
  ExpectAllThere(submitter);
}

TEST_F(ChainKillTest, BothAreKilled) {
  Submitter submitter(anchor_.address(), {});
  submitter.Begin();
  const int kills = LongRun() ? 50 : 4;
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    Linger(400);
    node_.Kill();
    Linger(50);
    anchor_.Kill();
    node_.Start();
    anchor_.Start();
  }
  submitter.End();
  ExpectAllThere(submitter);
}

}  // namespace
}  // namespace windproof
