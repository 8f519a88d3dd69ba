// Files and zips, read whole and within limits: whatever a path leads to, no
// more than that much of it gets into memory.
//
// Thread-safe.
#ifndef WINDPROOF_SERVICES_INGEST_DWD_DWD_ARCHIVE_H_
#define WINDPROOF_SERVICES_INGEST_DWD_DWD_ARCHIVE_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

struct DwdArchiveLimits {
  // A station's hourly values of 70 years are 30 MB, ten years of 10-minute
  // values 35 MB.
  size_t file_bytes_max = 256 << 20;
  size_t metadata_bytes_max = 4 << 20;
  size_t zip_bytes_max = 256 << 20;
  size_t zip_members_max = 10'000;
};

// The bytes of a file. NotFound: there is none. InvalidArgument: it is no
// regular file, or larger than `bytes_max`. Unavailable: it cannot be read.
absl::StatusOr<std::string> ReadDwdFile(const std::string& path,
                                        size_t bytes_max);

// A member of a zip that matters: a product (produkt_*) or what says in which
// time zone it is (Metadaten_Parameter_*).
struct DwdMember {
  std::string name;  // as in the zip
  // Its bytes, or why they cannot be had: a wrong checksum, encryption, a size
  // beyond the limits.
  absl::StatusOr<std::string> text;
};

// Reads the zip at `path` and gives its members to `metadata` and `product`,
// one at a time: all metadata first, each kind in order of name. Other members
// are passed over.
//
// NotFound, Unavailable: as ReadDwdFile. InvalidArgument: it is no zip, is cut
// off, is too big or has no product; nothing was given then.
absl::Status ReadDwdZip(const std::string& path, const DwdArchiveLimits& limits,
                        absl::FunctionRef<void(DwdMember)> metadata,
                        absl::FunctionRef<void(DwdMember)> product);

// The same for a zip that is in memory. `bytes` must not change meanwhile.
absl::Status ReadDwdZipBytes(absl::string_view bytes,
                             const DwdArchiveLimits& limits,
                             absl::FunctionRef<void(DwdMember)> metadata,
                             absl::FunctionRef<void(DwdMember)> product);

// Whether a name, with or without folders in front, is such a file's.
bool IsDwdProductName(absl::string_view name);
bool IsDwdParameterName(absl::string_view name);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_DWD_DWD_ARCHIVE_H_
