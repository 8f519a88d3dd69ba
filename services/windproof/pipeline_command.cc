#include "services/windproof/pipeline_command.h"

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "common/spec_file/spec_file.h"
#include "services/ingest/json_lines.h"
#include "services/windproof/json_text.h"

namespace windproof {
namespace {

struct Flags {
  std::string spec;
  std::string records;
  std::string output = "table";
};

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "windproof pipeline check: %s\n",
               std::string(status.message()).c_str());
  return kExitUsage;
}

void PrintSpec(const PipelineSpec& spec, bool json) {
  const std::string hash = HexOf(SpecHash(spec));
  if (json) {
    std::printf("{\"spec\":%s,\"sha256\":\"%s\"}\n",
                CanonicalSpec(spec).c_str(), hash.c_str());
    return;
  }
  std::printf("pipeline %s, spec %s\n%s\n", spec.name.c_str(), hash.c_str(),
              CanonicalSpec(spec).c_str());
}

void PrintGood(int64_t line, const RecordReader::Result& read,
               const PipelineSpec& spec, bool json) {
  const std::string start =
      FormatTimestamp(TimestampFromMillis(read.window_start_ms));
  const std::string canonical(read.canonical);
  if (json) {
    std::printf(
        "{\"line\":%lld,\"canonical\":%s,\"window\":{\"pipeline\":%s,"
        "\"key\":%s,\"start\":\"%s\"}}\n",
        static_cast<long long>(line), canonical.c_str(),
        JsonText(spec.name).c_str(), JsonText(read.key).c_str(), start.c_str());
    return;
  }
  std::printf("%lld: %s/%s/%s\n   %s\n", static_cast<long long>(line),
              spec.name.c_str(), std::string(read.key).c_str(), start.c_str(),
              canonical.c_str());
}

void PrintBad(int64_t line, const RecordProblem& problem, bool json) {
  if (json) {
    std::printf(
        "{\"line\":%lld,\"invalid\":{\"field\":%s,\"found\":%s,"
        "\"accepted\":%s}}\n",
        static_cast<long long>(line), JsonText(problem.field).c_str(),
        JsonText(problem.found).c_str(), JsonText(problem.accepted).c_str());
    return;
  }
  std::printf("%lld: invalid: %s is %s; accepted: %s\n",
              static_cast<long long>(line), problem.field.c_str(),
              problem.found.c_str(), problem.accepted.c_str());
}

int CheckRecords(const PipelineSpec& spec, const Flags& flags) {
  const bool json = flags.output == "json";
  const auto lines = JsonLinesReader::Open(flags.records);
  if (!lines.ok()) return Fail(lines.status());
  RecordReader reader(spec);
  int64_t good = 0;
  int64_t bad = 0;
  while (true) {
    const absl::StatusOr<std::optional<JsonLine>> next = (*lines)->Next();
    if (!next.ok()) {
      std::fprintf(stderr, "%s\n",
                   std::string(next.status().message()).c_str());
      if (!absl::IsInvalidArgument(next.status())) return kExitUnavailable;
      ++bad;
      continue;
    }
    if (!next->has_value()) break;
    const JsonLine& line = **next;
    LogRecord record;
    // When it will be sent is not known here: no time is too far ahead.
    record.log_time_ms = std::numeric_limits<int64_t>::max();
    record.value = line.text;
    if (const auto problem = reader.Explain(record); problem.has_value()) {
      PrintBad(line.number, *problem, json);
      ++bad;
    } else {
      PrintGood(line.number, reader.Read(record), spec, json);
      ++good;
    }
  }
  if (!json) {
    std::printf("%lld good, %lld invalid\n", static_cast<long long>(good),
                static_cast<long long>(bad));
  }
  return bad == 0 ? kExitGood : kExitFound;
}

int Run(const Flags& flags) {
  const absl::StatusOr<PipelineSpec> spec = LoadSpec(flags.spec);
  if (!spec.ok()) return Fail(spec.status());
  PrintSpec(*spec, flags.output == "json");
  return flags.records.empty() ? kExitGood : CheckRecords(*spec, flags);
}

}  // namespace

void RegisterPipeline(Command& root) {
  Command& pipeline = root.AddCommand("pipeline", "Pipeline specs");
  Command& check = pipeline.AddCommand(
      "check", "Check a spec, and say what it makes of records");
  const auto flags = std::make_shared<Flags>();
  check.Argument("SPEC", &flags->spec, "A spec file, or a built-in name.");
  check.Argument("RECORDS", &flags->records,
                 "JSON Lines, a record a line; - for standard input.",
                 /*required=*/false);
  check.Choice("output", &flags->output, {"table", "json"},
               "Text, or a JSON object a line.");
  check.Example("windproof pipeline check sensors.json records.jsonl");
  check.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
