#include "services/anchor/multichain/rocks_mirror_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/cache.h"
#include "rocksdb/comparator.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "services/anchor/embedded_ledger_store.h"

namespace windproof {
namespace {

rocksdb::Options StoreOptions() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(16 << 20);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Memory does not grow with the stream.
  table.cache_index_and_filter_blocks = true;
  table.index_type =
      rocksdb::BlockBasedTableOptions::IndexType::kTwoLevelIndexSearch;
  table.partition_filters = true;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = 8 << 20;
  // Most names that are looked up are not there.
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.max_total_wal_size = 32 << 20;
  options.max_background_jobs = 2;
  options.max_open_files = 64;
  options.keep_log_file_num = 2;
  return options;
}

}  // namespace

RocksMirrorStore::RocksMirrorStore(std::unique_ptr<rocksdb::DB> db,
                                   std::string path)
    : db_(std::move(db)),
      path_(std::move(path)),
      batch_(rocksdb::BytewiseComparator(), 0, /*overwrite_key=*/true) {}

absl::StatusOr<std::unique_ptr<RocksMirrorStore>> RocksMirrorStore::Open(
    const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make ", path, ": ", error.message()));
  }
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(StoreOptions(), path, &db);
  if (!status.ok()) {
    return FromRocksStatus(
        status, absl::StrCat("open the mirror of the stream ", path,
                             " (if it is damaged, delete the folder: it is "
                             "rebuilt from the chain)"));
  }
  return absl::WrapUnique(
      new RocksMirrorStore(std::unique_ptr<rocksdb::DB>(db), path));
}

absl::Status RocksMirrorStore::Failed(const rocksdb::Status& status,
                                      absl::string_view what) const {
  return FromRocksStatus(
      status, absl::StrCat(what, " the mirror of the stream ", path_));
}

std::unique_ptr<rocksdb::Iterator> RocksMirrorStore::NewIterator() const {
  rocksdb::Iterator* const base = db_->NewIterator(rocksdb::ReadOptions());
  if (batch_.GetWriteBatch()->Count() == 0) {
    return std::unique_ptr<rocksdb::Iterator>(base);
  }
  return std::unique_ptr<rocksdb::Iterator>(batch_.NewIteratorWithBase(base));
}

absl::StatusOr<std::optional<std::string>> RocksMirrorStore::Get(
    absl::string_view key) const {
  std::string value;
  const rocksdb::Status status = batch_.GetFromBatchAndDB(
      db_.get(), rocksdb::ReadOptions(), SliceOf(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return Failed(status, "read");
  return std::optional<std::string>(std::move(value));
}

absl::Status RocksMirrorStore::Scan(
    absl::string_view prefix, absl::string_view from,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>
        visit) const {
  const std::unique_ptr<rocksdb::Iterator> it = NewIterator();
  for (it->Seek(SliceOf(std::max(prefix, from)));
       it->Valid() && it->key().starts_with(SliceOf(prefix)); it->Next()) {
    if (!visit(ViewOf(it->key()), ViewOf(it->value()))) break;
  }
  return it->status().ok() ? absl::OkStatus() : Failed(it->status(), "read");
}

absl::StatusOr<std::optional<std::pair<std::string, std::string>>>
RocksMirrorStore::Last(absl::string_view prefix) const {
  const std::unique_ptr<rocksdb::Iterator> it = NewIterator();
  it->SeekForPrev(absl::StrCat(prefix, "\xFF"));
  std::optional<std::pair<std::string, std::string>> last;
  if (it->Valid() && it->key().starts_with(SliceOf(prefix))) {
    last.emplace(it->key().ToString(), it->value().ToString());
  }
  if (!it->status().ok()) return Failed(it->status(), "read");
  return last;
}

void RocksMirrorStore::Put(absl::string_view key, absl::string_view value) {
  batch_.Put(SliceOf(key), SliceOf(value));
}

void RocksMirrorStore::Delete(absl::string_view key) {
  batch_.Delete(SliceOf(key));
}

absl::Status RocksMirrorStore::Commit() {
  const rocksdb::Status status =
      db_->Write(rocksdb::WriteOptions(), batch_.GetWriteBatch());
  batch_.Clear();
  return status.ok() ? absl::OkStatus() : Failed(status, "write");
}

void RocksMirrorStore::Discard() { batch_.Clear(); }

absl::Status RocksMirrorStore::Clear() {
  batch_.Clear();
  rocksdb::WriteBatch all;
  const std::string end(1, '\xFF');
  all.DeleteRange(db_->DefaultColumnFamily(), rocksdb::Slice(), end);
  const rocksdb::Status status = db_->Write(rocksdb::WriteOptions(), &all);
  return status.ok() ? absl::OkStatus() : Failed(status, "empty");
}

}  // namespace windproof
