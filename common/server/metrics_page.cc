#include "common/server/metrics_page.h"

#include <dirent.h>
#include <grpcpp/support/status.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bazel/version.h"

namespace windproof {
namespace {

using Families = std::map<std::string, prometheus::MetricFamily>;

void Add(const Metric& metric, Families* families) {
  prometheus::MetricFamily& family = (*families)[metric.name];
  family.name = metric.name;
  family.help = metric.help;
  prometheus::ClientMetric client;
  for (const auto& [name, value] : metric.labels) {
    client.label.push_back({name, value});
  }
  if (metric.type == Metric::Type::kCounter) {
    family.type = prometheus::MetricType::Counter;
    client.counter.value = metric.value;
  } else {
    family.type = prometheus::MetricType::Gauge;
    client.gauge.value = metric.value;
  }
  family.metric.push_back(std::move(client));
}

void AddLatency(const std::string& method, const RpcStats::Latency& latency,
                prometheus::MetricFamily* family) {
  prometheus::ClientMetric client;
  client.label.push_back({"method", method});
  uint64_t cumulative = 0;
  for (size_t i = 0; i < latency.counts.size(); ++i) {
    cumulative += static_cast<uint64_t>(latency.counts[i]);
    prometheus::ClientMetric::Bucket bucket;
    bucket.cumulative_count = cumulative;
    bucket.upper_bound = i < RpcStats::kBucketSeconds.size()
                             ? RpcStats::kBucketSeconds[i]
                             : std::numeric_limits<double>::infinity();
    client.histogram.bucket.push_back(bucket);
  }
  client.histogram.sample_count = cumulative;
  client.histogram.sample_sum = latency.sum_seconds;
  family->metric.push_back(std::move(client));
}

std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

void AddCalls(const RpcStats::Snapshot& calls, Families* families) {
  Add({.name = "windproof_rpc_active",
       .help = "Calls that are on.",
       .value = static_cast<double>(calls.active)},
      families);
  for (const auto& [what, count] : calls.calls) {
    Add({.name = "windproof_rpc_calls_total",
         .help = "Calls that ended, by method and status code.",
         .type = Metric::Type::kCounter,
         .labels = {{"method", what.first}, {"code", CodeName(what.second)}},
         .value = static_cast<double>(count)},
        families);
  }
  if (calls.latencies.empty()) return;
  prometheus::MetricFamily& family = (*families)["windproof_rpc_seconds"];
  family.name = "windproof_rpc_seconds";
  family.help = "How long calls took.";
  family.type = prometheus::MetricType::Histogram;
  for (const auto& [method, latency] : calls.latencies) {
    AddLatency(method, latency, &family);
  }
}

int OpenFiles() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return -1;
  int count = -3;  // ".", ".." and the folder itself
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) +
         static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::vector<Metric> ProcessMetrics() {
  std::vector<Metric> metrics;
  metrics.push_back(
      {.name = "windproof_build_info",
       .help = "1; the labels name what runs.",
       .labels = {{"version", VersionString()}, {"commit", VersionCommit()}},
       .value = 1});
  // Pages: size, resident, … (proc(5)).
  int64_t virtual_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream statm("/proc/self/statm");
  if (statm >> virtual_pages >> resident_pages) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    metrics.push_back({.name = "process_resident_memory_bytes",
                       .help = "Memory in RAM.",
                       .value = static_cast<double>(resident_pages) * page});
    metrics.push_back({.name = "process_virtual_memory_bytes",
                       .help = "Address space.",
                       .value = static_cast<double>(virtual_pages) * page});
  }
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    metrics.push_back(
        {.name = "process_cpu_seconds_total",
         .help = "User and system time.",
         .type = Metric::Type::kCounter,
         .value = Seconds(usage.ru_utime) + Seconds(usage.ru_stime)});
  }
  const int files = OpenFiles();
  if (files >= 0) {
    metrics.push_back({.name = "process_open_fds",
                       .help = "Open file descriptors.",
                       .value = static_cast<double>(files)});
  }
  return metrics;
}

std::string MetricsPage(const std::vector<Metric>& metrics,
                        const RpcStats::Snapshot& calls) {
  Families families;
  for (const Metric& metric : metrics) Add(metric, &families);
  AddCalls(calls, &families);
  std::vector<prometheus::MetricFamily> page;
  page.reserve(families.size());
  for (auto& [name, family] : families) page.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(page);
}

}  // namespace windproof
