// Folders of the demo: temporary ones, and copies of a stopped store.
#ifndef WINDPROOF_SERVICES_WINDPROOF_DEMO_STORE_H_
#define WINDPROOF_SERVICES_WINDPROOF_DEMO_STORE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

// A folder below TMPDIR that is removed, with all in it, at the end.
// Single-owner.
class TempFolder {
 public:
  static absl::StatusOr<std::unique_ptr<TempFolder>> Make();

  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string Sub(absl::string_view name) const;

 private:
  explicit TempFolder(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

// Copies the stopped store at `from` to `to`, which must not exist. Files that
// RocksDB never changes (*.sst, *.blob) become links where that is possible.
absl::Status CopyStore(const std::string& from, const std::string& to);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_DEMO_STORE_H_
