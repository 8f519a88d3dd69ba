#include "services/windproof/demo_store.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

namespace fs = std::filesystem;

absl::Status Failed(absl::string_view what, const fs::path& path,
                    const std::error_code& error) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, " ", path.string(), ": ", error.message()));
}

std::error_code CopyFile(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (from.extension() == ".sst" || from.extension() == ".blob") {
    fs::create_hard_link(from, to, error);
    if (!error) return error;
    error.clear();
  }
  fs::copy_file(from, to, error);
  return error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TempFolder>> TempFolder::Make() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) return Failed("use TMPDIR", "", error);
  std::string path = (parent / "windproof-demo-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot make ", path, ": ", std::strerror(errno)));
  }
  return std::unique_ptr<TempFolder>(new TempFolder(std::move(path)));
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TempFolder::Sub(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::Status CopyStore(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_directory(to, error);
  if (error) return Failed("make", to, error);
  fs::recursive_directory_iterator entries(from, error);
  if (error) return Failed("read", from, error);
  for (; entries != fs::recursive_directory_iterator();
       entries.increment(error)) {
    const fs::path source = entries->path();
    const fs::path target = to / source.lexically_relative(from);
    if (entries->is_directory()) {
      fs::create_directory(target, error);
    } else {
      error = CopyFile(source, target);
    }
    if (error) return Failed("copy", source, error);
  }
  if (error) return Failed("read", from, error);
  return absl::OkStatus();
}

}  // namespace windproof
