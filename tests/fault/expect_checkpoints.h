// What every fault test ends with.
#ifndef WINDPROOF_TESTS_FAULT_EXPECT_CHECKPOINTS_H_
#define WINDPROOF_TESTS_FAULT_EXPECT_CHECKPOINTS_H_

#include <vector>

#include "tests/fault/log_truth.h"

namespace windproof {

// Ledger and windows have the checkpoints of `expected`: the same bytes, each
// key's in the same order, none missing, none twice; and nothing else.
void ExpectCheckpoints(const CheckpointsByKey& expected,
                       const CheckpointsByKey& ledger,
                       const std::vector<CheckpointRow>& windows);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_FAULT_EXPECT_CHECKPOINTS_H_
