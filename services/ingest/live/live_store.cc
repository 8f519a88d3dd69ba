#include "services/ingest/live/live_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace windproof {
namespace {

constexpr absl::string_view kFormatKey = "format";
constexpr absl::string_view kFormat = "windproof-dwd-live-1";
constexpr absl::string_view kNone = "-";
constexpr size_t kTimeBytes = 8;

rocksdb::Slice SliceOf(absl::string_view bytes) {
  return rocksdb::Slice(bytes.data(), bytes.size());
}

std::string StationKey(const std::string& station) {
  return absl::StrCat("station/", station);
}

std::string RowPrefix(const std::string& station) {
  return absl::StrCat("row/", station, " ");
}

std::string RowKey(const std::string& station, int64_t time_s) {
  std::string key = RowPrefix(station);
  const uint64_t bits = static_cast<uint64_t>(time_s) ^ (uint64_t{1} << 63);
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(bits >> shift));
  }
  return key;
}

std::string UrlKey(const std::string& url) { return absl::StrCat("url/", url); }

std::string RowValue(const LiveKnownRow& row) {
  std::string value(1, static_cast<char>(row.kind));
  value.append(reinterpret_cast<const char*>(row.hash.data()), row.hash.size());
  return value;
}

std::optional<LiveKnownRow> ParseRow(absl::string_view time,
                                     absl::string_view value) {
  LiveKnownRow row;
  if (time.size() != kTimeBytes || value.size() != 1 + row.hash.size() ||
      static_cast<uint8_t>(value[0]) >
          static_cast<uint8_t>(LiveFileKind::kRecent)) {
    return std::nullopt;
  }
  uint64_t bits = 0;
  for (const char c : time) bits = bits << 8 | static_cast<uint8_t>(c);
  row.time_s = static_cast<int64_t>(bits ^ (uint64_t{1} << 63));
  row.kind = static_cast<LiveFileKind>(value[0]);
  std::copy(value.begin() + 1, value.end(), row.hash.begin());
  return row;
}

std::string NumberOrNone(const std::optional<int64_t>& number) {
  return number.has_value() ? absl::StrCat(*number) : std::string(kNone);
}

bool ParseNumberOrNone(absl::string_view text, std::optional<int64_t>* number) {
  if (text == kNone) {
    number->reset();
    return true;
  }
  return absl::SimpleAtoi(text, &number->emplace());
}

std::string StateText(const LiveStationState& state) {
  return absl::StrCat(NumberOrNone(state.last_row_s), " ", state.last_seen_ms,
                      " ", state.floor_s, " ", state.rows_known, " ",
                      NumberOrNone(state.stated_ms), " ",
                      state.sent_since_stated ? 1 : 0);
}

std::optional<LiveStationState> ParseState(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ' ');
  LiveStationState state;
  if (parts.size() != 6 || !ParseNumberOrNone(parts[0], &state.last_row_s) ||
      !absl::SimpleAtoi(parts[1], &state.last_seen_ms) ||
      !absl::SimpleAtoi(parts[2], &state.floor_s) ||
      !absl::SimpleAtoi(parts[3], &state.rows_known) ||
      !ParseNumberOrNone(parts[4], &state.stated_ms) ||
      (parts[5] != "0" && parts[5] != "1")) {
    return std::nullopt;
  }
  state.sent_since_stated = parts[5] == "1";
  return state;
}

class RocksLiveStore final : public LiveStore {
 public:
  RocksLiveStore(std::string path, std::unique_ptr<rocksdb::DB> db)
      : path_(std::move(path)), db_(std::move(db)) {}

  absl::StatusOr<LiveStationState> State(const std::string& station) override {
    const auto text = Get(StationKey(station));
    if (!text.ok()) return text.status();
    if (!text->has_value()) return LiveStationState();
    const std::optional<LiveStationState> state = ParseState(**text);
    if (!state.has_value()) return Damaged("state of station ", station);
    return *state;
  }

