// In which time zone a station's rows were written, as the
// Metadaten_Parameter_* file says that comes in the same zip.
//
// Source: DWD, Metadaten_Parameter_*: a line for each parameter and period,
// whose Zusatz-Info says "Stundenwerte in MEZ" or "... in UTC". MEZ is UTC+1
// all year. Only ASCII is looked at, so ISO-8859-1 and UTF-8 are both fine.
// Pure. A value; thread-compatible.
#ifndef WINDPROOF_SERVICES_INGEST_DWD_DWD_TIME_ZONES_H_
#define WINDPROOF_SERVICES_INGEST_DWD_DWD_TIME_ZONES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace windproof {

class DwdTimeZones {
 public:
  enum class Zone {
    kUnsaid,  // no period holds the day
    kUtc,
    kMez,
    kOther,  // e.g. GZ, legal time with its summers
  };

  struct Period {
    int32_t station = 0;
    std::string parameter;  // TT_TU, RF_TU ...
    int32_t first_day = 0;  // yyyymmdd
    int32_t last_day = 0;   // inclusive
    Zone zone = Zone::kUnsaid;
  };

  // Adds what a Metadaten_Parameter_* file says. InvalidArgument: it has not
  // the columns of one. Lines without periods (legend, date) are passed over.
  absl::Status Add(absl::string_view text);

  // The periods of a station's parameter.
  std::vector<Period> PeriodsOf(int32_t station,
                                absl::string_view parameter) const;

  // The zone of a day (yyyymmdd). Where periods overlap, as on the day on which
  // one ends and the next begins, the one that began last counts.
  static Zone ZoneOf(const std::vector<Period>& periods, int32_t day);

 private:
  std::vector<Period> periods_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_DWD_DWD_TIME_ZONES_H_
