// Late records that wait for a writing moment, settled: docs/formats/ ("Classes
// and closing", step 1).
//
// Pure but for WrittenWindows.
#ifndef WINDPROOF_COMMON_PIPELINE_LATE_RECORDS_H_
#define WINDPROOF_COMMON_PIPELINE_LATE_RECORDS_H_

#include <vector>

#include "absl/status/status.h"
#include "common/pipeline/engine_output.h"
#include "common/pipeline/key_stream.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_writer.h"

namespace windproof {

// Settles what waits in `key`: each becomes accepted after all, or a duplicate
// or a conflict, which goes to `output` and into the key's counts and drops;
// the next revisions of the windows that changed go to `writings`, in order of
// start. `reader` reads canonical records of `spec`.
//
// DataLoss: what is stored does not fit together. Any error of `written`, and
// ResourceExhausted as of Amend().
absl::Status SettleLateRecords(const PipelineSpec& spec,
                               WrittenWindows& written, RecordReader& reader,
                               KeyStream* key, std::vector<Writing>* writings,
                               EngineOutput* output);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_LATE_RECORDS_H_
