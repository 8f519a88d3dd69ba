// A data folder and who has it: one process that writes, or any number that
// read a stopped store.
//
//   DIR/LOCK         flock(2): exclusive for a writer, shared for readers
//   DIR/log …        what the stores keep (their own headers)
//   DIR/keys/…       see key_store.h
#ifndef WINDPROOF_COMMON_SERVER_DATA_DIR_H_
#define WINDPROOF_COMMON_SERVER_DATA_DIR_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

// The lock lasts as long as the object, and ends with the process in any case.
// Thread-safe.
class DataDir {
 public:
  enum class Use { kWrite, kRead };

  // kWrite makes the folder (0700) if it is missing; kRead needs it to be there
  // and writes nothing.
  //
  // FailedPrecondition: another process has it; the message names that process
  // and what to do. NotFound: kRead, and there is none.
  static absl::StatusOr<std::unique_ptr<DataDir>> Open(const std::string& path,
                                                       Use use);

  ~DataDir();
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  const std::string& path() const { return path_; }

  // path()/name
  std::string Sub(absl::string_view name) const;

 private:
  DataDir(std::string path, int lock_fd)
      : path_(std::move(path)), lock_fd_(lock_fd) {}

  const std::string path_;
  const int lock_fd_;  // -1: a reader found no lock file
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_DATA_DIR_H_