  absl::StatusOr<std::vector<LiveKnownRow>> Rows(const std::string& station,
                                                 int64_t first_s,
                                                 int64_t last_s,
                                                 size_t rows_max) override {
    std::vector<LiveKnownRow> rows;
    const std::string prefix = RowPrefix(station);
    const std::unique_ptr<rocksdb::Iterator> it(
        db_->NewIterator(rocksdb::ReadOptions()));
    for (it->Seek(RowKey(station, first_s));
         it->Valid() && rows.size() < rows_max; it->Next()) {
      const absl::string_view key(it->key().data(), it->key().size());
      if (!absl::StartsWith(key, prefix)) break;
      const std::optional<LiveKnownRow> row =
          ParseRow(key.substr(prefix.size()),
                   absl::string_view(it->value().data(), it->value().size()));
      if (!row.has_value()) return Damaged("row of station ", station);
      if (row->time_s > last_s) break;
      rows.push_back(*row);
    }
    const absl::Status read = From("read", it->status());
    if (!read.ok()) return read;
    return rows;
  }

  absl::StatusOr<LiveValidators> Validators(const std::string& url) override {
    const auto text = Get(UrlKey(url));
    if (!text.ok()) return text.status();
    LiveValidators validators;
    if (text->has_value()) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(**text, absl::MaxSplits('\n', 1));
      validators = {parts.first, parts.second};
    }
    return validators;
  }

  absl::Status Commit(const LiveCommit& commit) override {
    rocksdb::WriteBatch batch;
    for (const int64_t time_s : commit.forgotten) {
      batch.Delete(RowKey(commit.station, time_s));
    }
    for (const LiveKnownRow& row : commit.rows) {
      batch.Put(RowKey(commit.station, row.time_s), RowValue(row));
    }
    batch.Put(StationKey(commit.station), StateText(commit.state));
    if (commit.url.has_value()) {
      const auto& [url, validators] = *commit.url;
      batch.Put(UrlKey(url),
                absl::StrCat(validators.etag, "\n", validators.last_modified));
    }
    rocksdb::WriteOptions durable;
    durable.sync = true;
    return From("write", db_->Write(durable, &batch));
  }

  // Reads the format, or writes it into a new store.
  absl::Status CheckFormat() {
    const auto format = Get(std::string(kFormatKey));
    if (!format.ok()) return format.status();
    if (!format->has_value()) {
      rocksdb::WriteOptions durable;
      durable.sync = true;
      return From("write",
                  db_->Put(durable, SliceOf(kFormatKey), SliceOf(kFormat)));
    }
    if (**format == kFormat) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("live source's store ", path_, ": its format is `",
                     **format, "`; `", kFormat, "` is accepted"));
  }

 private:
  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) {
    std::string value;
    const rocksdb::Status got = db_->Get(rocksdb::ReadOptions(), key, &value);
    if (got.IsNotFound()) return std::nullopt;
    if (!got.ok()) return From("read", got);
    return value;
  }

  absl::Status From(absl::string_view doing, const rocksdb::Status& status) {
    if (status.ok()) return absl::OkStatus();
    const std::string message = absl::StrCat(
        "live source's store ", path_, ": ", doing, ": ", status.ToString());
    if (status.IsCorruption()) return absl::DataLossError(message);
    if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
    return absl::UnavailableError(message);
  }

  absl::Status Damaged(absl::string_view what, const std::string& station) {
    return absl::DataLossError(absl::StrCat("live source's store ", path_, ": ",
                                            what, station, " cannot be read"));
  }

  const std::string path_;
  const std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LiveStore>> OpenLiveStore(
    const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("live source's store ", path,
                     ": cannot make the folder: ", error.message()));
  }
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 2 << 20;
  options.max_open_files = 64;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.max_log_file_size = 1 << 20;
  options.keep_log_file_num = 2;
  // Only what was cut off at the end of the write-ahead log was never durable.
  options.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(2 << 20);
  table.cache_index_and_filter_blocks = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options, path, &db);
  if (!opened.ok()) {
    const std::string message = absl::StrCat("live source's store ", path,
                                             ": open: ", opened.ToString());
    if (opened.IsCorruption()) return absl::DataLossError(message);
    if (opened.IsNoSpace()) return absl::ResourceExhaustedError(message);
    if (opened.IsIOError() && absl::StrContains(opened.ToString(), "LOCK")) {
      return absl::FailedPreconditionError(
          absl::StrCat(message, "; another process has it: stop it first"));
    }
    return absl::UnavailableError(message);
  }
  auto store =
      std::make_unique<RocksLiveStore>(path, std::unique_ptr<rocksdb::DB>(db));
  const absl::Status checked = store->CheckFormat();
  if (!checked.ok()) return checked;
  return store;
}

}  // namespace windproof
