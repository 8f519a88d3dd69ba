#include "services/ingest/ingest_module.h"

#include <iterator>
#include <string>
#include <utility>

namespace windproof {
namespace {

int64_t SystemNowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Metric Counter(absl::string_view name, absl::string_view help, int64_t value) {
  Metric metric;
  metric.name = std::string(name);
  metric.help = std::string(help);
  metric.type = Metric::Type::kCounter;
  metric.value = static_cast<double>(value);
  return metric;
}

}  // namespace

absl::StatusOr<std::unique_ptr<IngestModule>> IngestModule::Open(
    Options options) {
  if (options.pipelines.empty()) {
    return absl::InvalidArgumentError(
        "ingest has no pipeline; at least one is accepted");
  }
  if (options.log == nullptr) {
    return absl::InvalidArgumentError("ingest has no record log");
  }
  auto validators = ValidatorPool::Create(options.pipelines, options.limits);
  if (!validators.ok()) return validators.status();
  NowMs now_ms = options.now_ms ? std::move(options.now_ms) : SystemNowMs;
  std::unique_ptr<IngestModule> module(new IngestModule(
      *std::move(validators), *options.log, std::move(now_ms)));
  if (options.live.has_value()) {
    auto live =
        DwdLive::Open(*options.live, options.pipelines, module->live_sink_);
    if (!live.ok()) return live.status();
    module->live_ = *std::move(live);
  }
  return module;
}

IngestModule::IngestModule(std::unique_ptr<ValidatorPool> validators,
                           RecordLog& log, NowMs now_ms)
    : validators_(std::move(validators)),
      log_(log),
      service_(*validators_, log_, std::move(now_ms)),
      live_sink_(*validators_, log_) {}

absl::Status IngestModule::Start() {
  if (live_ != nullptr) live_->Start();
  return absl::OkStatus();
}

void IngestModule::StopIntake() {
  service_.StopIntake();
  if (live_ != nullptr) live_->Stop();
}

absl::Status IngestModule::Ready() { return log_.Health(); }

std::vector<Metric> IngestModule::Metrics() {
  const IngestCounts& counts = service_.counts();
  std::vector<Metric> metrics = {
      Counter("windproof_ingest_batches_total", "Batches written to the log.",
              counts.batches),
      Counter("windproof_ingest_records_total", "Records written to the log.",
              counts.records),
      Counter("windproof_ingest_bytes_total",
              "Bytes of the records written, as the log stores them.",
              counts.bytes),
      Counter("windproof_ingest_log_failures_total",
              "Batches that the record log did not take.", counts.log_failures),
  };
  for (size_t i = 0; i < counts.refused.size(); ++i) {
    Metric refused = Counter("windproof_ingest_refused_batches_total",
                             "Batches refused, by reason.", counts.refused[i]);
    refused.labels = {{"reason", std::string(RefusalReasonName(
                                     static_cast<Refusal::Reason>(i)))}};
    metrics.push_back(std::move(refused));
  }
  if (live_ != nullptr) {
    std::vector<Metric> live = live_->Metrics();
    std::move(live.begin(), live.end(), std::back_inserter(metrics));
  }
  return metrics;
}

// Every call appends before it answers: there is nothing left to finish. A
// station that is waiting for the log has its answer first, so that what was
// written is remembered.
void IngestModule::Shutdown(std::chrono::steady_clock::time_point) {
  if (live_ != nullptr) live_->Join();
}

}  // namespace windproof
