// Late records that wait for a written window, settled: what becomes of each,
// and what the window holds then.
//
// Source: docs/formats/ ("Classes and closing", step 1). Pure.
#ifndef WINDPROOF_COMMON_PIPELINE_AMENDMENT_H_
#define WINDPROOF_COMMON_PIPELINE_AMENDMENT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_records.h"

namespace windproof {

// A late record that waits.
struct LateRecord {
  int64_t offset = 0;
  Timestamp time;
  absl::string_view canonical;
};

struct Amendment {
  // Of each late record, in the order given; nothing: accepted after all.
  std::vector<std::optional<DropReason>> outcomes;
  // Whether some record was accepted; only then the rest is filled.
  bool changed = false;
  WindowRecords records;  // in leaf order, without leaf hashes
  std::vector<Checkpoint::Aggregate> aggregates;
};

// Settles the late records of one window of `key`, which are in order of
// offset, against the newest records of the window (nullptr: it was never
// written). `reader` reads canonical records of `spec`.
//
// DataLoss: a record that is stored is not canonical. ResourceExhausted: the
// window would exceed 4 GiB.
absl::StatusOr<Amendment> Amend(absl::string_view key,
                                const std::vector<LateRecord>& late,
                                const WindowRecords* newest,
                                const PipelineSpec& spec, RecordReader& reader);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_AMENDMENT_H_
