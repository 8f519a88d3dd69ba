// Files as a DWD server has them, made by tests.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_TESTING_DWD_FILES_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_TESTING_DWD_FILES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace windproof {

// A zip in memory.
std::string MakeZip(
    const std::vector<std::pair<std::string, std::string>>& members);

// A row: minutes since `epoch` of the product, and the temperature as the file
// shows it ("-999": missing).
struct TestRow {
  int64_t minutes = 0;
  std::string temperature;
};

// 2026-01-25T00:00:00Z: where the minutes of these rows begin.
inline constexpr int64_t kTestDay = 1'769'299'200;

// Rows of every 10 minutes from `begin` minutes to before `end`, temperatures
// that depend on the time alone.
std::vector<TestRow> TestRows(int64_t begin, int64_t end);

// A 10-minute product, CR LF, as in a zip of the server.
std::string TenMinuteProduct(absl::string_view station,
                             const std::vector<TestRow>& rows,
                             int64_t epoch_s = kTestDay);
std::string TenMinuteZip(absl::string_view station,
                         const std::vector<TestRow>& rows,
                         int64_t epoch_s = kTestDay);

// An hourly one; `minutes` are whole hours.
std::string HourlyZip(absl::string_view station,
                      const std::vector<TestRow>& rows,
                      int64_t epoch_s = kTestDay);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_TESTING_DWD_FILES_H_
