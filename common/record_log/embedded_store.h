// The RocksDB side of the embedded log: what stands on the disk, without any
// offsets to assign, readers to wake or threads to serialise.
//
// Thread-safe; one writer at a time.
#ifndef WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_STORE_H_
#define WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/record_log/record_log.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/write_batch.h"

namespace windproof {

class EmbeddedStore {
 public:
  struct Options {
    std::string path;
    bool read_only = false;
    size_t write_buffer_bytes = 0;
    size_t block_cache_bytes = 0;
  };

  // Which topics there are and which offsets their partitions hold.
  struct Contents {
    std::map<std::string, int32_t, std::less<>> topics;  // partitions of each
    std::map<TopicPartition, LogBounds> partitions;
  };

  // Errors as of EmbeddedLog::Open().
  static absl::StatusOr<std::unique_ptr<EmbeddedStore>> Open(
      const Options& options);

  ~EmbeddedStore();
  EmbeddedStore(const EmbeddedStore&) = delete;
  EmbeddedStore& operator=(const EmbeddedStore&) = delete;

  absl::StatusOr<Contents> Load();

  // Writes and syncs. Unavailable or ResourceExhausted: it may be on the disk
  // or not.
  absl::Status Write(rocksdb::WriteBatch* batch);

  // The records of [from, end), at most `max_records` (>= 1) of them and, but
  // for the first, at most `max_bytes`. DataLoss with no records where damaged
  // bytes stand first; those before damaged bytes are given without it.
  RecordBatch Read(const TopicPartition& source, int64_t from, int64_t end,
                   size_t max_records, size_t max_bytes);

 private:
  EmbeddedStore(const Options& options, rocksdb::FileLock* lock,
                std::unique_ptr<rocksdb::DB> db);

  const Options options_;
  // Held by us only where RocksDB does not hold it itself: read_only.
  rocksdb::FileLock* const lock_;
  const std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_EMBEDDED_STORE_H_
