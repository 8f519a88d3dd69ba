// Which files of a DWD open-data server a station's values are in.
//
// Source: the CDC directory of the German weather service (DWD),
//   10_minutes/air_temperature/recent/10minutenwerte_TU_XXXXX_akt.zip
//   10_minutes/air_temperature/now/10minutenwerte_TU_XXXXX_now.zip
//   hourly/air_temperature/recent/stundenwerte_TU_XXXXX_akt.zip
// below climate_environment/CDC/observations_germany/climate/. `recent` holds
// about 500 days up to yesterday, checked again for weeks; `now` the day so
// far. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_PRODUCT_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_PRODUCT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ingest/dwd/dwd_layout.h"

namespace windproof {

// Kept in the store as a number: never changes.
enum class LiveFileKind : uint8_t { kNow = 0, kRecent = 1 };

// "now", "recent".
absl::string_view LiveFileKindName(LiveFileKind kind);

struct LiveFile {
  LiveFileKind kind = LiveFileKind::kNow;
  std::string url;
};

// The files of a station (five digits) in order of time. `base_url` as
// CheckLiveBaseUrl() gives it.
std::vector<LiveFile> LiveFilesOf(absl::string_view base_url,
                                  DwdCadence cadence,
                                  absl::string_view station);

// `url` without slashes at its end. InvalidArgument: it is no http or https
// URL, or has a user, a query or a fragment.
absl::StatusOr<std::string> CheckLiveBaseUrl(absl::string_view url);

// Station numbers, each five digits; a value may hold several with commas in
// between. InvalidArgument: names what is none, or a station that is there
// twice.
absl::StatusOr<std::vector<std::string>> ParseLiveStations(
    const std::vector<std::string>& values);

// Seconds between two rows: 600 or 3,600.
int64_t CadenceSeconds(DwdCadence cadence);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_PRODUCT_H_
