// What it costs to append to the embedded log, to fetch from it and to go
// through ingest, beside SHA-256 of the same bytes.
//
// Appends are durable: what a sync of the disk costs here is shown by
// BM_AppendOne.
#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmark/benchmark.h"
#include "common/pipeline/spec.h"
#include "common/record_log/embedded_log.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"
#include "services/ingest/dwd/dwd_collector.h"
#include "services/ingest/ingest_module.h"
#include "tests/bench/beside_sha256.h"

namespace windproof {
namespace {

constexpr char kTopic[] = "weather.00433";
constexpr int64_t kLogTimeMs = 1'769'904'000'000;
constexpr int kFetchRecords = 500'000;

// Stops the benchmark where something cannot fail.
template <typename T>
T Must(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::abort();
  }
  return *std::move(result);
}

// 100 bytes.
std::string Value(int i) {
  return absl::StrFormat(
      R"({"station_id":"00433","timestamp":"2026-01-25T%02d:%02d:%02dZ",)"
      R"("temperature":%d.%d,"humidity":81.0,"x":0})",
      i / 3600 % 24, i / 60 % 60, i % 60, 10 + i % 10, i % 7);
}

std::vector<NewRecord> Records(int count) {
  std::vector<NewRecord> records(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    NewRecord& record = records[static_cast<size_t>(i)];
    record.topic = kTopic;
    record.key = "00433";
    record.value = Value(i);
    record.log_time_ms = kLogTimeMs;
  }
  return records;
}

// A log in a folder of its own, which goes when it does.
class TemporaryLog {
 public:
  TemporaryLog() {
    std::string path =
        (std::filesystem::temp_directory_path() / "log_bench.XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
    EmbeddedLog::Options options;
    options.path = path_;
    log_ = Must(EmbeddedLog::Open(options));
  }
  ~TemporaryLog() {
    log_.reset();
    std::filesystem::remove_all(path_);
  }

  EmbeddedLog& log() { return *log_; }

 private:
  std::string path_;
  std::unique_ptr<EmbeddedLog> log_;
};

std::string AllBytes(const std::vector<NewRecord>& records) {
  std::string bytes;
  for (const NewRecord& record : records) bytes += record.value.value_or("");
  return bytes;
}

void CountRecords(double records, benchmark::State& state) {
  state.counters["records_per_s"] = records / state.counters["ns"] * 1e9;
}

void BM_Append(benchmark::State& state) {
  TemporaryLog log;
  const std::vector<NewRecord> records =
      Records(static_cast<int>(state.range(0)));
  RunBesideSha256<WallTime>(state, AllBytes(records), 1,
                            [&] { Must(log.log().Append(records)); });
  CountRecords(static_cast<double>(state.range(0)), state);
}
BENCHMARK(BM_Append)->Arg(1)->Arg(500)->Arg(10'000)->UseManualTime();

// A partition from its first record to its last, in batches of that size.
void BM_Fetch(benchmark::State& state) {
  constexpr int kAppended = 10'000;
  const std::vector<NewRecord> records = Records(kAppended);
  std::string bytes;
  // Filled once: a benchmark is called several times.
  static TemporaryLog log;
  static const bool filled = [&] {
    for (int i = 0; i < kFetchRecords; i += kAppended) {
      Must(log.log().Append(records));
    }
    return true;
  }();
  if (!filled) std::abort();
  for (int i = 0; i < kFetchRecords; i += kAppended) bytes += AllBytes(records);
  RunBesideSha256<WallTime>(state, bytes, 1, [&] {
    const auto reader = log.log().NewReader();
    reader->Assign({kTopic, 0}, 0);
    for (int64_t next = 0; next < kFetchRecords;) {
      const auto batch = Must(reader->Poll(static_cast<size_t>(state.range(0)),
                                           std::chrono::seconds(10)));
      if (!batch.has_value()) std::abort();
      next = batch->next_offset;
    }
  });
  CountRecords(kFetchRecords, state);
}
BENCHMARK(BM_Fetch)->Arg(500)->Arg(4096)->UseManualTime();

v1::PublishRecordsRequest Request(int count) {
  v1::PublishRecordsRequest request;
  for (NewRecord& record : Records(count)) {
    v1::Record* const added = request.add_records();
    added->set_topic(record.topic);
    added->set_key(*std::move(record.key));
    added->set_value(*std::move(record.value));
  }
  return request;
}

// Ingest in a server, called through a channel within the process.
class Ingest {
 public:
  Ingest() {
    module_ = Must(IngestModule::Open(
        {.pipelines = {*BuiltInSpec("weather")}, .log = &log_.log()}));
    grpc::ServerBuilder builder;
    builder.RegisterService(module_->service());
    builder.SetMaxReceiveMessageSize(IngestModule::kMaxRequestBytes);
    server_ = builder.BuildAndStart();
    stub_ = v1::IngestService::NewStub(
        server_->InProcessChannel(grpc::ChannelArguments()));
  }
  ~Ingest() { server_->Shutdown(); }

  v1::IngestService::Stub& stub() { return *stub_; }

 private:
  TemporaryLog log_;
  std::unique_ptr<IngestModule> module_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::IngestService::Stub> stub_;
};

void BM_PublishRecords(benchmark::State& state) {
  Ingest ingest;
  const v1::PublishRecordsRequest request =
      Request(static_cast<int>(state.range(0)));
  RunBesideSha256<WallTime>(
      state, AllBytes(Records(request.records_size())), 1, [&] {
        grpc::ClientContext context;
        v1::PublishRecordsResponse response;
        if (!ingest.stub().PublishRecords(&context, request, &response).ok()) {
          std::abort();
        }
      });
  CountRecords(request.records_size(), state);
}
BENCHMARK(BM_PublishRecords)->Arg(500)->UseManualTime();

void BM_StreamRecords(benchmark::State& state) {
  Ingest ingest;
  const v1::PublishRecordsRequest request =
      Request(static_cast<int>(state.range(0)));
  grpc::ClientContext context;
  v1::StreamRecordsResponse response;
  const auto writer = ingest.stub().StreamRecords(&context, &response);
  for (auto _ : state) {
    if (!writer->Write(request)) std::abort();
  }
  writer->WritesDone();
  if (!writer->Finish().ok()) std::abort();
  state.SetItemsProcessed(response.records());
}
BENCHMARK(BM_StreamRecords)->Arg(500)->UseRealTime();

// The real hourly files, where they are.
void BM_CollectDwd(benchmark::State& state) {
  const char* const shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) {
    state.SkipWithError("WINDPROOF_SHARED does not say where the data are");
    return;
  }
  int64_t rows = 0;
  std::string record;
  for (auto _ : state) {
    DwdCollector collector;
    collector.AddPath(absl::StrCat(shared, "/data/dwd/hourly_recent_20200327"));
    const DwdCollection found = collector.Finish();
    for (const DwdStation& station : found.stations) {
      for (size_t row = 0; row < station.rows(); ++row) {
        record.clear();
        station.AppendRecord(row, &record);
        benchmark::DoNotOptimize(record);
      }
    }
    rows += found.rows;
  }
  state.SetItemsProcessed(rows);
}
BENCHMARK(BM_CollectDwd)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windproof
