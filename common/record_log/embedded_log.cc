#include "common/record_log/embedded_log.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/log_record.h"
#include "common/record_log/embedded_log_core.h"
#include "common/record_log/embedded_log_reader.h"
#include "common/record_log/embedded_store.h"
#include "common/record_log/topic.h"

namespace windproof {
namespace {

constexpr size_t kMaxRawRecordBytes = 64 << 20;
constexpr int32_t kMaxPartitions = 10'000;

void AppendRaw(const NewRecord& record, std::string* out) {
  LogRecord raw;
  raw.log_time_ms = record.log_time_ms;
  if (record.key.has_value()) raw.key = *record.key;
  if (record.value.has_value()) raw.value = *record.value;
  for (const auto& [name, value] : record.headers) {
    raw.headers.push_back({name, absl::string_view(value)});
  }
  AppendRawRecord(raw, out);
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::Open(
    const Options& options) {
  if (options.partitions_per_topic < 1 ||
      options.partitions_per_topic > kMaxPartitions) {
    return absl::InvalidArgumentError(
        absl::StrCat("partitions_per_topic is ", options.partitions_per_topic,
                     "; 1 to ", kMaxPartitions, " are accepted"));
  }
  EmbeddedStore::Options store_options;
  store_options.path = options.path;
  store_options.read_only = options.read_only;
  store_options.write_buffer_bytes = options.write_buffer_bytes;
  store_options.block_cache_bytes = options.block_cache_bytes;
  auto store = EmbeddedStore::Open(store_options);
  if (!store.ok()) return store.status();
  auto contents = (*store)->Load();
  if (!contents.ok()) return contents.status();
  EmbeddedLogCore::Options core_options;
  core_options.partitions_per_topic = options.partitions_per_topic;
  core_options.batch_bytes_max = options.batch_bytes_max;
  return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(
      options, std::make_unique<EmbeddedLogCore>(
                   core_options, *std::move(store), *std::move(contents))));
}

EmbeddedLog::EmbeddedLog(const Options& options,
                         std::unique_ptr<EmbeddedLogCore> core)
    : options_(options), core_(std::move(core)) {}

EmbeddedLog::~EmbeddedLog() = default;

absl::Status EmbeddedLog::CheckWritable() const {
  if (!options_.read_only) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "record log ", options_.path, " was opened for reading only"));
}

absl::StatusOr<std::vector<AppendedRecord>> EmbeddedLog::Append(
    absl::Span<const NewRecord> records) {
  const absl::Status writable = CheckWritable();
  if (!writable.ok()) return writable;
  AppendRequest request;
  request.records = records;
  request.ends.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (i == 0 || records[i].topic != records[i - 1].topic) {
      absl::Status named = CheckTopicName(records[i].topic);
      if (!named.ok()) return named;
    }
    const size_t begin = request.raw.size();
    AppendRaw(records[i], &request.raw);
    if (request.raw.size() - begin > kMaxRawRecordBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("record ", i, " has ", request.raw.size() - begin,
                       " bytes; ", kMaxRawRecordBytes, " are accepted"));
    }
    request.ends.push_back(request.raw.size());
  }
  if (records.empty()) return std::vector<AppendedRecord>();
  absl::Status appended = core_->Append(&request);
  if (!appended.ok()) return appended;
  return std::move(request.appended);
}

absl::Status EmbeddedLog::EnsureTopic(const TopicNeed& need) {
  absl::Status checked = CheckWritable();
  if (!checked.ok()) return checked;
  checked = CheckTopicName(need.topic);
  if (!checked.ok()) return checked;
  if (need.partitions < 1 || need.partitions > kMaxPartitions) {
    return absl::InvalidArgumentError(absl::StrCat(
        "partitions of topic ", need.topic, " is ", need.partitions, "; 1 to ",
        kMaxPartitions, " are accepted"));
  }
  AppendRequest request;
  request.need = &need;
  return core_->Append(&request);
}

std::unique_ptr<LogReader> EmbeddedLog::NewReader() {
  return std::make_unique<EmbeddedLogReader>(*core_);
}

absl::StatusOr<LogBounds> EmbeddedLog::Bounds(const TopicPartition& source) {
  return core_->Bounds(source);
}

absl::StatusOr<std::vector<TopicPartition>> EmbeddedLog::ListPartitions() {
  return core_->ListPartitions();
}

void EmbeddedLog::WaitForPartitions(size_t known,
                                    std::chrono::milliseconds timeout) {
  core_->WaitForPartitions(known, timeout);
}

absl::Status EmbeddedLog::Health() { return core_->Health(); }

}  // namespace windproof
