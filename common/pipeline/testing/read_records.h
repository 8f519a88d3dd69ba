// Records of pipeline `weather` and what a RecordReader makes of them, for
// tests.
#ifndef WINDPROOF_COMMON_PIPELINE_TESTING_READ_RECORDS_H_
#define WINDPROOF_COMMON_PIPELINE_TESTING_READ_RECORDS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"

namespace windproof {

// 2026-02-01T00:00:00Z, after all records of these tests.
inline constexpr int64_t kLogTimeMs = 1'769'904'000'000;
inline constexpr absl::string_view kMinimal =
    R"({"station_id":"00433","timestamp":"2026-01-25T12:00:00Z"})";

const PipelineSpec& Weather();

// A record of station 00433 with that value.
LogRecord Record(absl::string_view value);
LogRecord ControlRecord(absl::string_view value);

// Kind of `record`; fails where Explain() sees it otherwise than Read().
RecordReader::Kind KindOf(const PipelineSpec& spec, const LogRecord& record);
RecordReader::Kind KindOf(const LogRecord& record);

// The canonical bytes of a record of 00433, or that it has none.
std::string Canonical(const PipelineSpec& spec, absl::string_view value);
std::string Canonical(absl::string_view value);

// kMinimal with one more member.
std::string With(absl::string_view member);

// kMinimal with another timestamp, given as JSON.
std::string At(absl::string_view timestamp);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_TESTING_READ_RECORDS_H_
