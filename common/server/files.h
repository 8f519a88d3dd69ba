// Small files, whole: read, and written so that a crash leaves the old or the
// new content, never a part.
//
// Thread-safe. Errors carry the path and the system's reason.
#ifndef WINDPROOF_COMMON_SERVER_FILES_H_
#define WINDPROOF_COMMON_SERVER_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

// NotFound; PermissionDenied; InvalidArgument where it is no regular file or is
// larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Writes `content` beside `path`, syncs it, then links it to that name and
// syncs the folder. AlreadyExists where there is such a file: it is never
// replaced, also by two processes at once.
absl::Status WriteNewFile(const std::string& path, absl::string_view content,
                          mode_t mode);

// Makes `path` and the folders above it that are missing, with `mode`.
absl::Status MakeFolders(const std::string& path, mode_t mode);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_FILES_H_
