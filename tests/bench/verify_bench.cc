// Verification of windows of several sizes: the checks alone, VerifyWindow
// through gRPC, and many small windows by VerifyRange.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signed_note.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"
#include "common/pipeline/window_engine.h"
#include "services/verifier/completeness_check.h"
#include "services/verifier/records_check.h"
#include "services/verifier/signature_check.h"
#include "services/verifier/testing/world.h"
#include "tests/bench/beside_sha256.h"

namespace windproof {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kStartMs = 20'000 * kDayMs;
constexpr char kKey[] = "00433";

// A key's log of daily windows with so many records each, of about 100 bytes,
// and a record that closes the last one.
std::vector<OwnedRecord> Log(int64_t windows, int64_t records) {
  std::vector<OwnedRecord> log;
  log.reserve(static_cast<size_t>(windows * records) + 1);
  for (int64_t i = 0; i <= windows * records; ++i) {
    const int64_t time =
        i < windows * records
            ? kStartMs + i / records * kDayMs + i % records * kDayMs / records
            : kStartMs + (windows + 2) * kDayMs;
    OwnedRecord& record = log.emplace_back();
    record.offset = i;
    record.log_time_ms = kStartMs + (windows + 10) * kDayMs;
    record.key = kKey;
    record.value = absl::StrCat(
        "{\"humidity\":", 40 + i % 60, ",\"station_id\":\"", kKey,
        "\",\"temperature\":", i % 40, ".", 1 + i % 9, ",\"timestamp\":\"",
        FormatTimestamp(TimestampFromMillis(time)), "\"}");
  }
  return log;
}

// The world with that log: made once, as benchmarks are called several times.
World& WorldOf(int64_t windows, int64_t records) {
  static auto& worlds =
      *new std::map<std::pair<int64_t, int64_t>, std::unique_ptr<World>>;
  std::unique_ptr<World>& world = worlds[{windows, records}];
  if (world == nullptr) {
    world =
        std::make_unique<World>(*BuiltInSpec("weather-hourly"), "weather.00433",
                                0, 0, Log(windows, records));
    world->page_size = 1000;
    // As window-hash, which puts no large payload into a list.
    world->payload_in_lists = records <= 1000;
    world->chunk_size = 1000;
  }
  return *world;
}

void CountRecords(int64_t records, benchmark::State& state) {
  state.counters["records_per_s"] =
      static_cast<double>(records) / state.counters["ns"] * 1e9;
}

// The checks of the records alone: COMPLETENESS, CANONICAL, ANALYTICS. Beside
// SHA-256 of all the records' bytes.
void CheckRecords(benchmark::State& state) {
  const World& world = WorldOf(1, state.range(0));
  const WrittenWindow& window = world.written.front();
  std::vector<ServedRecord> records;
  for (const WindowRecords::Entry& entry : window.records.entries) {
    records.push_back({entry.offset, window.records.Canonical(entry),
                       BytesOf(entry.leaf_hash)});
  }
  RecordsCheck checks(world.spec());
  bool passed = true;
  RunBesideSha256(
      state, window.records.bytes, state.range(0) < 1000 ? 100 : 1, [&] {
        CompletenessSums sums;
        checks.Begin(window.checkpoint);
        sums.Add(records);
        checks.Add(records);
        passed &= sums.Match(window.checkpoint) &&
                  checks.Canonical().passed() && checks.Analytics().passed();
      });
  if (!passed) state.SkipWithError("a check did not pass");
  CountRecords(state.range(0), state);
}
BENCHMARK(CheckRecords)->Arg(6)->Arg(1000)->Arg(100'000)->UseManualTime();

// VerifyWindow of a window in the middle of a chain, as a client sees it, with
// what ledger and window-hash do for it to send what they have: time of all
// threads.
void VerifyWindow(benchmark::State& state) {
  World& world = WorldOf(3, state.range(0));
  bool verified = true;
  RunBesideSha256<ProcessTime>(
      state, world.written.front().records.bytes,
      state.range(0) < 1000 ? 10 : 1, [&] {
        const absl::StatusOr<v1::VerifyWindowResponse> response =
            world.Verify(kKey, kStartMs + kDayMs);
        verified &= response.ok() &&
                    response->verdict() == v1::VerifyWindowResponse::VERIFIED;
      });
  if (!verified) state.SkipWithError("the window is not VERIFIED");
  CountRecords(state.range(0), state);
}
BENCHMARK(VerifyWindow)->Arg(6)->Arg(1000)->Arg(100'000)->UseManualTime();

// All windows of a key, six records each: `window_ns` is for one of them.
void VerifyRange(benchmark::State& state) {
  const int64_t windows = state.range(0);
  World& world = WorldOf(windows, 6);
  std::string bytes;
  for (const WrittenWindow& window : world.written) {
    bytes += window.records.bytes;
  }
  v1::VerifyRangeRequest request;
  request.set_pipeline("weather-hourly");
  size_t verified = 0;
  size_t asked = 0;
  RunBesideSha256<ProcessTime>(state, bytes, 1, [&] {
    const absl::StatusOr<World::RangeResult> result =
        world.VerifyRange(request);
    asked += static_cast<size_t>(windows);
    if (!result.ok()) return;
    for (const v1::VerifyWindowResponse& window : result->windows) {
      verified += window.verdict() == v1::VerifyWindowResponse::VERIFIED;
    }
  });
  if (verified != asked) state.SkipWithError("a window is not VERIFIED");
  state.counters["window_ns"] =
      state.counters["ns"] / static_cast<double>(windows);
}
BENCHMARK(VerifyRange)->Arg(1000)->UseManualTime();

// What every window costs besides: its producer's signature.
void VerifySignature(benchmark::State& state) {
  const World& world = WorldOf(1, 6);
  const Ed25519PrivateKey key = *Ed25519PrivateKey::Generate();
  const std::vector<VerifierKey> producers = {
      MakeVerifierKey("producer", key.PublicKey())};
  const std::string& bytes = world.written.front().bytes;
  const std::string signature = key.Sign(bytes);
  bool passed = true;
  RunBesideSha256(state, bytes, 100, [&] {
    passed &= CheckSignature(bytes, signature, "producer", producers).passed();
  });
  if (!passed) state.SkipWithError("the signature did not pass");
}
BENCHMARK(VerifySignature)->UseManualTime();

}  // namespace
}  // namespace windproof
