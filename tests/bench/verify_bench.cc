// The checks of VerifyWindow on windows of several sizes: completeness
// (leaf hashes, root, positions), canonical form, aggregates.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "common/canonical/timestamp.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signed_note.h"
#include "common/merkle/tree.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"
#include "services/verifier/completeness_check.h"
#include "services/verifier/records_check.h"
#include "services/verifier/signature_check.h"
#include "tests/bench/beside_sha256.h"

namespace windproof {
namespace {

constexpr int64_t kDayMs = 86'400'000;

// A window of `records` records of about 100 bytes, by the real engine.
class Window {
 public:
  explicit Window(int64_t records) : spec_(*BuiltInSpec("weather-hourly")) {
    EngineRun run(spec_, "weather.00433", 0, 0);
    const int64_t start_ms = 20'000 * kDayMs;
    for (int64_t i = 0; i <= records; ++i) {
      OwnedRecord record;
      record.offset = i;
      record.log_time_ms = start_ms + 10 * kDayMs;
      record.key = "00433";
      // The last one closes the window.
      const int64_t time = i < records ? start_ms + i * (kDayMs / records)
                                       : start_ms + 3 * kDayMs;
      record.value = absl::StrCat(
          "{\"humidity\":", 40 + i % 60, ",\"station_id\":\"00433\",",
          "\"temperature\":", i % 40, ".", 1 + i % 9, ",\"timestamp\":\"",
          FormatTimestamp(TimestampFromMillis(time)), "\"}");
      if (!run.Feed({record}).ok()) abort();
    }
    run.Commit();
    written_ = run.written().at(0);
    for (const WindowRecords::Entry& entry : written_.records.entries) {
      records_.push_back({entry.offset, written_.records.Canonical(entry),
                          BytesOf(entry.leaf_hash)});
    }
  }

  const PipelineSpec& spec() const { return spec_; }
  const WrittenWindow& written() const { return written_; }
  const std::vector<ServedRecord>& records() const { return records_; }

 private:
  const PipelineSpec& spec_;
  WrittenWindow written_;
  std::vector<ServedRecord> records_;
};

// Beside SHA-256 of all the records' bytes. records_per_s is of the best batch.
void VerifyRecords(benchmark::State& state) {
  const Window window(state.range(0));
  const Checkpoint& checkpoint = window.written().checkpoint;
  RecordsCheck checks(window.spec());
  bool passed = true;
  RunBesideSha256(state, window.written().records.bytes,
                  state.range(0) < 1000 ? 100 : 1, [&] {
                    passed &= CheckCompleteness(checkpoint, window.records(),
                                                &window.spec())
                                  .passed();
                    passed &=
                        checks.Canonical(checkpoint, window.records()).passed();
                    passed &= checks.Analytics(checkpoint).passed();
                  });
  if (!passed) state.SkipWithError("a check did not pass");
  state.counters["records_per_s"] =
      static_cast<double>(state.range(0)) / state.counters["ns"] * 1e9;
}
BENCHMARK(VerifyRecords)->Arg(6)->Arg(1000)->Arg(100'000)->UseManualTime();

// What every window costs besides: its producer's signature.
void VerifySignature(benchmark::State& state) {
  const Window window(6);
  const Ed25519PrivateKey key = *Ed25519PrivateKey::Generate();
  const std::vector<VerifierKey> producers = {
      MakeVerifierKey("producer", key.PublicKey())};
  const std::string& bytes = window.written().bytes;
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
