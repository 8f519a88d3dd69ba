#include "services/window_hash/log_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace windproof {

absl::StatusOr<int64_t> FirstOffsetToRead(const PipelineSource& source,
                                          const PartitionState& state,
                                          int64_t next_offset,
                                          const LogBounds& bounds) {
  const std::string where =
      absl::StrCat("pipeline ", source.pipeline, ", ", source.source.topic, "/",
                   source.source.partition);
  if (bounds.begin > state.low_water) {
    return absl::DataLossError(absl::StrCat(
        where, ": the log begins at offset ", bounds.begin,
        "; records from offset ", state.low_water,
        " on are needed to go on (expired, or the topic was made anew)"));
  }
  if (bounds.end < state.position) {
    return absl::DataLossError(
        absl::StrCat(where, ": the log ends at offset ", bounds.end,
                     ", but was already read up to offset ", state.position,
                     " (truncated, or the topic was made anew)"));
  }
  return std::max(next_offset, bounds.begin);
}

}  // namespace windproof
