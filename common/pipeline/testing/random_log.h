// Random logs of all record kinds, for properties: the same seed, the same log.
#ifndef WINDPROOF_COMMON_PIPELINE_TESTING_RANDOM_LOG_H_
#define WINDPROOF_COMMON_PIPELINE_TESTING_RANDOM_LOG_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"

namespace windproof {

// A valid spec of any window size, grace and late policy.
PipelineSpec RandomSpec(uint64_t seed);

// Disorder, duplicates, conflicts, late, invalid and control records, gaps,
// several keys and records of nobody, beginning at `origin`.
std::vector<OwnedRecord> RandomLog(uint64_t seed, const PipelineSpec& spec,
                                   size_t records, int64_t origin);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_TESTING_RANDOM_LOG_H_
