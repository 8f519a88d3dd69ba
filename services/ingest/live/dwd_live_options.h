// What the live source is told. Apart from it, so that whoever passes it on
// needs to know nothing else.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_OPTIONS_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/ingest/dwd/dwd_layout.h"
#include "services/ingest/live/curl_fetcher.h"
#include "services/ingest/live/live_backoff.h"

namespace windproof {

struct DwdLiveOptions {
  static constexpr size_t kStationsMax = 200;

  std::vector<std::string> stations;  // as ParseLiveStations() gives them
  std::string base_url;               // as CheckLiveBaseUrl() gives it
  // Nothing: hourly where a pipeline has the name weather-hourly.
  std::optional<DwdCadence> cadence;
  int64_t poll_ms = 300'000;
  // Nothing: DefaultSilentAfterMs() of the cadence.
  std::optional<int64_t> silent_after_ms;
  bool state_watermarks = true;
  LiveBackoff::Options backoff;
  CurlFetcher::Options http;
  std::string store_path;  // of the position; made if missing
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_DWD_LIVE_OPTIONS_H_
