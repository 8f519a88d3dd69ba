#include "services/ingest/live/testing/dwd_files.h"

#include <zip.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace windproof {
namespace {

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "MakeZip: %s\n", what);
  std::abort();
}

std::string Time(int64_t epoch_s, int64_t minutes, const char* format) {
  return absl::FormatTime(format, absl::FromUnixSeconds(epoch_s + minutes * 60),
                          absl::UTCTimeZone());
}

}  // namespace

std::string MakeZip(
    const std::vector<std::pair<std::string, std::string>>& members) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (target == nullptr) Die("no source");
  zip_source_keep(target);
  zip_t* const zip = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  if (zip == nullptr) Die("no zip");
  for (const auto& [name, text] : members) {
    zip_source_t* const source =
        zip_source_buffer(zip, text.data(), text.size(), 0);
    if (zip_file_add(zip, name.c_str(), source, ZIP_FL_OVERWRITE) < 0) {
      Die("no member");
    }
  }
  if (zip_close(zip) != 0) Die("not closed");
  std::string bytes;
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_source_open(target) != 0 || zip_source_stat(target, &stat) != 0) {
    Die("not readable");
  }
  bytes.resize(stat.size);
  if (zip_source_read(target, bytes.data(), bytes.size()) !=
      static_cast<zip_int64_t>(bytes.size())) {
    Die("not read");
  }
  zip_source_close(target);
  zip_source_free(target);
  return bytes;
}

std::vector<TestRow> TestRows(int64_t begin, int64_t end) {
  std::vector<TestRow> rows;
  for (int64_t minutes = begin; minutes < end; minutes += 10) {
    rows.push_back(
        {minutes, absl::StrFormat(
                      "%.1f", 0.1 * static_cast<double>(minutes / 10 % 300))});
  }
  return rows;
}

std::string TenMinuteProduct(absl::string_view station,
                             const std::vector<TestRow>& rows,
                             int64_t epoch_s) {
  std::string text =
      "STATIONS_ID;MESS_DATUM;  QN;PP_10;TT_10;TM5_10;RF_10;TD_10;eor\r\n";
  for (const TestRow& row : rows) {
    absl::StrAppend(&text, "       ", station, ";",
                    Time(epoch_s, row.minutes, "%Y%m%d%H%M"), ";    2;  -999;",
                    row.temperature, ";  -999;  81.0;  -999;eor\r\n");
  }
  return text;
}

std::string TenMinuteZip(absl::string_view station,
                         const std::vector<TestRow>& rows, int64_t epoch_s) {
  return MakeZip({{absl::StrCat("produkt_zehn_now_tu_", station, ".txt"),
                   TenMinuteProduct(station, rows, epoch_s)}});
}

std::string HourlyZip(absl::string_view station,
                      const std::vector<TestRow>& rows, int64_t epoch_s) {
  std::string text = "STATIONS_ID;MESS_DATUM;QN_9;TT_TU;RF_TU;eor\r\n";
  for (const TestRow& row : rows) {
    absl::StrAppend(&text, "       ", station, ";",
                    Time(epoch_s, row.minutes, "%Y%m%d%H"), ";    3;",
                    row.temperature, ";  81.0;eor\r\n");
  }
  return MakeZip({{absl::StrCat("produkt_tu_stunde_", station, ".txt"), text}});
}

}  // namespace windproof
