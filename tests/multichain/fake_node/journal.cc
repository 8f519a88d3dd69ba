#include "tests/multichain/fake_node/journal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"

namespace windproof::fake_node {
namespace {

constexpr size_t kLengthSize = 4;

absl::Status FileError(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat(what, " ", path, ": ", std::strerror(errno)));
}

// The size of what could be replayed; DataLoss if an event is refused.
absl::StatusOr<size_t> Replay(
    absl::string_view bytes,
    const std::function<bool(absl::string_view event)>& replay) {
  size_t at = 0;
  while (bytes.size() - at >= kLengthSize) {
    const size_t length =
        ByteReader(bytes.substr(at, kLengthSize)).Little(kLengthSize);
    if (bytes.size() - at - kLengthSize < length) break;
    if (!replay(bytes.substr(at + kLengthSize, length))) {
      return absl::DataLossError(
          absl::StrCat("the event at byte ", at, " does not fit"));
    }
    at += kLengthSize + length;
  }
  return at;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(
    const std::string& path,
    const std::function<bool(absl::string_view event)>& replay) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("open", path);
  std::unique_ptr<Journal> journal(new Journal(fd));
  struct stat status {};
  if (fstat(fd, &status) != 0) return FileError("stat", path);
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return journal;
  void* mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapped == MAP_FAILED) return FileError("map", path);
  const absl::StatusOr<size_t> whole =
      Replay(absl::string_view(static_cast<const char*>(mapped), size), replay);
  munmap(mapped, size);
  if (!whole.ok()) return whole.status();
  if (ftruncate(fd, static_cast<off_t>(*whole)) != 0 ||
      lseek(fd, 0, SEEK_END) < 0) {
    return FileError("truncate", path);
  }
  return journal;
}

Journal::~Journal() { close(fd_); }

void Journal::Append(absl::string_view event) {
  std::string record;
  record.reserve(event.size() + kLengthSize);
  AppendLittle(event.size(), kLengthSize, &record);
  record.append(event.data(), event.size());
  size_t written = 0;
  while (written < record.size()) {
    const ssize_t count =
        write(fd_, record.data() + written, record.size() - written);
    if (count < 0 && errno == EINTR) continue;
    // A node that cannot keep what it acknowledges must not go on.
    if (count <= 0) std::abort();
    written += static_cast<size_t>(count);
  }
}

}  // namespace windproof::fake_node
