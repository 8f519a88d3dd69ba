// What the running module answers through gRPC.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/log_record.h"
#include "common/proto/convert.h"
#include "services/window_hash/store_keys.h"
#include "services/window_hash/testing/module_run.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

using WindowHashServiceTest = ModuleTest;

TEST_F(WindowHashServiceTest, RecordsBecomeAnchoredWindows) {
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

TEST_F(WindowHashServiceTest, PagesHoldEverythingOnce) {
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

TEST_F(WindowHashServiceTest, WrongRequestsSayWhatIsAccepted) {
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

TEST_F(WindowHashServiceTest, SaysWhetherAWindowIsOpenOrMissing) {
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

TEST_F(WindowHashServiceTest, ListsDroppedRecordsWhole) {
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

}  // namespace
}  // namespace windproof
