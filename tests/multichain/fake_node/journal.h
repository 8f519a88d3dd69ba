// A file of events that survives kill -9 of its writer.
//
// Each event is its length (4 bytes, little-endian) and its bytes, written in
// one call before the change is answered. A cut-off last event is dropped when
// the file is opened. Thread-compatible.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_JOURNAL_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_JOURNAL_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof::fake_node {

class Journal {
 public:
  // Creates the file, or gives its events to `replay` in order. DataLoss if
  // `replay` refuses one; Unavailable if the file cannot be used.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(
      const std::string& path,
      const std::function<bool(absl::string_view event)>& replay);
  ~Journal();

  void Append(absl::string_view event);

 private:
  explicit Journal(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_JOURNAL_H_
