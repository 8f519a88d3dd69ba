#include "services/ingest/dwd/dwd_batches.h"

#include <algorithm>

namespace windproof {

DwdBatches::DwdBatches(const std::vector<DwdStation>& stations, size_t rows_max)
    : stations_(stations), rows_max_(std::max<size_t>(rows_max, 1)) {
  for (size_t i = 0; i < stations_.size(); ++i) {
    if (stations_[i].rows() > 0) turns_.emplace(stations_[i].time_s(0), i, 0);
  }
}

std::optional<DwdBatch> DwdBatches::Next() {
  if (turns_.empty()) return std::nullopt;
  const auto [time_s, index, begin] = turns_.top();
  turns_.pop();
  const DwdStation& station = stations_[index];
  const size_t end = std::min(station.rows(), begin + rows_max_);
  if (end < station.rows()) turns_.emplace(station.time_s(end), index, end);
  return DwdBatch{&station, begin, end};
}

}  // namespace windproof
