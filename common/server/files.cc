#include "common/server/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

absl::Status SystemError(int error, absl::string_view what,
                         absl::string_view path) {
  return absl::ErrnoToStatus(error, absl::StrCat(what, " ", path));
}

// Owns a file descriptor.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status WriteAll(int fd, absl::string_view content,
                      const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(errno, "cannot write", path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  if (fsync(fd) != 0) return SystemError(errno, "cannot sync", path);
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.open()) return SystemError(errno, "cannot open", folder);
  if (fsync(file.fd()) != 0) return SystemError(errno, "cannot sync", folder);
  return absl::OkStatus();
}

// A name beside `path` that no other writer takes.
std::string TemporaryName(const std::string& path) {
  static std::atomic<int> count{0};
  return absl::StrCat(path, ".", getpid(), ".", count.fetch_add(1), ".tmp");
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     size_t max_bytes) {
  // O_NONBLOCK: opening a pipe must not wait for its writer.
  const File file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file.open()) return SystemError(errno, "cannot open", path);
  struct stat info;
  if (fstat(file.fd(), &info) != 0) {
    return SystemError(errno, "cannot read", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no file"));
  }
  std::string content;
  char buffer[1 << 14];
  while (true) {
    const ssize_t n = read(file.fd(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(errno, "cannot read", path);
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
    if (content.size() > max_bytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          path, " is larger than ", max_bytes, " bytes, which are accepted"));
    }
  }
}

absl::Status WriteNewFile(const std::string& path, absl::string_view content,
                          mode_t mode) {
  const std::string temporary = TemporaryName(path);
  absl::Status written;
  {
    const File file(::open(temporary.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file.open()) return SystemError(errno, "cannot create", temporary);
    written = WriteAll(file.fd(), content, temporary);
  }
  // link(), unlike rename(), does not replace what is there.
  if (written.ok() && link(temporary.c_str(), path.c_str()) != 0) {
    written = SystemError(errno, "cannot create", path);
  }
  unlink(temporary.c_str());
  if (!written.ok()) return written;
  return SyncFolder(FolderOf(path));
}

absl::Status MakeFolders(const std::string& path, mode_t mode) {
  if (path.empty()) return absl::InvalidArgumentError("a folder has no name");
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (mkdir(folder.c_str(), mode) != 0 && errno != EEXIST) {
      return SystemError(errno, "cannot create folder", folder);
    }
    if (end == std::string::npos) break;
  }
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return SystemError(errno, "cannot read", path);
  }
  if (!S_ISDIR(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is no folder"));
  }
  return absl::OkStatus();
}

}  // namespace windproof
