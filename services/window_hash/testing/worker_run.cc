#include "services/window_hash/testing/worker_run.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"

namespace windproof {

const CheckpointSigner& TestSigner() {
  static const auto* signer = new CheckpointSigner{
      .name = "windproof/producer-test", .key = *Ed25519PrivateKey::Generate()};
  return *signer;
}

std::string NewTestDir(const std::string& name) {
  static int count = 0;
  const char* base = std::getenv("TEST_TMPDIR");
  const std::filesystem::path dir =
      std::filesystem::path(base != nullptr ? base : "/tmp") /
      absl::StrCat(name, "-", ++count);
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  return dir.string();
}

RecordBatch BatchOf(const TopicPartition& source,
                    const std::vector<OwnedRecord>& log, int64_t begin,
                    int64_t end) {
  RecordBatch batch;
  batch.source = source;
  for (const OwnedRecord& record : log) {
    if (record.offset >= begin && record.offset < end) {
      batch.records.push_back(record.View());
    }
  }
  batch.next_offset = end;
  return batch;
}

std::vector<OwnedRecord> WeatherLog(const std::vector<std::string>& keys,
                                    int windows) {
  constexpr int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01
  constexpr int64_t kTenMinutesMs = 600'000;
  std::vector<OwnedRecord> log;
  const auto add = [&](const std::string& key, std::string value) {
    OwnedRecord& record = log.emplace_back();
    record.offset = static_cast<int64_t>(log.size()) - 1;
    record.log_time_ms = kStartMs + int64_t{1000} * 86'400 * 365;
    record.key = key;
    record.value = std::move(value);
  };
  for (int i = 0; i < 6 * windows; ++i) {
    const std::string time =
        FormatTimestamp(TimestampFromMillis(kStartMs + i * kTenMinutesMs));
    for (const std::string& key : keys) {
      add(key, absl::StrCat("{\"station_id\":\"", key, "\",\"timestamp\":\"",
                            time, "\",\"temperature\":", i % 30, ".5}"));
    }
  }
  for (const std::string& key : keys) {
    add(key, "2026-12-01T00:00:00Z");
    log.back().headers.emplace_back("windproof-control", "watermark");
  }
  return log;
}

TestStore::~TestStore() {
  store.reset();
  std::filesystem::remove_all(dir);
}

absl::Status TestStore::Open() {
  if (store != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<PayloadStore>> opened =
      PayloadStore::Open({.path = dir});
  if (!opened.ok()) return opened.status();
  store = *std::move(opened);
  return absl::OkStatus();
}

WorkerRun::WorkerRun(const PipelineSpec& spec, PipelineSource source,
                     int64_t origin, const std::vector<OwnedRecord>& log,
                     PartitionWorker::Options options, TestStore& store)
    : spec_(spec),
      source_(std::move(source)),
      origin_(origin),
      log_(log),
      options_(std::move(options)),
      store_(store) {
  options_.on_windows = [this, also = options_.on_windows](
                            const PipelineSource& from,
                            const CommittedWindows& committed) {
    for (const WrittenWindow& window : committed.windows) {
      written_.push_back(window.bytes);
    }
    if (also != nullptr) also(from, committed);
  };
}

absl::Status WorkerRun::OpenWorker() {
  const absl::Status open = store_.Open();
  if (!open.ok()) return open;
  absl::StatusOr<std::unique_ptr<PartitionWorker>> worker =
      PartitionWorker::Open(options_, spec_, source_, {.origin = origin_},
                            *store_.store, TestSigner());
  if (!worker.ok()) return worker.status();
  worker_ = *std::move(worker);
  return absl::OkStatus();
}

void WorkerRun::DropStore() {
  worker_.reset();
  store_.store.reset();
}

absl::Status WorkerRun::Run() {
  const absl::Status open = OpenWorker();
  if (!open.ok()) return open;
  return FeedTo(log_.empty() ? origin_ : log_.back().offset + 1, 1000);
}

absl::Status WorkerRun::FeedTo(int64_t end, int64_t batch) {
  while (worker_->next_offset() < end || worker_->status().rereading) {
    const int64_t begin = worker_->next_offset();
    // Offsets can be far apart: a batch ends with its last record.
    int64_t batch_end = end;
    int64_t count = 0;
    for (const OwnedRecord& record : log_) {
      if (record.offset < begin || record.offset >= end) continue;
      if (++count == batch) batch_end = record.offset + 1;
    }
    const absl::Status fed =
        worker_->Process(BatchOf(source_.source, log_, begin, batch_end));
    if (!fed.ok()) return fed;
    if (begin == end) break;
  }
  return absl::OkStatus();
}

}  // namespace windproof
