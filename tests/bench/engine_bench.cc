// The window engine from parsing to root and aggregates: 100-byte records, 60 a
// window, beside SHA-256 of the same bytes.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmark/benchmark.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"

namespace windproof {
namespace {

constexpr int kRecords = 60'000;
constexpr int kStepSeconds = 60;
constexpr int64_t kStart = 1'769'342'400;  // 2026-01-25T12:00:00Z

std::vector<std::string> Values() {
  std::vector<std::string> values;
  for (int i = 0; i < kRecords; ++i) {
    values.push_back(absl::StrFormat(
        R"({"station_id":"00433","timestamp":"%s","temperature":%.1f,"humidity":%d,"pressure":%.1f})",
        FormatTimestamp({kStart + int64_t{kStepSeconds} * i, 0}),
        (i * 7 % 400) / 10.0 - 10, 30 + i % 70, 980 + (i % 400) / 10.0));
  }
  return values;
}

class NothingWritten : public WrittenWindows {
 public:
  absl::StatusOr<std::optional<NewestRevision>> Newest(absl::string_view,
                                                       int64_t) override {
    return std::nullopt;
  }
};

void RunSha256(benchmark::State& state) {
  const std::vector<std::string> values = Values();
  for (auto _ : state) {
    for (const std::string& value : values) {
      benchmark::DoNotOptimize(Sha256Of(value));
    }
  }
  state.SetItemsProcessed(state.iterations() * kRecords);
}

void RunEngine(benchmark::State& state, int64_t window_ms) {
  const std::vector<std::string> values = Values();
  PipelineSpec spec = *BuiltInSpec("weather");
  spec.window_ms = window_ms;
  spec.grace_ms = 0;
  for (auto _ : state) {
    NothingWritten written;
    WindowEngine engine(spec, "weather.00433", 0, written);
    engine.Begin(0);
    EngineOutput output;
    LogRecord record;
    record.log_time_ms = 4'102'444'800'000;
    record.key = "00433";
    for (int i = 0; i < kRecords; ++i) {
      record.offset = i;
      record.value = values[static_cast<size_t>(i)];
      if (!engine.Feed(record, &output).ok()) std::abort();
      if (i % 1000 == 999) {  // as a worker that commits
        benchmark::DoNotOptimize(engine.TakeTouchedKeys());
        benchmark::DoNotOptimize(engine.partition_state());
        output.Clear();
      }
    }
  }
  state.SetItemsProcessed(state.iterations() * kRecords);
}

const int registered = [] {
  benchmark::RegisterBenchmark("engine/baseline: SHA-256 of the same bytes",
                               RunSha256);
  for (const int records : {6, 60, 1000, 60'000}) {
    benchmark::RegisterBenchmark(
        absl::StrCat("engine/", records, " records a window").c_str(),
        RunEngine, int64_t{records} * kStepSeconds * 1000);
  }
  return 0;
}();

}  // namespace
}  // namespace windproof
