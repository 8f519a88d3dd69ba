// The rows in a zip that a DWD server sent for a station.
//
// Thread-safe.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_CONTENT_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_CONTENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ingest/dwd/dwd_layout.h"
#include "services/ingest/dwd/dwd_station.h"

namespace windproof {

struct LiveContent {
  // Of the rows that were rejected, why: the first few, "MEMBER:LINE: REASON".
  static constexpr size_t kRejectedShown = 5;

  explicit LiveContent(int32_t station) : rows(station) {}

  DwdStation rows;  // sorted
  int64_t rejected_rows = 0;
  std::vector<std::string> rejected;
};

// Reads `zip`, which must be of `station` (five digits) and of that cadence. A
// row that is wrong is rejected, the rest counts; a product without any row is
// one of a day that has not begun.
//
// InvalidArgument: it is no zip, is cut off, damaged or too big, holds no
// product, another product, another station or other than one cadence. Then
// nothing of it counts.
absl::StatusOr<LiveContent> ReadLiveContent(absl::string_view zip,
                                            absl::string_view station,
                                            DwdCadence cadence);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_CONTENT_H_
