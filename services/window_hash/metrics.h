// The numbers of window-hash in the Prometheus data model.
//
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_METRICS_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_METRICS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/server/service_module.h"
#include "services/window_hash/outbox.h"
#include "services/window_hash/partitions_view.h"

namespace windproof {

void AppendPipelineMetrics(const std::string& pipeline,
                           absl::Span<const PartitionProgress> partitions,
                           int64_t outbox_size, std::vector<Metric>* metrics);

void AppendOutboxMetrics(const Outbox::Counters& counters,
                         std::vector<Metric>* metrics);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_METRICS_H_
