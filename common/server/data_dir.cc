#include "common/server/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/server/files.h"

namespace windproof {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kLockMode = 0600;
constexpr size_t kMaxLockBytes = 64;

// The lock file holds the number of the process that wrote last; it is only
// there for this message.
std::string Holder(const std::string& lock_path) {
  const absl::StatusOr<std::string> text = ReadFile(lock_path, kMaxLockBytes);
  if (!text.ok() || text->empty()) return "another process";
  return absl::StrCat("process ", absl::StripSuffix(*text, "\n"));
}

absl::Status InUse(const std::string& path, const std::string& lock_path,
                   DataDir::Use use) {
  return absl::FailedPreconditionError(absl::StrCat(
      "data folder ", path, " is in use by ", Holder(lock_path),
      use == DataDir::Use::kWrite
          ? "; stop it, or choose another --data-dir"
          : "; stop it, or ask the running server with --server ADDR"));
}

void NoteHolder(int fd) {
  const std::string text = absl::StrCat(getpid(), "\n");
  // Only for Holder(): the lock is flock(), so a failure costs a nicer message.
  if (ftruncate(fd, 0) != 0) return;
  const ssize_t written = pwrite(fd, text.data(), text.size(), 0);
  static_cast<void>(written);
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDir>> DataDir::Open(const std::string& path,
                                                       Use use) {
  if (path.empty()) {
    return absl::InvalidArgumentError("the data folder has no name");
  }
  const bool write = use == Use::kWrite;
  if (write) {
    const absl::Status made = MakeFolders(path, kFolderMode);
    if (!made.ok()) return made;
  }
  struct stat info;
  if (stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return absl::NotFoundError(
        absl::StrCat("data folder ", path, " does not exist"));
  }

  const std::string lock_path = absl::StrCat(path, "/LOCK");
  const int fd =
      write ? open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLockMode)
            : open(lock_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    // A copy of a store, or one on a read-only disk, may lack the file.
    if (!write && errno == ENOENT) {
      return std::unique_ptr<DataDir>(new DataDir(path, -1));
    }
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", lock_path));
  }
  std::unique_ptr<DataDir> dir(new DataDir(path, fd));
  while (flock(fd, (write ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return InUse(path, lock_path, use);
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", lock_path));
  }
  if (write) NoteHolder(fd);
  return dir;
}

DataDir::~DataDir() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

std::string DataDir::Sub(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

}  // namespace windproof
