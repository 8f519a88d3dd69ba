// Times work beside SHA-256 of the same bytes in the same run, so that a number
// from a slow or busy machine still says something.
#ifndef WINDPROOF_TESTS_BENCH_BESIDE_SHA256_H_
#define WINDPROOF_TESTS_BENCH_BESIDE_SHA256_H_

#include <time.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"
#include "common/crypto/sha256.h"

namespace windproof {

// Seconds of processor time of this thread: other load disturbs it less than
// the time of day. For work that waits for nobody.
struct ThreadTime {
  static double Now() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_nsec) / 1e9;
  }
};

// As ThreadTime, of all threads: for work that others do a part of.
struct ProcessTime {
  static double Now() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_nsec) / 1e9;
  }
};

// For work that waits for a disk or for other threads.
struct WallTime {
  static double Now() {
    return std::chrono::duration<double>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

// Runs `work` in batches of `batch` calls, and after each batch as many SHA-256
// of `bytes`. Reports the best batch of both, which other load disturbs least:
// `ns` and `sha256_ns` for one call, and `x_sha256`, their ratio. A batch
// should take 10 us or more.
//
// The benchmark must be registered with UseManualTime().
template <typename Clock = ThreadTime, typename Work>
void RunBesideSha256(benchmark::State& state, absl::string_view bytes,
                     int batch, Work work) {
  double best = std::numeric_limits<double>::infinity();
  double best_sha256 = best;
  for (auto _ : state) {
    const double start = Clock::Now();
    for (int i = 0; i < batch; ++i) work();
    const double between = Clock::Now();
    for (int i = 0; i < batch; ++i) {
      benchmark::DoNotOptimize(Sha256Of(bytes));
    }
    const double end = Clock::Now();
    state.SetIterationTime(between - start);
    best = std::min(best, between - start);
    best_sha256 = std::min(best_sha256, end - between);
  }
  state.SetItemsProcessed(state.iterations() * batch);
  state.counters["ns"] = best * 1e9 / batch;
  state.counters["sha256_ns"] = best_sha256 * 1e9 / batch;
  state.counters["x_sha256"] = best / best_sha256;
}

}  // namespace windproof

#endif  // WINDPROOF_TESTS_BENCH_BESIDE_SHA256_H_
