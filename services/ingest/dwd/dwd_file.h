// Product files of the German weather service (DWD): air temperature, hourly
// and every 10 minutes.
//
// Source: DWD CDC, `produkt_tu_stunde_*`, `produkt_temp_Terminwerte_*` (2016),
// `produkt_zehn_min_tu_*`, `produkt_zehn_now_tu_*`: a header line, then rows of
// `;`-separated columns that end with `eor`. -999 is a value that is missing; a
// row of nothing else is still a row: that the station reported nothing is
// something that it reported. Times are UTC, but for 10-minute rows before 2000
// and where the metadata say MEZ (UTC+1).
// Pure: no I/O. Safe from any thread.
#ifndef WINDPROOF_SERVICES_INGEST_DWD_DWD_FILE_H_
#define WINDPROOF_SERVICES_INGEST_DWD_DWD_FILE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ingest/dwd/dwd_layout.h"
#include "services/ingest/dwd/dwd_time_zones.h"

namespace windproof {

struct DwdRow {
  DwdCadence cadence = DwdCadence::kHourly;  // the same for a whole file
  int32_t station = 0;                       // 0 to 99,999
  int64_t time_s = 0;                        // UTC, seconds since the epoch
  // By DwdField: a JSON number as the file has it (only superfluous zeros in
  // front are gone); empty: missing. Views into the file.
  std::array<absl::string_view, kDwdFields> values;
};

struct DwdRejectedRow {
  int64_t line = 0;    // 1 is the header
  std::string reason;  // names the column, its value and what is accepted
};

struct DwdFileSummary {
  // Of the rejected rows, those beyond this many are only counted.
  static constexpr size_t kRejectedKept = 100'000;

  DwdCadence cadence = DwdCadence::kHourly;
  int64_t rows = 0;
  int64_t rejected_rows = 0;
  std::vector<DwdRejectedRow> rejected;
};

// Reads a product file and gives its good rows to `sink`, in file order. A row
// that is cut off or otherwise wrong is rejected; the rest goes on.
//
// InvalidArgument: the file as a whole is no product that is accepted; the
// message says what it is instead. Nothing was given to `sink` then.
absl::StatusOr<DwdFileSummary> ParseDwdFile(
    absl::string_view text, const DwdTimeZones& zones,
    absl::FunctionRef<void(const DwdRow&)> sink);

// Whether the first line of `text` could be a product file's, of any product.
bool LooksLikeDwdFile(absl::string_view text);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_DWD_DWD_FILE_H_
