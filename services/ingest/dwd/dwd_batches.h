// The order in which collected stations are sent: batch by batch, each of one
// station, the station whose next row is the oldest first.
//
// Station after station would keep one partition of the log busy and all others
// idle; record by record would spread every batch over all topics. Like this
// all stations advance side by side in event time, and a batch goes to one
// topic. Pure; single owner.
#ifndef WINDPROOF_SERVICES_INGEST_DWD_DWD_BATCHES_H_
#define WINDPROOF_SERVICES_INGEST_DWD_DWD_BATCHES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <tuple>
#include <vector>

#include "services/ingest/dwd/dwd_station.h"

namespace windproof {

// Rows [begin, end) of a station, at least one.
struct DwdBatch {
  const DwdStation* station = nullptr;
  size_t begin = 0;
  size_t end = 0;
};

class DwdBatches {
 public:
  // Batches of up to `rows_max` (>= 1) rows. `stations` must be sorted, and
  // outlive this.
  DwdBatches(const std::vector<DwdStation>& stations, size_t rows_max);

  // The next batch; nothing at the end.
  std::optional<DwdBatch> Next();

 private:
  // Time of the next row, index of the station, the row: the least is next.
  using Turn = std::tuple<int64_t, size_t, size_t>;

  const std::vector<DwdStation>& stations_;
  const size_t rows_max_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_DWD_DWD_BATCHES_H_
