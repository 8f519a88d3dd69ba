#include "tests/fault/log_truth.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/record_log/embedded_log.h"

namespace windproof {
namespace {

constexpr size_t kPollRecords = 10'000;

OwnedRecord Owned(const LogRecord& record) {
  OwnedRecord result;
  result.offset = record.offset;
  result.log_time_ms = record.log_time_ms;
  if (record.key.has_value()) result.key = std::string(*record.key);
  if (record.value.has_value()) result.value = std::string(*record.value);
  for (const LogRecord::Header& header : record.headers) {
    auto& [name, value] = result.headers.emplace_back();
    name = std::string(header.name);
    if (header.value.has_value()) value = std::string(*header.value);
  }
  return result;
}

}  // namespace

absl::StatusOr<std::vector<OwnedRecord>> ReadPartition(
    RecordLog& log, const TopicPartition& source) {
  const absl::StatusOr<LogBounds> bounds = log.Bounds(source);
  if (!bounds.ok()) return bounds.status();
  std::vector<OwnedRecord> records;
  const std::unique_ptr<LogReader> reader = log.NewReader();
  reader->Assign(source, bounds->begin);
  int64_t next = bounds->begin;
  while (next < bounds->end) {
    absl::StatusOr<std::optional<RecordBatch>> batch =
        reader->Poll(kPollRecords, std::chrono::seconds(60));
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) {
      return absl::DataLossError(absl::StrCat(source.topic, " ends at ", next,
                                              " before its end ", bounds->end));
    }
    if (!(*batch)->status.ok()) return (*batch)->status;
    for (const LogRecord& record : (*batch)->records) {
      records.push_back(Owned(record));
    }
    next = (*batch)->next_offset;
  }
  return records;
}

absl::StatusOr<LogContent> ReadLog(const std::string& path) {
  EmbeddedLog::Options options;
  options.path = path;
  options.read_only = true;
  const absl::StatusOr<std::unique_ptr<EmbeddedLog>> log =
      EmbeddedLog::Open(options);
  if (!log.ok()) return log.status();
  const absl::StatusOr<std::vector<TopicPartition>> sources =
      (*log)->ListPartitions();
  if (!sources.ok()) return sources.status();
  LogContent content;
  for (const TopicPartition& source : *sources) {
    if (source.partition != 0) {
      return absl::FailedPreconditionError(
          absl::StrCat(source.topic, " has partition ", source.partition,
                       "; only 0 is read"));
    }
    absl::StatusOr<std::vector<OwnedRecord>> records =
        ReadPartition(**log, source);
    if (!records.ok()) return records.status();
    content[source.topic] = *std::move(records);
  }
  return content;
}

absl::StatusOr<CheckpointsByKey> Recompute(const PipelineSpec& spec,
                                           const LogContent& log) {
  CheckpointsByKey result;
  for (const auto& [topic, records] : log) {
    EngineRun run(spec, topic, /*partition=*/0, /*origin=*/0);
    if (absl::Status status = run.Feed(records); !status.ok()) return status;
    run.Commit();
    for (const WrittenWindow& window : run.written()) {
      const Checkpoint& checkpoint = window.checkpoint;
      result[checkpoint.key].push_back({checkpoint.key,
                                        checkpoint.window_start_ms,
                                        checkpoint.revision, window.bytes});
    }
  }
  return result;
}

}  // namespace windproof
