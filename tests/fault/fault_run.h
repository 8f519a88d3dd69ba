// What every fault test asks of the run it is in.
#ifndef WINDPROOF_TESTS_FAULT_FAULT_RUN_H_
#define WINDPROOF_TESTS_FAULT_FAULT_RUN_H_

#include <chrono>
#include <cstdint>
#include <functional>

namespace windproof {

// The counts of the long run, instead of those that a change has time for.
bool LongRun();

// Given as WINDPROOF_FAULT_SEED, or another in each run; printed.
uint64_t FaultSeed();

// Asks until it holds; false when it has not for a long while.
bool Eventually(const std::function<bool()>& condition,
                std::chrono::seconds patience = std::chrono::seconds(120));

}  // namespace windproof

#endif  // WINDPROOF_TESTS_FAULT_FAULT_RUN_H_
