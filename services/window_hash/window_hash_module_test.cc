// The module over the embedded log and an anchor in memory, asked through gRPC.
#include "services/window_hash/window_hash_module.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/log_record.h"
#include "common/proto/convert.h"
#include "common/record_log/embedded_log.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/window_hash/store_keys.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

constexpr int64_t kStartMs = 1'767'225'600'000;  // of WeatherLog
constexpr int64_t kHourMs = 3'600'000;

// Anchors everything at once, unless it is away.
class AnchorAll final : public v1::AnchorService::Service {
 public:
  grpc::Status SubmitCheckpoints(
      grpc::ServerContext*, const v1::SubmitCheckpointsRequest* request,
      v1::SubmitCheckpointsResponse* response) override {
    if (away) return {grpc::StatusCode::UNAVAILABLE, "away"};
    for (const v1::SignedCheckpoint& checkpoint : request->checkpoints()) {
      v1::Receipt* receipt = response->add_receipts();
      receipt->set_checkpoint_sha256(
          std::string(BytesOf(Sha256Of(checkpoint.checkpoint()))));
      receipt->set_state(v1::Receipt::ANCHORED);
      receipt->set_txid("txid");
    }
    return grpc::Status::OK;
  }

  std::atomic<bool> away = false;
};

std::unique_ptr<grpc::Server> Serve(grpc::Service* service) {
  grpc::ServerBuilder builder;
  builder.RegisterService(service);
  return builder.BuildAndStart();
}

// One run of the module between Open() and Shutdown().
class Running {
 public:
  static absl::StatusOr<std::unique_ptr<Running>> Open(
      WindowHashModule::Options options, bool anchor_away = false) {
    auto running = std::unique_ptr<Running>(new Running);
    running->anchor_.away = anchor_away;
    if (!options.read_only) {
      running->anchor_server_ = Serve(&running->anchor_);
      options.anchor = running->anchor_server_->InProcessChannel({});
      options.signer_name = TestSigner().name;
      options.signer_key = TestSigner().key;
    }
    absl::StatusOr<std::unique_ptr<WindowHashModule>> module =
        WindowHashModule::Open(std::move(options));
    if (!module.ok()) return module.status();
    running->module_ = *std::move(module);
    const absl::Status started = running->module_->Start();
    if (!started.ok()) return started;
    running->server_ = Serve(running->module_->service());
    running->stub_ =
        v1::WindowHashService::NewStub(running->server_->InProcessChannel({}));
    return running;
  }

  ~Running() {
    if (module_ == nullptr || server_ == nullptr) return;
    module_->StopIntake();
    server_->Shutdown();
    module_->Shutdown(std::chrono::steady_clock::now() +
                      std::chrono::seconds(30));
  }

  v1::WindowHashService::Stub& stub() { return *stub_; }
  WindowHashModule& module() { return *module_; }

  v1::GetProgressResponse Progress() {
    v1::GetProgressRequest request;
    v1::GetProgressResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(stub_->GetProgress(&context, request, &response).ok());
    return response;
  }

