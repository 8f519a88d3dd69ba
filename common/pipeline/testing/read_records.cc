#include "common/pipeline/testing/read_records.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {

LogRecord Record(absl::string_view value) {
  LogRecord record;
  record.log_time_ms = kLogTimeMs;
  record.key = "00433";
  record.value = value;
  return record;
}

LogRecord ControlRecord(absl::string_view value) {
  LogRecord record = Record(value);
  record.headers = {{kControlHeader, kControlWatermark}};
  return record;
}

const PipelineSpec& Weather() { return *BuiltInSpec("weather"); }

RecordReader::Kind KindOf(const PipelineSpec& spec, const LogRecord& record) {
  RecordReader reader(spec);
  using Kind = RecordReader::Kind;
  const Kind kind = reader.Read(record).kind;
  const std::optional<RecordProblem> problem = reader.Explain(record);
  EXPECT_EQ(problem.has_value(),
            kind == Kind::kOther || kind == Kind::kInvalid);
  if (problem.has_value()) {
    EXPECT_NE(problem->field, "");
    EXPECT_NE(problem->found, "");
    EXPECT_NE(problem->accepted, "");
  }
  return kind;
}

RecordReader::Kind KindOf(const LogRecord& record) {
  return KindOf(Weather(), record);
}

std::string Canonical(const PipelineSpec& spec, absl::string_view value) {
  RecordReader reader(spec);
  const RecordReader::Result& result = reader.Read(Record(value));
  if (result.kind != RecordReader::Kind::kCanonical) return "not canonical";
  EXPECT_EQ(result.key, "00433");
  return std::string(result.canonical);
}

std::string Canonical(absl::string_view value) {
  return Canonical(Weather(), value);
}

std::string With(absl::string_view member) {
  return absl::StrCat(kMinimal.substr(0, kMinimal.size() - 1), ",", member,
                      "}");
}

std::string At(absl::string_view timestamp) {
  return absl::StrCat(R"({"station_id":"00433","timestamp":)", timestamp, "}");
}

}  // namespace windproof
