// Everything that a set of paths holds, station by station: txt and csv files,
// zips, and folders of them.
#ifndef WINDPROOF_SERVICES_INGEST_DWD_DWD_COLLECTOR_H_
#define WINDPROOF_SERVICES_INGEST_DWD_DWD_COLLECTOR_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ingest/dwd/dwd_archive.h"
#include "services/ingest/dwd/dwd_file.h"
#include "services/ingest/dwd/dwd_station.h"
#include "services/ingest/dwd/dwd_time_zones.h"

namespace windproof {

// A file is named by its path; a member of a zip by the zip's path, `!` and its
// name.
struct DwdRejection {
  std::string file;
  int64_t line = 0;    // 0: the whole file
  std::string reason;  // for a row: column, value and what is accepted
};

// `FILE:LINE: REASON`, or `FILE REASON` for a whole file.
std::string DwdRejectionText(const DwdRejection& rejection);

struct DwdCollection {
  std::vector<DwdStation> stations;  // by id; each sorted, none without rows
  int64_t files = 0;                 // product files that were read
  int64_t rows = 0;
  int64_t rejected_rows = 0;
  int64_t refused_files = 0;
  // In the order of reading. Of very many rejected rows of one file, only the
  // first.
  std::vector<DwdRejection> rejections;
};

// Reads paths in the order given; a folder's files, at any depth, in order of
// their paths. A named file must be a product; in a folder, text files that are
// no products (metadata, descriptions) are passed over. The metadata of a zip
// or folder count for the products in that same zip or folder.
//
// What cannot be used is a rejection; it stops nothing else. Single owner.
class DwdCollector {
 public:
  explicit DwdCollector(const DwdArchiveLimits& limits = {})
      : limits_(limits) {}

  void AddPath(const std::string& path);

  // What was found; the collector is empty afterwards.
  DwdCollection Finish();

 private:
  void AddFolder(const std::string& path);
  void AddZip(const std::string& path);
  void AddProductFile(const std::string& path, bool named);
  void AddProduct(const std::string& file, absl::string_view text,
                  const DwdTimeZones& zones);
  void Refuse(const std::string& file, absl::string_view reason);

  // What the Metadaten_Parameter_* files beside `path` say, remembered by
  // folder.
  const absl::StatusOr<DwdTimeZones>& ZonesBeside(const std::string& path);

  const DwdArchiveLimits limits_;
  DwdCollection collection_;
  std::map<int32_t, DwdStation> stations_;
  std::map<std::string, absl::StatusOr<DwdTimeZones>> zones_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_DWD_DWD_COLLECTOR_H_
