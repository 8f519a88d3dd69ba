// kill -9 of a server that follows stations, at random moments: rows may come
// twice, none is lost, and the windows are the same.

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/ingest/live/live_product.h"
#include "services/ingest/live/testing/dwd_files.h"
#include "services/ingest/live/testing/dwd_server.h"
#include "tests/e2e/client.h"
#include "tests/e2e/process.h"
#include "tests/live/live_run.h"

namespace windproof {
namespace {

constexpr int64_t kMinutes = 60 * 24 * 60;  // 60 days: 8,640 rows
constexpr char kStation[] = "00433";

uint64_t Seed() {
  uint64_t seed = 0;
  const char* const given = std::getenv("WINDPROOF_FAULT_SEED");
  if (given != nullptr && absl::SimpleAtoi(given, &seed)) return seed;
  return std::random_device()();
}

TEST(LiveKillTest, NothingIsLostAndWindowsAreTheSame) {
  const bool is_long = std::getenv("WINDPROOF_LONG") != nullptr;
  const uint64_t seed = Seed();
  std::cout << "WINDPROOF_FAULT_SEED=" << seed << std::endl;
  std::mt19937_64 random(seed);

  DwdServer dwd;
  const std::string url = UrlOf(dwd, kStation, LiveFileKind::kRecent);
  const std::string zip = TenMinuteZip("433", TestRows(-kMinutes, 0));
  std::vector<std::string> expected;
  {
    Publish(dwd, url, zip);
    const auto server = Serve(FreshPath("calm"), Following(dwd, kStation));
    ASSERT_TRUE(server->WaitReady()) << server->err();
    ASSERT_TRUE(dwd.WaitTaken(url)) << server->err();
    Client client(server->grpc());
    // The last window stays open.
    constexpr int kWindows = kMinutes / 60 - 1;
    ASSERT_EQ(client.WaitAnchored(kWindows).size(),
              static_cast<size_t>(kWindows));
    for (const std::string& checkpoint : Checkpoints(server->grpc())) {
      expected.push_back(ContentOf(checkpoint));
    }
    EXPECT_EQ(server->Stop(), 0);
  }

  const std::string data_dir = FreshPath("killed");
  for (int kill = 0; kill < (is_long ? 60 : 6); ++kill) {
    const auto server = Serve(data_dir, Following(dwd, kStation));
    ASSERT_TRUE(server->WaitReady()) << server->err();
    // A random part of the time that it takes to send: nothing waits for it.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    server->Signal(SIGKILL);
    EXPECT_EQ(server->Wait(), 128 + SIGKILL) << server->err();
  }
  const auto server = Serve(data_dir, Following(dwd, kStation));
  ASSERT_TRUE(server->WaitReady()) << server->err();
  ASSERT_TRUE(dwd.WaitTaken(url)) << server->err();
  Client client(server->grpc());
  ASSERT_EQ(client.WaitAnchored(static_cast<int>(expected.size())).size(),
            expected.size());
  const std::vector<std::string> checkpoints = Checkpoints(server->grpc());
  ASSERT_EQ(checkpoints.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(ContentOf(checkpoints[i]), expected[i]);
  }
  EXPECT_EQ(server->Stop(), 0) << server->err();
}

}  // namespace
}  // namespace windproof
