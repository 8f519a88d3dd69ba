// The page at /metrics: what the modules, the gRPC server and the process
// count, in the Prometheus text format (0.0.4).
//
// Thread-safe.
#ifndef WINDPROOF_COMMON_SERVER_METRICS_PAGE_H_
#define WINDPROOF_COMMON_SERVER_METRICS_PAGE_H_

#include <string>
#include <vector>

#include "common/server/rpc_stats.h"
#include "common/server/service_module.h"

namespace windproof {

// What the process uses, from /proc/self; what cannot be read is left out.
std::vector<Metric> ProcessMetrics();

// `calls` become windproof_rpc_calls_total{method,code},
// windproof_rpc_seconds{method} (histogram) and windproof_rpc_active. Metrics
// of one name are one family, in the order of their names.
std::string MetricsPage(const std::vector<Metric>& metrics,
                        const RpcStats::Snapshot& calls);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_METRICS_PAGE_H_
