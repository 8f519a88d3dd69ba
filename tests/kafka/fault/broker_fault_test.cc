// Promise 4 while the broker or the way to it goes away: kill -9 in the middle
// of windows, a broker that is away for a while, a network that is cut. Every
// checkpoint is as in a run without any fault, byte by byte.
//
// As replica_fault_test says of moments and counts.
#include <chrono>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/kafka/fault/load.h"
#include "tests/kafka/fault/replicas.h"
#include "tests/kafka/testing/kafka_broker.h"
#include "tests/kafka/testing/tcp_proxy.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;

constexpr size_t kPartitions = 6;  // of three topics

class BrokerFaultTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto reason = KafkaBroker::Unavailable();
    if (reason.has_value()) GTEST_SKIP() << *reason;
    auto broker = KafkaBroker::Start();
    ASSERT_TRUE(broker.ok()) << broker.status();
    broker_ = *std::move(broker);
    seed_ = FaultSeed();
    random_.seed(seed_);
  }

  void Open(const std::string& name, const std::string& replica_bootstrap) {
    replicas_ = std::make_unique<Replicas>(
        Replicas::Options{.bootstrap = broker_->bootstrap(),
                          .replica_bootstrap = replica_bootstrap,
                          .name = name,
                          .count = 2});
    load_ =
        std::make_unique<Load>(replicas_->log(), name, /*partitions=*/2, seed_);
    const absl::Status made = load_->MakeTopics();
    ASSERT_TRUE(made.ok()) << made;
  }

  // As in replica_fault_test.
  void Linger(milliseconds most) {
    std::this_thread::sleep_for(
        milliseconds(random_() % (static_cast<uint64_t>(most.count()) + 1)));
  }

  void ExpectHalfEach() {
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(Eventually([&] {
        return replicas_->Running(i).size() == kPartitions / 2;
      })) << i;
    }
  }

  void FinishAndCompare() {
    const absl::Status written = load_->EndWriting();
    ASSERT_TRUE(written.ok()) << written;
    const absl::Status finished = load_->Finish();
    ASSERT_TRUE(finished.ok()) << finished;
    replicas_->ExpectUndisturbed(0);
    replicas_->ExpectUndisturbed(1);
  }

  // Gives the broker a second listener, which tells clients that it is
  // `proxy`. Returns its port.
  int ListenBehind(const TcpProxy& proxy) {
    auto free = TcpProxy::Listen();  // takes a port and gives it back
    EXPECT_TRUE(free.ok()) << free.status();
    const int port = (*free)->port();
    free->reset();
    std::string listeners;
    std::ifstream settings(broker_->dir() + "/server.properties");
    for (std::string line; std::getline(settings, line);) {
      if (absl::StartsWith(line, "listeners=")) listeners = line;
    }
    broker_->Stop();
    std::ofstream(broker_->dir() + "/extra.properties", std::ios::app)
        << listeners << ",PROXIED://127.0.0.1:" << port << "\n"
        << "advertised.listeners=PLAINTEXT://" << broker_->bootstrap()
        << ",PROXIED://" << proxy.address() << "\n"
        << "listener.security.protocol.map=CONTROLLER:PLAINTEXT,"
        << "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n";
    const absl::Status again = broker_->Restart();
    EXPECT_TRUE(again.ok()) << again;
    return port;
  }

  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::unique_ptr<KafkaBroker> broker_;
  std::unique_ptr<TcpProxy> proxy_;
  std::unique_ptr<Replicas> replicas_;
  std::unique_ptr<Load> load_;  // goes before the log
};

TEST_F(BrokerFaultTest, KilledInTheMiddleOfWindowsAndAwayForAWhile) {
  ASSERT_NO_FATAL_FAILURE(Open("broker", ""));
  replicas_->Start(0);
  replicas_->Start(1);
  ExpectHalfEach();
  load_->BeginWriting();
  const int kills = LongRun() ? 10 : 2;
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    Linger(milliseconds(1500));
    broker_->Kill9();
    // At once, and after a time for which it is away: that is the fault itself.
    if (i % 2 == 1) {
      std::this_thread::sleep_for(
          std::chrono::seconds(LongRun() && i == 1 ? 60 : 10));
    }
    const absl::Status again = broker_->Restart();
    ASSERT_TRUE(again.ok()) << again;
    ExpectHalfEach();
  }
  FinishAndCompare();
}

TEST_F(BrokerFaultTest, TheNetworkToOneReplicaIsCut) {
  auto proxy = TcpProxy::Listen();
  ASSERT_TRUE(proxy.ok()) << proxy.status();
  proxy_ = *std::move(proxy);
  proxy_->Begin(ListenBehind(*proxy_));
  if (HasFailure()) return;
  ASSERT_NO_FATAL_FAILURE(Open("cut", proxy_->address()));
  load_->BeginWriting();
  replicas_->Start(0);
  replicas_->Start(1);
  ExpectHalfEach();
  const int cuts = LongRun() ? 10 : 2;
  for (int i = 0; i < cuts && !HasFailure(); ++i) {
    SCOPED_TRACE(i);
    Linger(milliseconds(500));
    proxy_->Cut();
    if (i % 2 == 0) {
      // Past its session: the other one takes over.
      EXPECT_TRUE(Eventually(
          [&] { return replicas_->Running(1).size() == kPartitions; }));
    } else {
      Linger(milliseconds(3000));
    }
    proxy_->Mend();
    ExpectHalfEach();
  }
  FinishAndCompare();
}

// A process that is started, or ended, while there is no broker.
TEST_F(BrokerFaultTest, AwayWhenAProcessStarts) {
  for (const bool alone : {true, false}) {
    const std::string name = alone ? "alone" : "grouped";
    SCOPED_TRACE(name);
    replicas_ = std::make_unique<Replicas>(Replicas::Options{
        .bootstrap = broker_->bootstrap(), .name = name, .alone = alone});
    load_ =
        std::make_unique<Load>(replicas_->log(), name, /*partitions=*/2, seed_);
    absl::Status written = load_->MakeTopics();
    written.Update(load_->Write(20));
    ASSERT_TRUE(written.ok()) << written;
    broker_->Kill9();
    replicas_->Start(0);
    EXPECT_EQ(replicas_->Health(0, ""), "NOT_SERVING");
    replicas_->Stop(0);
    replicas_->Start(0);
    EXPECT_EQ(replicas_->Health(0, ""), "NOT_SERVING");
    EXPECT_EQ(replicas_->Health(0, "liveness"), "SERVING");
    const absl::Status again = broker_->Restart();
    ASSERT_TRUE(again.ok()) << again;
    EXPECT_TRUE(
        Eventually([&] { return replicas_->Health(0, "") == "SERVING"; }));
    const absl::Status finished = load_->Finish();
    ASSERT_TRUE(finished.ok()) << finished;
    replicas_->ExpectUndisturbed(0);
    load_.reset();
    replicas_.reset();
  }
}

}  // namespace
}  // namespace windproof
