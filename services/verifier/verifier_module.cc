#include "services/verifier/verifier_module.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

std::chrono::nanoseconds SteadyNow() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

absl::StatusOr<std::unique_ptr<VerifierModule>> VerifierModule::Open(
    Options options) {
  if (!options.trust.has_value()) {
    return absl::InvalidArgumentError(
        "trust is missing; the verifier needs the keys that it shall believe");
  }
  if (options.anchor == nullptr || options.window_hash == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.anchor == nullptr ? "anchor" : "window_hash",
                     " has no channel; the verifier asks both"));
  }
  for (PipelineSpec& spec : options.specs) {
    // A canonical spec has no topics, and the verifier needs none: what was
    // read is what a checkpoint says.
    if (spec.topics.empty()) spec.topics = {"^.*"};
    if (absl::Status valid = ValidateSpec(&spec); !valid.ok()) return valid;
  }
  if (options.now == nullptr) options.now = SteadyNow;
  return std::unique_ptr<VerifierModule>(
      new VerifierModule(std::move(options)));
}

VerifierModule::VerifierModule(Options options)
    : now_(options.now),
      anchor_(v1::AnchorService::NewStub(options.anchor)),
      window_hash_(v1::WindowHashService::NewStub(options.window_hash)),
      verifier_({{options.trust->ledger, options.trust->chain},
                 options.trust->producers,
                 std::move(options.specs),
                 options.log,
                 options.now}),
      service_(verifier_, *anchor_, *window_hash_, now_, counters_) {}

std::vector<Metric> VerifierModule::Metrics() {
  std::vector<Metric> metrics;
  const std::pair<const char*, const std::atomic<int64_t>*> verdicts[] = {
      {"VERIFIED", &counters_.verified},
      {"EMPTY", &counters_.empty},
      {"FAILED", &counters_.failed},
      {"INCOMPLETE", &counters_.incomplete},
      {"UNSUPPORTED", &counters_.unsupported},
  };
  for (const auto& [verdict, count] : verdicts) {
    metrics.push_back({"windproof_verifier_windows_total",
                       "Windows verified, by verdict.",
                       Metric::Type::kCounter,
                       {{"verdict", verdict}},
                       static_cast<double>(*count)});
  }
  metrics.push_back({"windproof_verifier_records_total",
                     "Records of the windows verified.",
                     Metric::Type::kCounter,
                     {},
                     static_cast<double>(counters_.records)});
  return metrics;
}

}  // namespace windproof
