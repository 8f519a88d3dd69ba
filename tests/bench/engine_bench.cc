// The window engine from parsing to root and aggregates: 100-byte records, 60 a
// window, beside SHA-256 of the same bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "benchmark/benchmark.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"
#include "tests/bench/beside_sha256.h"

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

void BM_Engine(benchmark::State& state) {
  const std::vector<std::string> values = Values();
  PipelineSpec spec = *BuiltInSpec("weather");
  spec.window_ms = state.range(0) * kStepSeconds * 1000;
  spec.grace_ms = 0;
  NothingWritten written;
  std::optional<WindowEngine> engine;
  EngineOutput output;
  LogRecord record;
  record.log_time_ms = 4'102'444'800'000;
  record.key = "00433";
  int next = kRecords;
  const int batch = std::max(6000, static_cast<int>(state.range(0)));
  RunBesideSha256(state, values.front(), batch, [&] {
    if (next == kRecords) {
      engine.emplace(spec, "weather.00433", 0, written);
      engine->Begin(0);
      next = 0;
    }
    record.offset = next;
    record.value = values[static_cast<size_t>(next)];
    if (!engine->Feed(record, &output).ok()) std::abort();
    if (++next % 1000 == 0) {  // as a worker that commits
      benchmark::DoNotOptimize(engine->TakeTouchedKeys());
      benchmark::DoNotOptimize(engine->partition_state());
      output.Clear();
    }
  });
  state.counters["records_per_s"] = 1e9 / state.counters["ns"];
}
BENCHMARK(BM_Engine)
    ->ArgName("records_a_window")
    ->Arg(6)
    ->Arg(60)
    ->Arg(1000)
    ->Arg(kRecords)
    ->UseManualTime();

}  // namespace
}  // namespace windproof
