// The main of every benchmark: Google Benchmark, and at the end each result as
// a ratio to its baseline in the same run.
//
// A benchmark is named GROUP/NAME; the baseline of a group is the one whose
// NAME begins with "baseline:". Times are of one item where a benchmark calls
// SetItemsProcessed(), else of one iteration.
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"

namespace {

struct Result {
  std::string group;
  std::string name;
  double ns = 0;
};

class RatioReporter : public benchmark::ConsoleReporter {
 public:
  RatioReporter() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
      const std::string name = run.run_name.function_name;
      const size_t slash = name.find('/');
      if (slash == std::string::npos) continue;
      const auto items = run.counters.find("items_per_second");
      const double ns = items == run.counters.end() ? run.GetAdjustedCPUTime()
                                                    : 1e9 / items->second.value;
      results_.push_back({name.substr(0, slash), name.substr(slash + 1), ns});
    }
  }

  void Finalize() override {
    std::map<std::string, double> baselines;
    for (const Result& result : results_) {
      if (result.name.rfind("baseline:", 0) == 0) {
        baselines[result.group] = result.ns;
      }
    }
    std::printf("\n%-64s %12s %14s %9s\n", "per item", "ns", "per second",
                "ratio");
    for (const Result& result : results_) {
      const auto baseline = baselines.find(result.group);
      std::printf("%-64s %12.1f %14.0f ",
                  (result.group + "/" + result.name).c_str(), result.ns,
                  1e9 / result.ns);
      if (baseline == baselines.end()) {
        std::printf("%9s\n", "-");
      } else {
        std::printf("%9.2f\n", result.ns / baseline->second);
      }
    }
  }

 private:
  std::vector<Result> results_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return 0;
}