  // Waits until everything is read, or stopped, and anchored.
  v1::GetProgressResponse WaitUntilDone(int partitions) {
    while (true) {
      v1::GetProgressResponse progress = Progress();
      int done = 0;
      bool waiting = false;
      for (const v1::PipelineProgress& pipeline : progress.pipelines()) {
        waiting = waiting || pipeline.outbox() > 0;
        for (const v1::PartitionProgress& partition : pipeline.partitions()) {
          done += partition.position() == partition.log_end() ||
                  !partition.error().empty();
        }
      }
      if (done == partitions && !waiting) return progress;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  grpc::Status Get(const std::string& key, int64_t start_ms,
                   v1::Window* window) {
    v1::GetWindowRequest request;
    *request.mutable_window() = MakeWindowId("weather", key, start_ms);
    grpc::ClientContext context;
    return stub_->GetWindow(&context, request, window);
  }

  grpc::Status List(const v1::ListWindowsRequest& request,
                    v1::ListWindowsResponse* response) {
    grpc::ClientContext context;
    return stub_->ListWindows(&context, request, response);
  }

  // All pages, one after the other.
  std::vector<v1::Window> ListAll(v1::ListWindowsRequest request) {
    std::vector<v1::Window> windows;
    do {
      v1::ListWindowsResponse response;
      const grpc::Status status = List(request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      if (!status.ok()) break;
      for (const v1::Window& window : response.windows()) {
        windows.push_back(window);
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return windows;
  }

 private:
  Running() = default;

  AnchorAll anchor_;
  std::unique_ptr<grpc::Server> anchor_server_;
  std::unique_ptr<WindowHashModule> module_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::WindowHashService::Stub> stub_;
};

class WindowHashModuleTest : public ::testing::Test {
 protected:
  WindowHashModuleTest() : dir_(NewTestDir("module")) {
    options_.store_path = dir_ + "/window_hash";
    options_.pipelines = {*BuiltInSpec("weather")};
    log_ = OpenLog("log");
    options_.log = log_.get();
  }

  std::unique_ptr<EmbeddedLog> OpenLog(const std::string& name) {
    auto log = EmbeddedLog::Open({.path = dir_ + "/" + name});
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }

  static void Append(RecordLog& log, const std::string& topic,
                     const std::vector<OwnedRecord>& records) {
    std::vector<NewRecord> batch;
    for (const OwnedRecord& record : records) {
      NewRecord& entry = batch.emplace_back();
      entry.topic = topic;
      entry.key = record.key;
      entry.value = record.value;
      entry.log_time_ms = record.log_time_ms;
      for (const auto& [name, value] : record.headers) {
        entry.headers.emplace_back(name, value.value_or(""));
      }
    }
    const auto appended = log.Append(batch);
    ASSERT_TRUE(appended.ok()) << appended.status();
  }

  // Two stations of `windows` closed hours each.
  void AppendStations(int windows) {
    for (const std::string key : {"00427", "00433"}) {
      Append(*log_, "weather." + key, WeatherLog({key}, windows));
    }
  }

  std::unique_ptr<Running> Open() {
    auto running = Running::Open(options_);
    EXPECT_TRUE(running.ok()) << running.status();
    return running.ok() ? *std::move(running) : nullptr;
  }

  const std::string dir_;
  std::unique_ptr<EmbeddedLog> log_;
  WindowHashModule::Options options_;
};

TEST_F(WindowHashModuleTest, RecordsBecomeAnchoredWindows) {
  AppendStations(5);
  const auto running = Open();
  ASSERT_NE(running, nullptr);
  EXPECT_TRUE(running->module().Ready().ok());
  const v1::GetProgressResponse progress = running->WaitUntilDone(2);
  ASSERT_EQ(progress.pipelines_size(), 1);
  const v1::PipelineProgress& pipeline = progress.pipelines(0);
  EXPECT_EQ(pipeline.name(), "weather");
  EXPECT_EQ(pipeline.canonical_spec(), CanonicalSpec(*BuiltInSpec("weather")));
  EXPECT_EQ(pipeline.checkpoints(), 10);
  EXPECT_EQ(pipeline.outbox_error(), "");
  ASSERT_EQ(pipeline.partitions_size(), 2);
  EXPECT_EQ(pipeline.partitions(0).topic(), "weather.00427");
  EXPECT_EQ(pipeline.partitions(0).position(), 31);
  EXPECT_EQ(pipeline.partitions(0).error(), "");

  v1::ListWindowsRequest request;
  request.set_pipeline("weather");
  const std::vector<v1::Window> windows = running->ListAll(request);
  ASSERT_EQ(windows.size(), 10u);
  for (size_t i = 0; i < windows.size(); ++i) {
    const v1::Window& window = windows[i];
    EXPECT_EQ(window.id().key(), i < 5 ? "00427" : "00433");
    EXPECT_EQ(window.id().start().seconds() * 1000,
              kStartMs + static_cast<int64_t>(i % 5) * kHourMs);
    EXPECT_EQ(window.end().seconds() - window.id().start().seconds(), 3600);
    EXPECT_EQ(window.receipt().state(), v1::Receipt::ANCHORED);
    EXPECT_EQ(window.checkpoint().signer(), TestSigner().name);
    EXPECT_TRUE(TestSigner().key.PublicKey().Verify(
        window.checkpoint().checkpoint(), window.checkpoint().signature()));
    EXPECT_FALSE(window.has_payload());
  }

  v1::Window window;
  ASSERT_TRUE(running->Get("00433", kStartMs + kHourMs, &window).ok());
  EXPECT_EQ(window.SerializeAsString(), windows[6].SerializeAsString());

  v1::GetWindowPayloadRequest payload_request;
  *payload_request.mutable_window() = window.id();
  grpc::ClientContext context;
  const auto reader =
      running->stub().GetWindowPayload(&context, payload_request);
  std::vector<Digest> leaves;
  v1::GetWindowPayloadResponse chunk;
  while (reader->Read(&chunk)) {
    for (const v1::PayloadRecord& record : chunk.records()) {
      leaves.push_back(HashLeaf(record.canonical()));
      EXPECT_EQ(record.leaf_hash(), BytesOf(leaves.back()));
    }
  }
  EXPECT_TRUE(reader->Finish().ok());
  const auto checkpoint = ParseCheckpoint(window.checkpoint().checkpoint());
  ASSERT_TRUE(checkpoint.ok());
  EXPECT_EQ(leaves.size(), 6u);
  EXPECT_EQ(MerkleRoot(leaves), checkpoint->root);

  std::map<std::string, double> metrics;
  for (const Metric& metric : running->module().Metrics()) {
    metrics[metric.name] += metric.value;
  }
  EXPECT_EQ(metrics["windproof_window_hash_windows_written_total"], 10);
  EXPECT_EQ(metrics["windproof_window_hash_records_total"], 62);
  EXPECT_EQ(metrics["windproof_window_hash_anchored_total"], 10);
  EXPECT_EQ(metrics["windproof_window_hash_lag_records"], 0);
}

TEST_F(WindowHashModuleTest, PagesHoldEverythingOnce) {
  AppendStations(30);
  const auto running = Open();
  running->WaitUntilDone(2);
  v1::ListWindowsRequest request;
  request.set_pipeline("weather");
  const std::vector<v1::Window> whole = running->ListAll(request);
  ASSERT_EQ(whole.size(), 60u);
  for (const int page_size : {1, 7, 59, 60, 61, 1000}) {
    for (const bool payload : {false, true}) {
      request.set_page_size(page_size);
      request.set_include_payload(payload);
      const std::vector<v1::Window> pages = running->ListAll(request);
      ASSERT_EQ(pages.size(), whole.size()) << page_size;
      for (size_t i = 0; i < pages.size(); ++i) {
        EXPECT_EQ(pages[i].checkpoint().checkpoint(),
                  whole[i].checkpoint().checkpoint());
        EXPECT_EQ(pages[i].payload().records_size(), payload ? 6 : 0);
      }
    }
  }
  // Half-open, of both keys, in the middle.
  *request.mutable_start_time() = ToProtoMillis(kStartMs + 3 * kHourMs);
  *request.mutable_end_time() = ToProtoMillis(kStartMs + 5 * kHourMs);
  request.set_page_size(3);
  EXPECT_EQ(running->ListAll(request).size(), 4u);
  request.set_key("00433");
  EXPECT_EQ(running->ListAll(request).size(), 2u);
  request.mutable_start_time()->set_nanos(1);
  EXPECT_EQ(running->ListAll(request).size(), 1u);
  request.set_key("00434");
  EXPECT_EQ(running->ListAll(request).size(), 0u);
}

TEST_F(WindowHashModuleTest, WrongRequestsSayWhatIsAccepted) {
  AppendStations(2);
  const auto running = Open();
  running->WaitUntilDone(2);
  const std::string other_key = absl::WebSafeBase64Escape(EncodeWindowKey(
      {.pipeline = "weather", .key = "00427", .source = {"weather.00427", 0}}));
  const std::string other_pipeline = absl::WebSafeBase64Escape(EncodeWindowKey(
      {.pipeline = "other", .key = "00433", .source = {"t", 0}}));
  struct Case {
    const char* field;
    void (*alter)(v1::ListWindowsRequest*, const std::string&);
    std::string token;
  };
  const auto token = [](v1::ListWindowsRequest* request,
                        const std::string& value) {
    request->set_page_token(value);
  };
  using Request = v1::ListWindowsRequest;
  const std::vector<Case> cases = {
      {"pipeline", [](Request* r, const std::string&) { r->set_pipeline(""); }},
      {"pipeline",
       [](Request* r, const std::string&) { r->set_pipeline("wether"); }},
      {"page_size",
       [](Request* r, const std::string&) { r->set_page_size(-1); }},
      {"page_size",
       [](Request* r, const std::string&) { r->set_page_size(1001); }},
      {"key", [](Request* r,
                 const std::string&) { r->set_key(std::string(129, 'x')); }},
      {"key", [](Request* r,
                 const std::string&) { r->set_key(std::string(1, '\0')); }},
      {"start_time",
       [](Request* r, const std::string&) {
         r->mutable_start_time()->set_seconds(-62'167'219'201);
       }},
      {"end_time",
       [](Request* r, const std::string&) {
         r->mutable_end_time()->set_nanos(-1);
       }},
      {"page_token", token, "%%%"},
      {"page_token", token, "AAAA"},
      {"page_token", token, absl::WebSafeBase64Escape("weather")},
      {"page_token", token, std::string(100'000, 'A')},
      {"page_token", token, other_key},
      {"page_token", token, other_pipeline},
  };
  for (const Case& c : cases) {
    v1::ListWindowsRequest request;
    request.set_pipeline("weather");
    request.set_key("00433");
    c.alter(&request, c.token);
    v1::ListWindowsResponse response;
    const grpc::Status status = running->List(request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << c.field << " " << c.token.substr(0, 20);
    EXPECT_NE(status.error_message().find(c.field), std::string::npos)
        << status.error_message();
  }
}

TEST_F(WindowHashModuleTest, SaysWhetherAWindowIsOpenOrMissing) {
  std::vector<OwnedRecord> records = WeatherLog({"00433"}, 3);
  records.pop_back();  // nothing closes the last window
  Append(*log_, "weather.00433", records);
  auto running = Open();
  running->WaitUntilDone(1);
  for (const bool stopped : {false, true}) {
    if (stopped) {
      running.reset();
      options_.read_only = true;
      running = Open();
    }
    v1::Window window;
    EXPECT_TRUE(running->Get("00433", kStartMs, &window).ok());
    EXPECT_EQ(
        running->Get("00433", kStartMs + 2 * kHourMs, &window).error_code(),
        grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(
        running->Get("00433", kStartMs + 3 * kHourMs, &window).error_code(),
        grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(running->Get("00427", kStartMs, &window).error_code(),
              grpc::StatusCode::NOT_FOUND);
    const grpc::Status crooked = running->Get("00433", kStartMs + 1, &window);
    EXPECT_EQ(crooked.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_NE(crooked.error_message().find("window.start"), std::string::npos);

    v1::GetWindowRequest request;
    *request.mutable_window() = MakeWindowId("weather", "00433", kStartMs);
    request.set_revision(1);
    grpc::ClientContext missing;
    EXPECT_EQ(
        running->stub().GetWindow(&missing, request, &window).error_code(),
        grpc::StatusCode::NOT_FOUND);
    request.set_revision(-1);
    grpc::ClientContext negative;
    EXPECT_EQ(
        running->stub().GetWindow(&negative, request, &window).error_code(),
        grpc::StatusCode::INVALID_ARGUMENT);
    grpc::ClientContext empty;
    EXPECT_EQ(running->stub()
                  .GetWindow(&empty, v1::GetWindowRequest(), &window)
                  .error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST_F(WindowHashModuleTest, ListsDroppedRecordsWhole) {
  std::vector<OwnedRecord> records = WeatherLog({"00433"}, 2);
  std::vector<OwnedRecord> log;
  for (const OwnedRecord& record : records) {
    log.push_back(record);
    if (log.size() < 8) log.push_back(record);  // duplicates, odd offsets
  }
  log[3].value = "no JSON";  // invalid
  log[3].headers.emplace_back("na\xffme", "value");
  Append(*log_, "weather.00433", log);
  const auto running = Open();
  running->WaitUntilDone(1);

  v1::ListDroppedRecordsRequest request;
  request.set_pipeline("weather");
  request.set_key("00433");
  request.set_page_size(3);
  std::vector<int64_t> offsets;
  do {
    v1::ListDroppedRecordsResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        running->stub().ListDroppedRecords(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const v1::DroppedRecord& record : response.records()) {
      const int64_t offset = record.record().offset();
      offsets.push_back(offset);
      EXPECT_EQ(record.record().value(), *log[offset].value);
      EXPECT_EQ(record.reason(), offset == 3 ? v1::DroppedRecord::INVALID
                                             : v1::DroppedRecord::DUPLICATE);
      LogRecord view = log[offset].View();
      view.offset = offset;
      EXPECT_EQ(record.record_sha256(), BytesOf(RecordHash(view)));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(offsets, (std::vector<int64_t>{1, 3, 5, 7}));

  struct Case {
    const char* field;
    std::string key;
    int64_t begin;
    int64_t end;
    std::string token;
  };
  const std::string foreign = absl::WebSafeBase64Escape(
      EncodeKeyedNumber({"weather", {"other", 0}}, "00433", 1));
  for (const Case& c : std::vector<Case>{
           {"key", "", 0, 0, ""},
           {"offset_begin", "00433", -1, 5, ""},
           {"offset_end", "00433", 5, 4, ""},
           {"page_token", "00433", 0, 0, "AA"},
           {"page_token", "00427", 0, 0, foreign},
       }) {
    v1::ListDroppedRecordsRequest wrong;
    wrong.set_pipeline("weather");
    wrong.set_key(c.key);
    wrong.set_offset_begin(c.begin);
    wrong.set_offset_end(c.end);
    wrong.set_page_token(c.token);
    v1::ListDroppedRecordsResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        running->stub().ListDroppedRecords(&context, wrong, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << c.field;
    EXPECT_NE(status.error_message().find(c.field), std::string::npos)
        << status.error_message();
  }
  request.set_page_token("");
  request.set_page_size(0);
  request.set_offset_begin(3);
  request.set_offset_end(7);
  v1::ListDroppedRecordsResponse part;
  grpc::ClientContext context;
  ASSERT_TRUE(
      running->stub().ListDroppedRecords(&context, request, &part).ok());
  EXPECT_EQ(part.records_size(), 2);
}

TEST_F(WindowHashModuleTest, GarbageInTheStoreIsDataLossAndNoCrash) {
  AppendStations(3);
  Open()->WaitUntilDone(2);
  const auto key = [](int64_t start_ms) {
    return EncodeWindowKey({.pipeline = "weather",
                            .key = "00433",
                            .start_ms = start_ms,
                            .revision = 0,
                            .source = {"weather.00433", 0}});
  };
  {
    auto store = PayloadStore::Open({.path = options_.store_path});
    ASSERT_TRUE(store.ok()) << store.status();
    Database& database = (*store)->database();
    const auto put = [&](Family family, const std::string& name,
                         const std::string& value) {
      ASSERT_TRUE(database.db()
                      .Put(rocksdb::WriteOptions(), database.family(family),
                           name, value)
                      .ok());
    };
    put(Family::kCheckpoints, key(kStartMs), "\xff\xff");
    put(Family::kPayloads, key(kStartMs + kHourMs), "\xff\xff");
    // Keys that are none.
    put(Family::kCheckpoints, KeyPrefix("weather", "00433"), "x");
    put(Family::kCheckpoints, KeyPrefix("weather", "00433") + "zzz", "x");
    put(Family::kDropped, KeyPrefix("weather", "00433") + "zzz", "x");
    put(Family::kDropped,
        EncodeKeyedNumber({"weather", {"weather.00433", 0}}, "00433",
                          std::numeric_limits<int64_t>::max()),
        "\xff\xff");
  }
  for (const bool read_only : {true, false}) {
    options_.read_only = read_only;
    const auto running = Open();
    v1::Window window;
    EXPECT_EQ(running->Get("00433", kStartMs, &window).error_code(),
              grpc::StatusCode::DATA_LOSS);
    EXPECT_TRUE(running->Get("00433", kStartMs + kHourMs, &window).ok());
    v1::GetWindowPayloadRequest request;
    *request.mutable_window() = window.id();
    grpc::ClientContext context;
    const auto reader = running->stub().GetWindowPayload(&context, request);
    v1::GetWindowPayloadResponse chunk;
    while (reader->Read(&chunk)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DATA_LOSS);

    v1::ListWindowsRequest list;
    list.set_pipeline("weather");
    list.set_key("00433");
    list.set_include_payload(true);
    const std::vector<v1::Window> windows = running->ListAll(list);
    ASSERT_EQ(windows.size(), 3u);
    EXPECT_FALSE(windows[0].has_checkpoint());
    EXPECT_TRUE(windows[1].has_checkpoint());
    EXPECT_FALSE(windows[1].has_payload());
    EXPECT_TRUE(windows[2].has_payload());

    v1::ListDroppedRecordsRequest drops;
    drops.set_pipeline("weather");
    drops.set_key("00433");
    drops.set_offset_begin(1);
    drops.set_offset_end(std::numeric_limits<int64_t>::max());
    v1::ListDroppedRecordsResponse dropped;
    grpc::ClientContext drop_context;
    EXPECT_TRUE(running->stub()
                    .ListDroppedRecords(&drop_context, drops, &dropped)
                    .ok());
  }
}

TEST_F(WindowHashModuleTest, WhatIsDamagedInTheOutboxStopsItsPartition) {
  AppendStations(3);
  {
    const auto running = Running::Open(options_, /*anchor_away=*/true);
    ASSERT_TRUE(running.ok()) << running.status();
    while ((*running)->Progress().pipelines(0).outbox() < 6) {
      std::this_thread::yield();
    }
    while ((*running)->Progress().pipelines(0).outbox_error().empty()) {
      std::this_thread::yield();
    }
  }
  {
    auto store = PayloadStore::Open({.path = options_.store_path});
    ASSERT_TRUE(store.ok()) << store.status();
    const WindowKey window{.pipeline = "weather",
                           .key = "00433",
                           .start_ms = kStartMs + kHourMs,
                           .revision = 0,
                           .source = {"weather.00433", 0}};
    auto payload = (*store)->ReadPayload(window);
    ASSERT_TRUE(payload.ok());
    payload->mutable_records()->RemoveLast();
    ASSERT_TRUE((*store)->OverwritePayload(window, *payload).ok());
  }
  const auto running = Open();
  v1::GetProgressResponse progress = running->Progress();
  while (progress.pipelines(0).partitions(1).error().empty() ||
         progress.pipelines(0).outbox() > 2) {
    std::this_thread::yield();
    progress = running->Progress();
  }
  EXPECT_NE(progress.pipelines(0).partitions(1).error().find("records 5"),
            std::string::npos)
      << progress.pipelines(0).partitions(1).error();
  EXPECT_EQ(progress.pipelines(0).partitions(0).error(), "");
  EXPECT_EQ(progress.pipelines(0).outbox(), 2);  // of 00433: it and the next
  v1::Window window;
  ASSERT_TRUE(running->Get("00433", kStartMs, &window).ok());
  EXPECT_EQ(window.receipt().state(), v1::Receipt::ANCHORED);
  ASSERT_TRUE(running->Get("00433", kStartMs + kHourMs, &window).ok());
  EXPECT_EQ(window.receipt().state(), v1::Receipt::PENDING);
}

TEST_F(WindowHashModuleTest, OtherRulesUnderTheSameNameAreRefused) {
  Open().reset();
  const std::string before = HexOf(SpecHash(options_.pipelines[0]));
  options_.pipelines[0].grace_ms += 1;
  for (const bool read_only : {false, true}) {
    options_.read_only = read_only;
    const auto refused = Running::Open(options_);
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
    const std::string message(refused.status().message());
    EXPECT_NE(message.find(before), std::string::npos) << message;
    EXPECT_NE(message.find(HexOf(SpecHash(options_.pipelines[0]))),
              std::string::npos)
        << message;
  }
}

TEST_F(WindowHashModuleTest, AReadOnlyStoreMustBeThere) {
  options_.read_only = true;
  EXPECT_TRUE(absl::IsNotFound(Running::Open(options_).status()));
}

TEST_F(WindowHashModuleTest, AStoppedStoreKnowsItsPipelines) {
  AppendStations(2);
  Open()->WaitUntilDone(2);
  const auto files = [&] {
    std::map<std::string, std::pair<uintmax_t, int64_t>> found;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.store_path)) {
      found[entry.path().filename().string()] = {
          entry.file_size(),
          entry.last_write_time().time_since_epoch().count()};
    }
    return found;
  };
  const auto before = files();
  options_.read_only = true;
  options_.pipelines.clear();
  options_.log = nullptr;
  auto running = Open();
  const v1::GetProgressResponse progress = running->Progress();
  ASSERT_EQ(progress.pipelines_size(), 1);
  EXPECT_EQ(progress.pipelines(0).name(), "weather");
  EXPECT_EQ(progress.pipelines(0).checkpoints(), 4);
  v1::ListWindowsRequest request;
  request.set_pipeline("weather");
  EXPECT_EQ(running->ListAll(request).size(), 4u);
  running.reset();
  EXPECT_EQ(files(), before);
}

TEST_F(WindowHashModuleTest, PipelinesOfTheSameTopicShareNothing) {
  PipelineSpec daily = *BuiltInSpec("weather-hourly");
  options_.pipelines.push_back(daily);
  AppendStations(48);
  auto running = Open();
  running->WaitUntilDone(4);
  for (const auto& [pipeline, windows] :
       std::map<std::string, size_t>{{"weather", 96}, {"weather-hourly", 4}}) {
    v1::ListWindowsRequest request;
    request.set_pipeline(pipeline);
    EXPECT_EQ(running->ListAll(request).size(), windows) << pipeline;
  }
  // One that comes later reads from the beginning, the others go on.
  running.reset();
  daily.name = "later";
  options_.pipelines.push_back(daily);
  running = Open();
  const v1::GetProgressResponse progress = running->WaitUntilDone(6);
  EXPECT_EQ(progress.pipelines(0).checkpoints(), 96);
  EXPECT_EQ(progress.pipelines(2).checkpoints(), 4);
}

TEST_F(WindowHashModuleTest, FindsTopicsThatComeLater) {
  const auto running = Open();
  EXPECT_EQ(running->Progress().pipelines(0).partitions_size(), 0);
  AppendStations(2);
  const v1::GetProgressResponse progress = running->WaitUntilDone(2);
  EXPECT_EQ(progress.pipelines(0).checkpoints(), 4);
}

TEST_F(WindowHashModuleTest, GoesOnAfterARestart) {
  const std::vector<OwnedRecord> records = WeatherLog({"00433"}, 4);
  for (size_t begin = 0; begin < records.size(); begin += 5) {
    const size_t end = std::min(records.size(), begin + 5);
    Append(*log_, "weather.00433",
           {records.begin() + begin, records.begin() + end});
    Open()->WaitUntilDone(1);
  }
  Append(*log_, "weather.00427", records);  // the same, under another topic
  const auto running = Open();
  running->WaitUntilDone(2);
  EXPECT_EQ(running->Progress().pipelines(0).checkpoints(), 8);
}

TEST_F(WindowHashModuleTest, ATruncatedOrNewLogStopsItsPartition) {
  AppendStations(3);
  Open()->WaitUntilDone(2);
  // 00433 is there, but shorter; 00427 is not there at all.
  std::vector<OwnedRecord> records = WeatherLog({"00433"}, 3);
  records.resize(10);
  log_ = OpenLog("other-log");
  options_.log = log_.get();
  Append(*log_, "weather.00433", records);
  std::vector<std::string> warnings;  // all from Start()
  options_.warn = [&](absl::string_view line) { warnings.emplace_back(line); };
  {
    const auto running = Open();
    ASSERT_EQ(warnings.size(), 2u);
    EXPECT_NE(warnings[1].find("weather.00433/0"), std::string::npos)
        << warnings[1];
    const v1::GetProgressResponse progress = running->WaitUntilDone(2);
    const auto& partitions = progress.pipelines(0).partitions();
    EXPECT_NE(partitions[0].error().find("no such partition"),
              std::string::npos)
        << partitions[0].error();
    EXPECT_NE(partitions[1].error().find("ends at offset 10"),
              std::string::npos)
        << partitions[1].error();
    EXPECT_NE(partitions[1].error().find("up to offset 19"), std::string::npos)
        << partitions[1].error();
    // What was written before can still be asked for.
    v1::ListWindowsRequest request;
    request.set_pipeline("weather");
    EXPECT_EQ(running->ListAll(request).size(), 6u);
  }
  options_.warn = nullptr;
  // As long as before, but with another record at the last offset.
  records = WeatherLog({"00433"}, 4);
  Append(*log_, "weather.00433", {records.begin() + 10, records.begin() + 20});
  const auto running = Open();
  const v1::GetProgressResponse progress = running->WaitUntilDone(2);
  const std::string error = progress.pipelines(0).partitions(1).error();
  EXPECT_NE(error.find("another record at offset 18"), std::string::npos)
      << error;
}

TEST_F(WindowHashModuleTest, ATopicThatIsNoLongerAskedForSaysSo) {
  AppendStations(2);
  Open()->WaitUntilDone(2);
  options_.pipelines[0].topics = {"weather.00433"};
  const auto running = Open();
  const v1::GetProgressResponse progress = running->WaitUntilDone(2);
  const auto& partitions = progress.pipelines(0).partitions();
  EXPECT_NE(partitions[0].error().find("no topic of the pipeline"),
            std::string::npos);
  EXPECT_EQ(partitions[1].error(), "");
}

}  // namespace
}  // namespace windproof
