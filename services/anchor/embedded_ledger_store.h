// Where an embedded ledger keeps its bytes in RocksDB.
//
// Source: docs/formats/ledger.md. Column families:
//   entries  position (8)                 -> the entry's bytes
//   nodes    position (8)                 -> the hashes beside that leaf
//   index    key length (2) | key | position (8) -> nothing
//   default  "vkey", "head"               -> the ledger's verifier key, the
//                                            newest head's note
// Integers are big-endian, so that RocksDB's order is that of positions.
// Thread-safe, as RocksDB is.
#ifndef WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_STORE_H_
#define WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"

namespace windproof {

class EmbeddedLedgerStore {
 public:
  enum class Mode {
    kCreate,    // made where there is none; one process at a time
    kWrite,     // must exist; one process at a time
    kReadOnly,  // must exist; beside others too, as of the opening
  };

  // NotFound: there is none at `path`. Unavailable: another process holds it.
  // DataLoss: RocksDB finds it damaged.
  static absl::StatusOr<std::unique_ptr<EmbeddedLedgerStore>> Open(
      const std::string& path, Mode mode);

  ~EmbeddedLedgerStore();

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* entries() { return handles_[1]; }
  rocksdb::ColumnFamilyHandle* nodes() { return handles_[2]; }
  rocksdb::ColumnFamilyHandle* index() { return handles_[3]; }
  rocksdb::ColumnFamilyHandle* meta() { return handles_[0]; }

  // Empty where the meta value `name` is absent.
  absl::StatusOr<std::string> Meta(absl::string_view name);

  // Writes all of it, or nothing, and waits for the disk.
  absl::Status Commit(rocksdb::WriteBatch& batch);

 private:
  EmbeddedLedgerStore() = default;

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

inline constexpr absl::string_view kLedgerMetaVkey = "vkey";
inline constexpr absl::string_view kLedgerMetaHead = "head";

std::string LedgerPositionKey(int64_t position);

// `bytes` has 8 bytes.
int64_t LedgerPositionOf(absl::string_view bytes);

// What all of a key's index entries begin with, and one of them.
std::string LedgerIndexPrefix(absl::string_view key);
std::string LedgerIndexKey(absl::string_view key, int64_t position);

// Takes an index entry apart; false where it is none.
bool ParseLedgerIndexKey(absl::string_view bytes, absl::string_view* key,
                         int64_t* position);

rocksdb::Slice SliceOf(absl::string_view bytes);
absl::string_view ViewOf(const rocksdb::Slice& slice);

// `what` says what was tried.
absl::Status FromRocksStatus(const rocksdb::Status& status,
                             absl::string_view what);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_STORE_H_
