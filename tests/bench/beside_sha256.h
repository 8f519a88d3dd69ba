// Times work beside SHA-256 of the same bytes in the same run, so that a number
// from a slow or busy machine still says something.
#ifndef WINDPROOF_TESTS_BENCH_BESIDE_SHA256_H_
#define WINDPROOF_TESTS_BENCH_BESIDE_SHA256_H_

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "common/crypto/sha256.h"

namespace windproof {

// Runs `work` in batches of `batch` calls, and after each batch as many SHA-256
// of `bytes`. Reports the best batch of both, which other load disturbs least:
// `ns` and `sha256_ns` for one call, and `x_sha256`, their ratio.
//
// The benchmark must be registered with UseManualTime().
template <typename Work>
void RunBesideSha256(benchmark::State& state, absl::string_view bytes,
                     int batch, Work work) {
  using Clock = std::chrono::steady_clock;
  using Nanoseconds = std::chrono::duration<double, std::nano>;
  double best = std::numeric_limits<double>::infinity();
  double best_sha256 = best;
  for (auto _ : state) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < batch; ++i) work();
    const Clock::time_point between = Clock::now();
    for (int i = 0; i < batch; ++i) {
      benchmark::DoNotOptimize(Sha256Of(bytes));
    }
    const Clock::time_point end = Clock::now();
    state.SetIterationTime(
        std::chrono::duration<double>(between - start).count());
    best = std::min(best, Nanoseconds(between - start).count() / batch);
    best_sha256 =
        std::min(best_sha256, Nanoseconds(end - between).count() / batch);
  }
  state.SetItemsProcessed(state.iterations() * batch);
  state.counters["ns"] = best;
  state.counters["sha256_ns"] = best_sha256;
  state.counters["x_sha256"] = best / best_sha256;
}

}  // namespace windproof

#endif  // WINDPROOF_TESTS_BENCH_BESIDE_SHA256_H_
