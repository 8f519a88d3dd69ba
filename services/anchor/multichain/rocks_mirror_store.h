// A MirrorStore in a folder of its own, in RocksDB.
//
// What was committed outlives the process; a power failure may take the last of
// it, in order: the chain has it all.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_ROCKS_MIRROR_STORE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_ROCKS_MIRROR_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "rocksdb/db.h"
#include "rocksdb/utilities/write_batch_with_index.h"
#include "services/anchor/multichain/mirror_store.h"

namespace windproof {

class RocksMirrorStore final : public MirrorStore {
 public:
  // Made where there is none. Unavailable: another process has it. DataLoss: it
  // is damaged.
  static absl::StatusOr<std::unique_ptr<RocksMirrorStore>> Open(
      const std::string& path);

  absl::StatusOr<std::optional<std::string>> Get(
      absl::string_view key) const override;
  absl::Status Scan(
      absl::string_view prefix, absl::string_view from,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
          visit) const override;
  absl::StatusOr<std::optional<std::pair<std::string, std::string>>> Last(
      absl::string_view prefix) const override;
  void Put(absl::string_view key, absl::string_view value) override;
  void Delete(absl::string_view key) override;
  absl::Status Commit() override;
  void Discard() override;
  absl::Status Clear() override;

 private:
  RocksMirrorStore(std::unique_ptr<rocksdb::DB> db, std::string path);

  std::unique_ptr<rocksdb::Iterator> NewIterator() const;
  absl::Status Failed(const rocksdb::Status& status,
                      absl::string_view what) const;

  const std::unique_ptr<rocksdb::DB> db_;
  const std::string path_;
  // What is not committed yet. RocksDB's reads through it are not const.
  mutable rocksdb::WriteBatchWithIndex batch_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_ROCKS_MIRROR_STORE_H_
