#include "common/pipeline/aggregate.h"

#include <string>
#include <vector>

namespace windproof {

std::vector<Checkpoint::Aggregate> Aggregator::Finish(
    const std::vector<std::string>& names) const {
  std::vector<Checkpoint::Aggregate> aggregates;
  aggregates.reserve(totals_.size());
  for (size_t i = 0; i < totals_.size(); ++i) {
    const Total& total = totals_[i];
    if (total.count == 0) continue;
    aggregates.push_back({names[i], total.count, total.min, total.max,
                          MeanOfNanounits(total.sum, total.count)});
  }
  return aggregates;
}

}  // namespace windproof
