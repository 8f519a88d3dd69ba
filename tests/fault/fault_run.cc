#include "tests/fault/fault_run.h"

#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>

#include "absl/strings/numbers.h"

namespace windproof {
namespace {

constexpr std::chrono::milliseconds kPollInterval{50};

}  // namespace

bool LongRun() { return std::getenv("WINDPROOF_LONG") != nullptr; }

uint64_t FaultSeed() {
  uint64_t seed = 0;
  const char* const given = std::getenv("WINDPROOF_FAULT_SEED");
  if (given == nullptr || !absl::SimpleAtoi(given, &seed)) {
    seed = std::random_device()();
  }
  std::cout << "WINDPROOF_FAULT_SEED=" << seed << std::endl;
  return seed;
}

bool Eventually(const std::function<bool()>& condition,
                std::chrono::seconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    // Leaves the processors to others; nothing depends on how long.
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

}  // namespace windproof
