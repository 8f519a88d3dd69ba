// RecordReader beside SHA-256 of the same bytes.
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "tests/bench/beside_sha256.h"

namespace windproof {
namespace {

constexpr int kBatch = 1000;

// Records of one station, each with other numbers.
std::vector<std::string> Values() {
  std::vector<std::string> values;
  for (int i = 0; i < kBatch; ++i) {
    values.push_back(absl::StrFormat(
        R"({"station_id": "00433", "timestamp": "2026-01-25T%02d:%02d:00Z", "humidity": %d, "temperature": %.1f, "pressure": %.1f, "dew_point": %.2f})",
        i / 60 % 24, i % 60, 30 + i % 70, (i * 7 % 400) / 10.0 - 10,
        980 + (i % 400) / 10.0, i / 100.0 - 5));
  }
  return values;
}

LogRecord Record(absl::string_view value) {
  LogRecord record;
  record.log_time_ms = 1'769'904'000'000;
  record.key = "00433";
  record.value = value;
  return record;
}

void BM_Read(benchmark::State& state) {
  const std::vector<std::string> values = Values();
  RecordReader reader(*BuiltInSpec("weather"));
  LogRecord record = Record("");
  size_t next = 0;
  RunBesideSha256(state, values[0], kBatch, [&] {
    record.value = values[next];
    next = next + 1 == values.size() ? 0 : next + 1;
    benchmark::DoNotOptimize(reader.Read(record).canonical.data());
  });
}
BENCHMARK(BM_Read)->UseManualTime();

void BM_ReadCanonical(benchmark::State& state) {
  RecordReader reader(*BuiltInSpec("weather"));
  std::vector<std::string> canonicals;
  for (const std::string& value : Values()) {
    canonicals.emplace_back(reader.Read(Record(value)).canonical);
  }
  RecordReader::Result result;
  size_t next = 0;
  RunBesideSha256(state, canonicals[0], kBatch, [&] {
    benchmark::DoNotOptimize(
        reader.ReadCanonical("00433", canonicals[next], &result));
    next = next + 1 == canonicals.size() ? 0 : next + 1;
  });
}
BENCHMARK(BM_ReadCanonical)->UseManualTime();

}  // namespace
}  // namespace windproof
