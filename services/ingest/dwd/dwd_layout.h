// The header line of a DWD product file: which column is where.
//
// Source: see dwd_file.h. Columns go by their names, without the blanks around
// them. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_INGEST_DWD_DWD_LAYOUT_H_
#define WINDPROOF_SERVICES_INGEST_DWD_DWD_LAYOUT_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

inline constexpr absl::string_view kDwdStationColumn = "STATIONS_ID";
inline constexpr absl::string_view kDwdTimeColumn = "MESS_DATUM";
inline constexpr absl::string_view kDwdEndColumn = "eor";

// For error messages: which products are.
inline constexpr absl::string_view kDwdAccepted =
    "accepted: air temperature, hourly (produkt_tu_stunde_*, "
    "produkt_temp_Terminwerte_*) or every 10 minutes (produkt_zehn_min_tu_*, "
    "produkt_zehn_now_tu_*)";

enum class DwdCadence { kHourly, kTenMinutes };

// What a row can tell, in the order in which records show it.
enum class DwdField {
  kTemperature,        // degC, 2 m
  kHumidity,           // %
  kDewPoint,           // degC, 2 m
  kPressure,           // hPa, at the station
  kGroundTemperature,  // degC, 5 cm
};
inline constexpr size_t kDwdFields = 5;

// "temperature", "humidity", "dew_point", "pressure", "ground_temperature".
absl::string_view DwdFieldName(DwdField field);

struct DwdLayout {
  std::vector<std::string> columns;  // all names
  size_t station = 0;                // indexes into columns
  size_t time = 0;
  bool has_end = false;  // the last column is eor
  std::array<std::optional<size_t>, kDwdFields> fields;  // by DwdField
  DwdCadence cadence = DwdCadence::kHourly;
  std::string temperature;  // the name of its column: the metadata's parameter
};

// InvalidArgument: it is the header of no product that is accepted; the message
// says what it is instead.
absl::StatusOr<DwdLayout> DwdLayoutFromHeader(absl::string_view header);

// Whether it could be the header of a product, of any.
bool LooksLikeDwdHeader(absl::string_view line);

// `cell` without the blanks around it.
absl::string_view TrimDwdCell(absl::string_view cell);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_DWD_DWD_LAYOUT_H_
