// Promise 4 on a real broker: whatever becomes of the processes of window-hash,
// every checkpoint is as in a run without any fault, byte by byte, and all are
// anchored.
//
// The moments come from a seed, which is printed and can be given as
// WINDPROOF_FAULT_SEED; where a process is at such a moment is up to the
// machine. WINDPROOF_LONG raises the counts.
#include <signal.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "tests/kafka/fault/load.h"
#include "tests/kafka/fault/replicas.h"
#include "tests/kafka/testing/kafka_broker.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;

constexpr size_t kPartitions = 6;  // of three topics

class ReplicaFaultTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto reason = KafkaBroker::Unavailable();
    if (reason.has_value()) GTEST_SKIP() << *reason;
    const auto broker = KafkaBroker::Shared();
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = *broker;
    seed_ = FaultSeed();
    random_.seed(seed_);
  }

  void Open(const std::string& name, int replicas) {
    replicas_ = std::make_unique<Replicas>(Replicas::Options{
        .bootstrap = broker_->bootstrap(), .name = name, .count = replicas});
    load_ =
        std::make_unique<Load>(replicas_->log(), name, /*partitions=*/2, seed_);
    const absl::Status made = load_->MakeTopics();
    ASSERT_TRUE(made.ok()) << made;
  }

  // Lets a random part of `most` pass: this is what makes the moment of a fault
  // random, nothing waits for it.
  void Linger(milliseconds most) {
    std::this_thread::sleep_for(
        milliseconds(random_() % (static_cast<uint64_t>(most.count()) + 1)));
  }

  // Waits until the replica runs that many partitions.
  void ExpectRunning(int replica, size_t partitions) {
    EXPECT_TRUE(Eventually([&] {
      return replicas_->Running(replica).size() == partitions;
    })) << replicas_->Running(replica).size()
        << " of " << partitions;
  }

  void EndLoad() {
    const absl::Status written = load_->EndWriting();
    ASSERT_TRUE(written.ok()) << written;
    const absl::Status finished = load_->Finish();
    ASSERT_TRUE(finished.ok()) << finished;
  }

  // Kills replica 0 again and again while records come in.
  void KillAgainAndAgain(const std::string& name, bool delete_data) {
    Open(name, 1);
    load_->BeginWriting();
    const int kills = LongRun() ? 30 : 5;
    for (int i = 0; i < kills && !HasFailure(); ++i) {
      SCOPED_TRACE(i);
      replicas_->Begin(0);
      if (i % 5 == 2) {
        Linger(milliseconds(300));  // most likely before it is ready
      } else {
        ASSERT_TRUE(replicas_->process(0).WaitReady());
        // Where the last kill left off is long behind then.
        if (i % 2 == 0) ExpectRunning(0, kPartitions);
        Linger(milliseconds(1000));
      }
      replicas_->Kill(0);
      if (delete_data) replicas_->DeleteData(0);
    }
    EndLoad();
    replicas_->Start(0);
    replicas_->ExpectUndisturbed(0);
  }

  KafkaBroker* broker_ = nullptr;
  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::unique_ptr<Replicas> replicas_;
  std::unique_ptr<Load> load_;  // goes before the log
};

TEST_F(ReplicaFaultTest, KilledAtRandomMoments) {
  KillAgainAndAgain("killed", /*delete_data=*/false);
}

TEST_F(ReplicaFaultTest, KilledAndItsDataDeleted) {
  KillAgainAndAgain("deleted", /*delete_data=*/true);
}

TEST_F(ReplicaFaultTest, AnotherTakesOverFromOneThatIsKilled) {
  Open("takeover", 2);
  load_->BeginWriting();
  replicas_->Start(0);
  ExpectRunning(0, kPartitions);
  replicas_->Start(1);
  ExpectRunning(0, kPartitions / 2);
  ExpectRunning(1, kPartitions / 2);
  Linger(milliseconds(500));

  replicas_->Kill(0);
  ExpectRunning(1, kPartitions);
  Linger(milliseconds(500));
  replicas_->Start(0);
  ExpectRunning(0, kPartitions / 2);
  ExpectRunning(1, kPartitions / 2);
  Linger(milliseconds(500));

  // Back before its session ends: it has what it had.
  replicas_->Kill(1);
  replicas_->Start(1);
  ExpectRunning(1, kPartitions / 2);
  ASSERT_NO_FATAL_FAILURE(EndLoad());
  replicas_->ExpectUndisturbed(0);
  replicas_->ExpectUndisturbed(1);
}

TEST_F(ReplicaFaultTest, OneThenThreeThenOne) {
  Open("scaled", 3);
  load_->BeginWriting();
  replicas_->Start(0);
  ExpectRunning(0, kPartitions);
  replicas_->Start(1);
  replicas_->Start(2);
  for (int i = 0; i < 3; ++i) ExpectRunning(i, kPartitions / 3);
  Linger(milliseconds(500));
  replicas_->Stop(1);
  Linger(milliseconds(500));
  replicas_->Kill(2);
  ExpectRunning(0, kPartitions);
  ASSERT_NO_FATAL_FAILURE(EndLoad());
  replicas_->ExpectUndisturbed(0);
}

TEST_F(ReplicaFaultTest, OneThatIsPausedPastItsSessionDoesNoHarm) {
  Open("paused", 2);
  load_->BeginWriting();
  replicas_->Start(0);
  replicas_->Start(1);
  const int pauses = LongRun() ? 6 : 2;
  for (int i = 0; i < pauses && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const int paused = i % 2;
    ExpectRunning(0, kPartitions / 2);
    ExpectRunning(1, kPartitions / 2);
    Linger(milliseconds(300));
    replicas_->process(paused).Signal(SIGSTOP);
    ExpectRunning(1 - paused, kPartitions);
    Linger(milliseconds(500));
    replicas_->process(paused).Signal(SIGCONT);
  }
  ExpectRunning(0, kPartitions / 2);
  ExpectRunning(1, kPartitions / 2);
  ASSERT_NO_FATAL_FAILURE(EndLoad());
  replicas_->ExpectUndisturbed(0);
  replicas_->ExpectUndisturbed(1);
  // Whoever reads what both wrote has the same.
  replicas_->Kill(1);
  replicas_->DeleteData(1);
  replicas_->Kill(0);
  replicas_->DeleteData(0);
  replicas_->Start(1);
  replicas_->ExpectUndisturbed(1);
}

// Two processes with one name: the older one is shut out, and ends, so that
// whoever runs it starts it again.
TEST_F(ReplicaFaultTest, TheOlderOfTwoWithOneNameEnds) {
  Open("twins", 1);
  const absl::Status written = load_->Write(20);
  ASSERT_TRUE(written.ok()) << written;
  replicas_->Start(0);
  ExpectRunning(0, kPartitions);
  std::unique_ptr<Process> twin = replicas_->Twin(0);
  Process& older = replicas_->process(0);
  EXPECT_EQ(older.Wait(), 1) << older.err();
  EXPECT_NE(older.err().find("shut out of Kafka's group"), std::string::npos)
      << older.err();

  // Started again it is the younger one, and has everything.
  replicas_->Start(0);
  EXPECT_EQ(twin->Wait(), 1) << twin->err();
  twin.reset();
  const absl::Status finished = load_->Finish();
  ASSERT_TRUE(finished.ok()) << finished;
  replicas_->ExpectUndisturbed(0);
}

}  // namespace
}  // namespace windproof
