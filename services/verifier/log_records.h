// Reads a window anew from the record log.
#ifndef WINDPROOF_SERVICES_VERIFIER_LOG_RECORDS_H_
#define WINDPROOF_SERVICES_VERIFIER_LOG_RECORDS_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_records.h"
#include "common/record_log/record_log.h"

namespace windproof {

// The records of the window that `anchored` speaks of, as the log gives them.
// `cancelled` is asked now and then.
//
// OutOfRange: the log no longer holds what is needed, or not yet. Cancelled.
// Otherwise what the log answers.
absl::StatusOr<WindowRecords> ReadWindowFromLog(
    RecordLog& log, const PipelineSpec& spec, const Checkpoint& anchored,
    int64_t origin, const std::function<bool()>& cancelled);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_LOG_RECORDS_H_
