#include "services/window_hash/metrics.h"

#include <array>
#include <utility>

namespace windproof {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

// In the order of WindowEngine::Class.
constexpr std::array<const char*, PartitionCounters::kClasses> kClassNames = {
    "accepted", "conflict", "control", "duplicate",
    "invalid",  "late",     "other",   "reread"};

void Append(std::string name, std::string help, Metric::Type type,
            Labels labels, double value, std::vector<Metric>* metrics) {
  metrics->push_back({.name = std::move(name),
                      .help = std::move(help),
                      .type = type,
                      .labels = std::move(labels),
                      .value = value});
}

}  // namespace

void AppendPipelineMetrics(const std::string& pipeline,
                           absl::Span<const PartitionProgress> partitions,
                           int64_t outbox_size, std::vector<Metric>* metrics) {
  const Labels by_pipeline = {{"pipeline", pipeline}};
  PartitionCounters sums;
  int64_t open_windows = 0;
  for (const PartitionProgress& progress : partitions) {
    const PartitionStatus& status = progress.status;
    for (size_t i = 0; i < sums.records.size(); ++i) {
      sums.records[i] += progress.counters.records[i];
    }
    sums.windows += progress.counters.windows;
    sums.commits += progress.counters.commits;
    sums.commit_ns += progress.counters.commit_ns;
    open_windows += status.open_windows;
    const Labels by_partition = {
        {"pipeline", pipeline},
        {"topic", status.source.source.topic},
        {"partition", std::to_string(status.source.source.partition)}};
    if (progress.restoring) {
      Append("windproof_window_hash_restore_lag_records",
             "Changelog records that a new owner has yet to take over.",
             Metric::Type::kGauge, by_partition,
             static_cast<double>(progress.changelog_end -
                                 progress.changelog_position),
             metrics);
      continue;
    }
    Append("windproof_window_hash_position",
           "Next offset to read; everything below is committed.",
           Metric::Type::kGauge, by_partition,
           static_cast<double>(status.state.position), metrics);
    Append("windproof_window_hash_lag_records",
           "Offsets from the position to the end of the log.",
           Metric::Type::kGauge, by_partition,
           static_cast<double>(progress.log_end - status.state.position),
           metrics);
    Append("windproof_window_hash_partition_stopped",
           "1 where the partition has stopped with an error (GetProgress has "
           "it).",
           Metric::Type::kGauge, by_partition, status.error.ok() ? 0 : 1,
           metrics);
  }
  for (size_t i = 0; i < sums.records.size(); ++i) {
    Append("windproof_window_hash_records_total",
           "Records read, by what became of each when it was read; reread are "
           "those read again after a restart.",
           Metric::Type::kCounter,
           {{"pipeline", pipeline}, {"class", kClassNames[i]}},
           static_cast<double>(sums.records[i]), metrics);
  }
  Append("windproof_window_hash_windows_written_total",
         "Checkpoints written, revisions counted each.", Metric::Type::kCounter,
         by_pipeline, static_cast<double>(sums.windows), metrics);
  Append("windproof_window_hash_open_windows",
         "Windows that have records and are not yet written.",
         Metric::Type::kGauge, by_pipeline, static_cast<double>(open_windows),
         metrics);
  Append("windproof_window_hash_outbox_checkpoints",
         "Checkpoints that wait for their receipt.", Metric::Type::kGauge,
         by_pipeline, static_cast<double>(outbox_size), metrics);
  Append("windproof_window_hash_commits_total", "Commits to the store.",
         Metric::Type::kCounter, by_pipeline, static_cast<double>(sums.commits),
         metrics);
  Append("windproof_window_hash_commit_seconds_total",
         "Time spent in signing and writing commits.", Metric::Type::kCounter,
         by_pipeline, static_cast<double>(sums.commit_ns) / 1e9, metrics);
}

void AppendOutboxMetrics(const Outbox::Counters& counters,
                         std::vector<Metric>* metrics) {
  Append("windproof_window_hash_anchored_total",
         "Checkpoints that left the outbox with a receipt.",
         Metric::Type::kCounter, {}, static_cast<double>(counters.anchored),
         metrics);
  Append("windproof_window_hash_anchor_failures_total",
         "Calls to the anchor that failed and are tried again.",
         Metric::Type::kCounter, {}, static_cast<double>(counters.failed_calls),
         metrics);
  Append("windproof_window_hash_stopped_keys",
         "Keys whose checkpoints stay in the outbox because one was refused or "
         "damaged.",
         Metric::Type::kGauge, {}, static_cast<double>(counters.stopped_keys),
         metrics);
}

}  // namespace windproof
