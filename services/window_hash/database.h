// The RocksDB database of window-hash: how it is opened and how its errors
// read.
//
// Memory is bounded: one block cache and one budget of write buffers for all
// column families.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_DATABASE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_DATABASE_H_

#include <rocksdb/db.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

enum class Family { kPayloads, kCheckpoints, kOutbox, kDropped, kOpen, kState };
inline constexpr size_t kFamilyCount = 6;

// Corruption becomes DataLoss, a full disk ResourceExhausted, a lock that
// another process holds or an I/O error Unavailable. `what` says what was
// tried.
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what);

inline rocksdb::Slice SliceOf(absl::string_view view) {
  return rocksdb::Slice(view.data(), view.size());
}
inline absl::string_view ViewOf(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

// Thread-safe.
class Database {
 public:
  struct Options {
    std::string path;
    // Nothing is written, not even by recovery; the directory must exist.
    bool read_only = false;
    size_t block_cache_bytes = size_t{8} << 20;
    size_t write_buffer_bytes = size_t{24} << 20;
  };

  // NotFound: read-only, and there is no database.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Family family) const {
    return families_[static_cast<size_t>(family)];
  }

  // Nothing where there is no such key.
  absl::StatusOr<std::optional<std::string>> Get(Family family,
                                                 absl::string_view key);

  // Calls `visit` with each entry from `begin` on, in order of keys, as long as
  // the key begins with `prefix` and the call returns true.
  absl::Status Scan(Family family, absl::string_view prefix,
                    absl::string_view begin,
                    absl::FunctionRef<absl::StatusOr<bool>(
                        absl::string_view key, absl::string_view value)>
                        visit);

  // All or nothing. FailedPrecondition when read-only.
  absl::Status Write(rocksdb::WriteBatch* batch);

  bool read_only() const { return options_.read_only; }

 private:
  explicit Database(const Options& options) : options_(options) {}

  const Options options_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> families_{};
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_DATABASE_H_
