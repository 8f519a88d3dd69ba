#include "common/record_log/embedded_store.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/log_record.h"
#include "common/record_log/embedded_log_keys.h"
#include "rocksdb/cache.h"
#include "rocksdb/convenience.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"

namespace windproof {
namespace {

rocksdb::Slice SliceOf(absl::string_view bytes) {
  return rocksdb::Slice(bytes.data(), bytes.size());
}

absl::string_view ViewOf(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

absl::Status InUse(absl::string_view path) {
  return absl::FailedPreconditionError(
      absl::StrCat("record log ", path,
                   ": the store is in use by another process; stop it first"));
}

absl::Status FromRocks(absl::string_view path, absl::string_view doing,
                       const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string message =
      absl::StrCat("record log ", path, ": ", doing, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  return absl::UnavailableError(message);
}

// LOCK is RocksDB's file; the message is all that tells a lock that is held
// from another error.
bool IsLockHeld(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return status.IsIOError() && absl::StrContains(text, "LOCK") &&
         (absl::StrContains(text, "Resource temporarily unavailable") ||
          absl::StrContains(text, "lock hold by current process"));
}

rocksdb::Options RocksOptions(const EmbeddedStore::Options& options) {
  rocksdb::Options rocks;
  rocks.create_if_missing = true;
  rocks.write_buffer_size = options.write_buffer_bytes;
  rocks.max_write_buffer_number = 2;
  rocks.max_open_files = 128;
  rocks.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  rocks.max_log_file_size = 1 << 20;
  rocks.keep_log_file_num = 2;
  // Records only ever come at the ends of their partitions: rewriting files
  // early wins nothing.
  rocks.level0_file_num_compaction_trigger = 8;
  // An unfinished record at the end of the write-ahead log is one that was
  // never acknowledged; anything else that is wrong there is an error, where
  // the default would silently drop what follows.
  rocks.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  for (const rocksdb::CompressionType type :
       rocksdb::GetSupportedCompressions()) {
    if (type == rocksdb::kLZ4Compression) rocks.compression = type;
  }
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.block_size = 16 << 10;
  // Indexes would otherwise grow with the log and stay in memory for ever.
  table.cache_index_and_filter_blocks = true;
  rocks.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return rocks;
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "record log ", path, ": cannot make the folder: ", error.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedStore>> EmbeddedStore::Open(
    const Options& options) {
  rocksdb::FileLock* lock = nullptr;
  rocksdb::DB* db = nullptr;
  rocksdb::Status opened;
  if (options.read_only) {
    std::error_code error;
    if (!std::filesystem::exists(options.path + "/CURRENT", error)) {
      return absl::NotFoundError(absl::StrCat(
          "record log ", options.path, ": there is none in this folder"));
    }
    // Without it a store that is being written to would be read in between. A
    // folder that cannot be written to is in no danger of that.
    const rocksdb::Status locked =
        rocksdb::Env::Default()->LockFile(options.path + "/LOCK", &lock);
    if (IsLockHeld(locked)) return InUse(options.path);
    if (!locked.ok()) lock = nullptr;
    opened =
        rocksdb::DB::OpenForReadOnly(RocksOptions(options), options.path, &db);
  } else {
    if (absl::Status made = MakeFolder(options.path); !made.ok()) return made;
    opened = rocksdb::DB::Open(RocksOptions(options), options.path, &db);
  }
  // Owns what is open from here on.
  std::unique_ptr<EmbeddedStore> store(
      new EmbeddedStore(options, lock, std::unique_ptr<rocksdb::DB>(db)));
  if (IsLockHeld(opened)) return InUse(options.path);
  if (!opened.ok()) return FromRocks(options.path, "open", opened);

  std::string format;
  const rocksdb::Status found =
      db->Get(rocksdb::ReadOptions(), SliceOf(kEmbeddedLogFormatKey), &format);
  if (found.IsNotFound()) {
    if (options.read_only) return store;  // made, and stopped at once
    rocksdb::WriteBatch batch;
    batch.Put(SliceOf(kEmbeddedLogFormatKey), SliceOf(kEmbeddedLogFormat));
    if (absl::Status written = store->Write(&batch); !written.ok()) {
      return written;
    }
    return store;
  }
  if (!found.ok()) return FromRocks(options.path, "read format", found);
  if (format != kEmbeddedLogFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("record log ", options.path, ": its format is `", format,
                     "`; `", kEmbeddedLogFormat, "` is accepted"));
  }
  return store;
}

EmbeddedStore::EmbeddedStore(const Options& options, rocksdb::FileLock* lock,
                             std::unique_ptr<rocksdb::DB> db)
    : options_(options), lock_(lock), db_(std::move(db)) {}

EmbeddedStore::~EmbeddedStore() {
  if (db_ != nullptr) db_->Close();
  if (lock_ != nullptr) rocksdb::Env::Default()->UnlockFile(lock_);
}

absl::StatusOr<EmbeddedStore::Contents> EmbeddedStore::Load() {
  Contents contents;
  const std::unique_ptr<rocksdb::Iterator> it(
      db_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(SliceOf(kEmbeddedLogTopicPrefix));
       it->Valid() &&
       absl::StartsWith(ViewOf(it->key()), kEmbeddedLogTopicPrefix);
       it->Next()) {
    const absl::string_view topic =
        ViewOf(it->key()).substr(kEmbeddedLogTopicPrefix.size());
    const auto partitions = ParsePartitionCount(ViewOf(it->value()));
    if (!partitions.has_value()) {
      return absl::DataLossError(absl::StrCat("record log ", options_.path,
                                              ": topic ", topic,
                                              " has no number of partitions"));
    }
    contents.topics.emplace(topic, *partitions);
  }

  for (const auto& [topic, partitions] : contents.topics) {
    for (int32_t partition = 0; it->status().ok() && partition < partitions;
         ++partition) {
      const TopicPartition source{topic, partition};
      LogBounds bounds;
      it->Seek(RecordKey(source, 0));
      if (it->Valid()) {
        const auto place = ParseRecordKey(ViewOf(it->key()));
        if (place.has_value() && place->source == source) {
          bounds.begin = place->offset;
          it->SeekForPrev(RecordKey(source, INT64_MAX));
          if (!it->Valid()) break;
          const auto last = ParseRecordKey(ViewOf(it->key()));
          bounds.end = last.has_value() ? last->offset + 1 : bounds.begin;
        }
      }
      contents.partitions.emplace(source, bounds);
    }
  }
  if (!it->status().ok()) {
    return FromRocks(options_.path, "read topics", it->status());
  }
  return contents;
}

absl::Status EmbeddedStore::Write(rocksdb::WriteBatch* batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  return FromRocks(options_.path, "write", db_->Write(options, batch));
}

RecordBatch EmbeddedStore::Read(const TopicPartition& source, int64_t from,
                                int64_t end, size_t max_records,
                                size_t max_bytes) {
  struct Extent {
    int64_t offset;
    size_t begin;
  };

  RecordBatch batch;
  batch.source = source;
  batch.next_offset = end;

  const std::string upper_key = RecordKey(source, end);
  const rocksdb::Slice upper = SliceOf(upper_key);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  // A log is read once from front to back: no use to anybody who comes later.
  options.fill_cache = false;

  // One piece of memory a batch. It moves while it grows, so the views into it
  // are made at the end.
  auto memory = std::make_shared<std::string>();
  std::vector<Extent> extents;
  const size_t key_size = upper_key.size();
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
  for (it->Seek(RecordKey(source, from)); it->Valid(); it->Next()) {
    const rocksdb::Slice raw = it->value();
    const auto place = it->key().size() == key_size
                           ? ParseRecordOffset(ViewOf(it->key()))
                           : std::nullopt;
    if (!place.has_value()) {
      batch.status = absl::DataLossError(absl::StrCat(
          "record log ", options_.path, ": a key of ", source.topic, "/",
          source.partition, " has ", it->key().size(), " bytes; ", key_size,
          " are accepted"));
      break;
    }
    if (extents.size() == max_records ||
        (!extents.empty() && memory->size() + raw.size() > max_bytes)) {
      batch.next_offset = *place;
      break;
    }
    extents.push_back({*place, memory->size()});
    memory->append(raw.data(), raw.size());
  }
  if (!it->status().ok()) {
    batch.status =
        FromRocks(options_.path,
                  absl::StrCat("read ", source.topic, "/", source.partition,
                               " from offset ", from),
                  it->status());
  }

  batch.records.reserve(extents.size());
  for (size_t i = 0; i < extents.size(); ++i) {
    const size_t stop =
        i + 1 < extents.size() ? extents[i + 1].begin : memory->size();
    absl::StatusOr<LogRecord> record = ParseRawRecord(
        extents[i].offset, absl::string_view(*memory).substr(
                               extents[i].begin, stop - extents[i].begin));
    if (!record.ok()) {
      batch.status = absl::DataLossError(
          absl::StrCat("record log ", options_.path, ": ", source.topic, "/",
                       source.partition, ": ", record.status().message()));
      break;
    }
    batch.records.push_back(*std::move(record));
  }
  if (!batch.status.ok() && !batch.records.empty()) {
    // What is good goes out first; the next read begins at what is not.
    batch.status = absl::OkStatus();
    batch.next_offset = batch.records.back().offset + 1;
  }
  batch.memory = std::move(memory);
  return batch;
}

}  // namespace windproof
