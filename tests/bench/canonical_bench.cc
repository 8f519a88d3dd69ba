// What it costs to parse and to canonicalise, beside SHA-256 of the same bytes.
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "common/canonical/decimal.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/json_value.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "tests/bench/beside_sha256.h"

namespace windproof {
namespace {

constexpr absl::string_view kRecord =
    R"({"station_id": "00433", "timestamp": "2026-01-25T12:00:00Z", )"
    R"("humidity": 81, "temperature": 3.1, "pressure": 1012.3, )"
    R"("dew_point": -1.25})";
constexpr int kBatch = 1000;

struct Ignore {
  void OnNull() {}
  void OnBool(bool) {}
  void OnNumber(absl::string_view) {}
  void OnString(const JsonString&) {}
  void OnObjectStart() {}
  void OnName(const JsonString&) {}
  void OnObjectEnd() {}
  void OnArrayStart() {}
  void OnArrayEnd() {}
};

void BM_ParseRecord(benchmark::State& state) {
  JsonParser parser;
  Ignore ignore;
  RunBesideSha256(state, kRecord, kBatch, [&] {
    if (!parser.Parse(kRecord, ignore).ok()) std::abort();
  });
}
BENCHMARK(BM_ParseRecord)->UseManualTime();

// Parses and writes the members' canonical forms, in document order: what a
// record costs without the order of members, which a pipeline knows beforehand.
void BM_ParseAndFormatRecord(benchmark::State& state) {
  struct Formatter : Ignore {
    void OnNumber(absl::string_view text) {
      AppendCanonicalNumberText(text, &canonical);
      canonical.push_back(',');
    }
    void OnString(const JsonString& value) {
      AppendCanonicalString(value, &canonical);
      canonical.push_back(',');
    }
    void OnName(const JsonString& name) {
      AppendCanonicalString(name, &canonical);
      canonical.push_back(':');
    }
    std::string canonical;
  };
  JsonParser parser;
  Formatter formatter;
  RunBesideSha256(state, kRecord, kBatch, [&] {
    formatter.canonical.clear();
    if (!parser.Parse(kRecord, formatter).ok()) std::abort();
    benchmark::DoNotOptimize(formatter.canonical.data());
  });
}
BENCHMARK(BM_ParseAndFormatRecord)->UseManualTime();

// By way of a tree, as checkpoints and specs go.
void BM_CanonicalizeJson(benchmark::State& state) {
  RunBesideSha256(state, kRecord, kBatch, [&] {
    benchmark::DoNotOptimize(CanonicalizeJson(kRecord).value().data());
  });
}
BENCHMARK(BM_CanonicalizeJson)->UseManualTime();

void BM_NumberText(benchmark::State& state, absl::string_view text) {
  std::string canonical;
  RunBesideSha256(state, text, kBatch, [&] {
    canonical.clear();
    benchmark::DoNotOptimize(text);
    AppendCanonicalNumberText(text, &canonical);
    benchmark::DoNotOptimize(canonical.data());
  });
}
BENCHMARK_CAPTURE(BM_NumberText, Short, "1012.30")->UseManualTime();
BENCHMARK_CAPTURE(BM_NumberText, SeventeenDigits, "1012.3000000000001")
    ->UseManualTime();

void BM_NumberFromDouble(benchmark::State& state) {
  std::string canonical;
  double value = 1012.3;
  RunBesideSha256(state, "1012.3", kBatch, [&] {
    canonical.clear();
    benchmark::DoNotOptimize(value);
    AppendCanonicalNumber(value, &canonical);
    benchmark::DoNotOptimize(canonical.data());
  });
}
BENCHMARK(BM_NumberFromDouble)->UseManualTime();

void BM_Nanounits(benchmark::State& state) {
  absl::string_view text = "1012.3";
  RunBesideSha256(state, text, kBatch, [&] {
    benchmark::DoNotOptimize(text);
    benchmark::DoNotOptimize(NanounitsFromCanonicalNumber(text));
  });
}
BENCHMARK(BM_Nanounits)->UseManualTime();

void BM_ParseTimestamp(benchmark::State& state) {
  absl::string_view text = "2026-01-25T12:00:00Z";
  RunBesideSha256(state, text, kBatch, [&] {
    benchmark::DoNotOptimize(text);
    benchmark::DoNotOptimize(ParseTimestamp(text));
  });
}
BENCHMARK(BM_ParseTimestamp)->UseManualTime();

void BM_FormatTimestamp(benchmark::State& state) {
  Timestamp time = ParseTimestamp("2026-01-25T12:00:00Z").value();
  std::string text;
  RunBesideSha256(state, "2026-01-25T12:00:00Z", kBatch, [&] {
    text.clear();
    benchmark::DoNotOptimize(time);
    AppendTimestamp(time, &text);
    benchmark::DoNotOptimize(text.data());
  });
}
BENCHMARK(BM_FormatTimestamp)->UseManualTime();

}  // namespace
}  // namespace windproof
