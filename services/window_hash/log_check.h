// Whether the record log can still be the one that a partition was read from.
//
// Source: docs/formats/ ("State and restart"). What only shows when records are
// read again (another record at the last offset, too few open records) is the
// engine's to find.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_LOG_CHECK_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_LOG_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/window_engine.h"
#include "common/record_log/record_log.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

// Where to read on: `next_offset` of the restored engine, or the log's first
// offset where the last record is no longer kept.
//
// DataLoss: the log starts above the low-water mark or ends below the position;
// the message has what was expected and found.
absl::StatusOr<int64_t> FirstOffsetToRead(const PipelineSource& source,
                                          const PartitionState& state,
                                          int64_t next_offset,
                                          const LogBounds& bounds);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_LOG_CHECK_H_
