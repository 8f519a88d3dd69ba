#include "services/window_hash/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <cstdarg>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/window_hash/receipt_merge.h"

namespace windproof {
namespace {

// In the order of Family.
constexpr const char* kFamilyNames[kFamilyCount] = {
    "payloads", "checkpoints", "outbox", "dropped", "open", "state"};

// A smaller payload stands with its key.
constexpr uint64_t kBlobBytesMin = 512;

bool HasCompression(rocksdb::CompressionType type) {
  const std::vector<rocksdb::CompressionType> supported =
      rocksdb::GetSupportedCompressions();
  return std::find(supported.begin(), supported.end(), type) != supported.end();
}

rocksdb::ColumnFamilyOptions FamilyOptions(
    Family family, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // Indexes too, so that the cache's size is a bound.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.block_size = 16 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = 8 << 20;
  options.max_write_buffer_number = 2;
  options.target_file_size_base = 16 << 20;
  options.max_bytes_for_level_base = 64 << 20;
  // Canonical records look alike: the fastest level is enough. What is small
  // and short-lived stays as it is.
  const bool text = family == Family::kCheckpoints ||
                    family == Family::kDropped || family == Family::kOpen;
  options.compression = text && HasCompression(rocksdb::kZSTD)
                            ? rocksdb::kZSTD
                            : rocksdb::kNoCompression;
  options.compression_opts.level = 1;
  // A fresh file is soon written again: compressing it would be for nothing.
  if (options.compression != rocksdb::kNoCompression) {
    options.compression_per_level.assign(
        static_cast<size_t>(options.num_levels), options.compression);
    options.compression_per_level[0] = rocksdb::kNoCompression;
  }
  if (family == Family::kCheckpoints) {
    options.merge_operator = NewReceiptMerge();
  }
  if (family == Family::kPayloads) {
    // Payloads come packed, and are never written again: they stay in the blob
    // file that they first went into, and compactions move their keys alone.
    options.enable_blob_files = true;
    options.min_blob_size = kBlobBytesMin;
    options.blob_file_size = 64 << 20;
  }
  return options;
}

// RocksDB writes a log file of its own into the folder even when it only reads.
class NoLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(what, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  if (status.IsNotFound()) return absl::NotFoundError(message);
  if (status.IsNotSupported()) return absl::FailedPreconditionError(message);
  if (status.IsInvalidArgument()) return absl::DataLossError(message);
  return absl::UnavailableError(message);
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(
    const Options& options) {
  std::unique_ptr<Database> database(new Database(options));
  const std::shared_ptr<rocksdb::Cache> cache =
      rocksdb::NewLRUCache(options.block_cache_bytes);

  rocksdb::DBOptions db_options;
  db_options.create_if_missing = true;
  db_options.create_missing_column_families = true;
  db_options.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(options.write_buffer_bytes);
  db_options.max_total_wal_size = 64 << 20;
  db_options.max_open_files = 64;
  db_options.max_background_jobs = 2;
  db_options.keep_log_file_num = 2;
  db_options.info_log_level = rocksdb::WARN_LEVEL;
  if (options.read_only) db_options.info_log = std::make_shared<NoLogger>();
  db_options.stats_dump_period_sec = 0;
  // After a power loss: the longest run of whole commits. What is missing is
  // read from the log again and gives the same bytes.
  db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;

  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = {
      {rocksdb::kDefaultColumnFamilyName,
       FamilyOptions(Family::kState, cache)}};
  for (size_t i = 0; i < kFamilyCount; ++i) {
    descriptors.emplace_back(kFamilyNames[i],
                             FamilyOptions(static_cast<Family>(i), cache));
  }

  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, options.path, descriptors,
                                         &database->handles_, &db)
          : rocksdb::DB::Open(db_options, options.path, descriptors,
                              &database->handles_, &db);
  if (!status.ok()) {
    const std::string what =
        absl::StrCat("window-hash store ", options.path, " cannot be opened");
    if (options.read_only && status.IsIOError()) {
      return absl::NotFoundError(absl::StrCat(what, ": ", status.ToString()));
    }
    return FromRocks(status, what);
  }
  database->db_.reset(db);
  for (size_t i = 0; i < kFamilyCount; ++i) {
    database->families_[i] = database->handles_[i + 1];
  }
  return database;
}

Database::~Database() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    db_->DestroyColumnFamilyHandle(handle);
  }
}

absl::StatusOr<std::optional<std::string>> Database::Get(
    Family family, absl::string_view key) {
  std::string value;
  const rocksdb::Status status = db_->Get(
      rocksdb::ReadOptions(), this->family(family), SliceOf(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return FromRocks(status, "window-hash store, read");
  return value;
}

absl::Status Database::Scan(Family family, absl::string_view prefix,
                            absl::string_view begin,
                            absl::FunctionRef<absl::StatusOr<bool>(
                                absl::string_view, absl::string_view)>
                                visit) {
  const std::unique_ptr<rocksdb::Iterator> it(
      db_->NewIterator(rocksdb::ReadOptions(), this->family(family)));
  for (it->Seek(SliceOf(begin)); it->Valid(); it->Next()) {
    const absl::string_view key = ViewOf(it->key());
    if (!absl::StartsWith(key, prefix)) break;
    const absl::StatusOr<bool> more = visit(key, ViewOf(it->value()));
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  return FromRocks(it->status(), "window-hash store, scan");
}

absl::Status Database::Write(rocksdb::WriteBatch* batch) {
  if (read_only()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "window-hash store ", options_.path, " is open for reading only"));
  }
  return FromRocks(db_->Write(rocksdb::WriteOptions(), batch),
                   "window-hash store, write");
}

}  // namespace windproof
