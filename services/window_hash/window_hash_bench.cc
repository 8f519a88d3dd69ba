// What window-hash adds to the engine: from a batch of records to windows on
// the disk, from the outbox to receipts, and lists with their records.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/spec.h"
#include "services/window_hash/outbox.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

constexpr int kRecordsPerWindow = 60;
constexpr int kWindows = 2000;

// One record a minute of one station, a window an hour.
const std::vector<OwnedRecord>& Log() {
  static const auto* log = [] {
    auto* records = new std::vector<OwnedRecord>;
    for (int64_t i = 0; i < int64_t{kWindows} * kRecordsPerWindow; ++i) {
      OwnedRecord& record = records->emplace_back();
      record.offset = i;
      record.log_time_ms = 1'767'225'600'000 + i * 60'000;
      record.key = "00433";
      record.value =
          absl::StrCat(R"({"station_id":"00433","timestamp":")",
                       FormatTimestamp(TimestampFromMillis(record.log_time_ms)),
                       R"(","temperature":)", i % 40,
                       ".25,\"humidity\":", i % 100, R"(,"pressure":1013.5})");
    }
    return records;
  }();
  return *log;
}

std::string NextPipeline() {
  static int count = 0;
  return absl::StrCat("bench-", ++count);
}

class AnchorNothing final : public CheckpointSink {
 public:
  absl::StatusOr<std::vector<v1::Receipt>> Submit(
      absl::Span<const v1::SignedCheckpoint* const> checkpoints) override {
    std::vector<v1::Receipt> receipts;
    for (const v1::SignedCheckpoint* checkpoint : checkpoints) {
      v1::Receipt& receipt = receipts.emplace_back();
      receipt.set_checkpoint_sha256(
          std::string(BytesOf(Sha256Of(checkpoint->checkpoint()))));
      receipt.set_state(v1::Receipt::ANCHORED);
    }
    return receipts;
  }
  void Cancel() override {}
};

void BM_EngineAlone(benchmark::State& state) {
  const PipelineSpec& spec = *BuiltInSpec("weather");
  struct NoWindows final : WrittenWindows {
    absl::StatusOr<std::optional<NewestRevision>> Newest(absl::string_view,
                                                         int64_t) override {
      return std::nullopt;
    }
  };
  for (auto _ : state) {
    NoWindows windows;
    WindowEngine engine(spec, "bench", 0, windows);
    engine.Begin(0);
    EngineOutput output;
    for (const OwnedRecord& record : Log()) {
      if (!engine.Feed(record.View(), &output).ok()) std::abort();
      if (record.offset % 2048 == 2047) output.Clear();
    }
  }
  state.SetItemsProcessed(state.iterations() * Log().size());
}
BENCHMARK(BM_EngineAlone)->Unit(benchmark::kMillisecond);

void BM_WorkerToDisk(benchmark::State& state) {
  const PipelineSpec& spec = *BuiltInSpec("weather");
  TestStore store;
  for (auto _ : state) {
    WorkerRun run(spec, {NextPipeline(), {"bench", 0}}, 0, Log(), {}, store);
    if (!run.OpenWorker().ok()) std::abort();
    size_t next = 0;
    while (next < Log().size()) {
      RecordBatch batch;
      const size_t end = std::min(Log().size(), next + 2048);
      for (; next < end; ++next) batch.records.push_back(Log()[next].View());
      batch.next_offset = static_cast<int64_t>(end);
      if (!run.worker().Process(batch).ok()) std::abort();
    }
  }
  state.SetItemsProcessed(state.iterations() * Log().size());
}
BENCHMARK(BM_WorkerToDisk)->Unit(benchmark::kMillisecond);

// Items are checkpoints of 60 records each.
void BM_OutboxDrain(benchmark::State& state) {
  const PipelineSpec& spec = *BuiltInSpec("weather");
  TestStore store;
  int64_t drained = 0;
  for (auto _ : state) {
    state.PauseTiming();
    WorkerRun run(spec, {NextPipeline(), {"bench", 0}}, 0, Log(), {}, store);
    if (!run.OpenWorker().ok() ||
        !run.worker()
             .Process(BatchOf({"bench", 0}, Log(), 0,
                              static_cast<int64_t>(Log().size())))
             .ok()) {
      std::abort();
    }
    AnchorNothing anchor;
    Outbox outbox({}, *store.store, anchor);
    state.ResumeTiming();
    if (!outbox.Load().ok()) std::abort();
    outbox.Start();
    outbox.Stop(std::chrono::steady_clock::now() + std::chrono::minutes(1));
    drained += outbox.counters().anchored;
  }
  state.SetItemsProcessed(drained);
}
BENCHMARK(BM_OutboxDrain)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace windproof
