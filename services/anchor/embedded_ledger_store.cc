#include "services/anchor/embedded_ledger_store.h"

#include <filesystem>
#include <system_error>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"

namespace windproof {
namespace {

constexpr size_t kPositionSize = 8;

uint64_t BigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Small: a ledger grows by some kilobytes a second at most, and the process has
// other stores to feed.
rocksdb::Options DbOptions() {
  rocksdb::Options options;
  options.max_background_jobs = 2;
  options.max_open_files = 64;
  options.keep_log_file_num = 2;
  options.max_total_wal_size = 32 << 20;
  options.db_write_buffer_size = 16 << 20;
  // After a crash the last record of the log may be torn; what was acknowledged
  // was synced and lies before it. Damage anywhere else must not pass for that:
  // entries and head would go back together, which nothing else here can tell.
  options.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(
    const std::shared_ptr<rocksdb::Cache>& cache, bool compress) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 8 << 20;
  // Hashes do not compress.
  options.compression =
      compress ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedLedgerStore>> EmbeddedLedgerStore::Open(
    const std::string& path, Mode mode) {
  rocksdb::Options options = DbOptions();
  std::error_code error;
  if (mode == Mode::kCreate) {
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    std::filesystem::create_directories(path, error);
    if (error) {
      return absl::UnavailableError(absl::StrCat(
          "cannot make the ledger's folder ", path, ": ", error.message()));
    }
  } else if (!std::filesystem::exists(path + "/CURRENT", error)) {
    return absl::NotFoundError(absl::StrCat("there is no ledger in ", path));
  }
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(8 << 20);
  const std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, FamilyOptions(cache, true)},
      {"entries", FamilyOptions(cache, true)},
      {"nodes", FamilyOptions(cache, false)},
      {"index", FamilyOptions(cache, true)},
  };
  auto store = absl::WrapUnique(new EmbeddedLedgerStore);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      mode == Mode::kReadOnly
          ? rocksdb::DB::OpenForReadOnly(options, path, families,
                                         &store->handles_, &db)
          : rocksdb::DB::Open(options, path, families, &store->handles_, &db);
  if (!status.ok()) {
    return FromRocksStatus(status, absl::StrCat("open the ledger ", path));
  }
  store->db_.reset(db);
  return store;
}

EmbeddedLedgerStore::~EmbeddedLedgerStore() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    db_->DestroyColumnFamilyHandle(handle);
  }
  db_->Close();
}

absl::StatusOr<std::string> EmbeddedLedgerStore::Meta(absl::string_view name) {
  std::string value;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), meta(), SliceOf(name), &value);
  if (status.IsNotFound()) return std::string();
  if (!status.ok()) {
    return FromRocksStatus(status, absl::StrCat("read the ledger's ", name));
  }
  return value;
}

absl::Status EmbeddedLedgerStore::Commit(rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status status = db_->Write(options, &batch);
  if (!status.ok()) return FromRocksStatus(status, "write to the ledger");
  return absl::OkStatus();
}

std::string LedgerPositionKey(int64_t position) {
  std::string key;
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(position >> shift));
  }
  return key;
}

int64_t LedgerPositionOf(absl::string_view bytes) {
  return static_cast<int64_t>(BigEndian(bytes));
}

std::string LedgerIndexPrefix(absl::string_view key) {
  std::string prefix;
  prefix.reserve(2 + key.size() + kPositionSize);
  prefix.push_back(static_cast<char>(key.size() >> 8));
  prefix.push_back(static_cast<char>(key.size()));
  prefix.append(key.data(), key.size());
  return prefix;
}

std::string LedgerIndexKey(absl::string_view key, int64_t position) {
  return LedgerIndexPrefix(key) + LedgerPositionKey(position);
}

bool ParseLedgerIndexKey(absl::string_view bytes, absl::string_view* key,
                         int64_t* position) {
  if (bytes.size() < 2 + kPositionSize) return false;
  const uint64_t size = BigEndian(bytes.substr(0, 2));
  if (bytes.size() != 2 + size + kPositionSize) return false;
  *key = bytes.substr(2, size);
  *position = LedgerPositionOf(bytes.substr(2 + size));
  return true;
}

rocksdb::Slice SliceOf(absl::string_view bytes) {
  return rocksdb::Slice(bytes.data(), bytes.size());
}

absl::string_view ViewOf(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

absl::Status FromRocksStatus(const rocksdb::Status& status,
                             absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message =
      absl::StrCat("cannot ", what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsInvalidArgument() && absl::StrContains(message, "olumn famil")) {
    return absl::DataLossError(message);
  }
  return absl::UnavailableError(message);
}

}  // namespace windproof
