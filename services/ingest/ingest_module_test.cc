#include "services/ingest/ingest_module.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/log_record.h"
#include "common/record_log/embedded_log.h"
#include "gtest/gtest.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"

namespace windproof {
namespace {

constexpr int64_t kNow = 1'769'904'000'000;  // 2026-02-01T00:00:00Z

// Ingest over an embedded log, called through a channel within the process.
class IngestModuleTest : public ::testing::Test {
 protected:
  IngestModuleTest() {
    EmbeddedLog::Options options;
    options.path = absl::StrCat(
        ::testing::TempDir(), "/",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    log_ = *EmbeddedLog::Open(options);
    module_ = *IngestModule::Open({.pipelines = {*BuiltInSpec("weather")},
                                   .log = log_.get(),
                                   .now_ms = [] { return kNow; }});
    grpc::ServerBuilder builder;
    builder.RegisterService(module_->service());
    builder.SetMaxReceiveMessageSize(IngestModule::kMaxRequestBytes);
    server_ = builder.BuildAndStart();
    stub_ = v1::IngestService::NewStub(
        server_->InProcessChannel(grpc::ChannelArguments()));
  }

  ~IngestModuleTest() override { server_->Shutdown(); }

  static void AddRecord(int i, v1::PublishRecordsRequest* request) {
    v1::Record* const record = request->add_records();
    record->set_topic("weather.00433");
    record->set_key("00433");
    record->set_value(absl::StrCat("{\"timestamp\":", kNow - 100'000 + i, "}"));
  }

  // The records of the topic, as the log has them.
  std::vector<LogRecord> Logged() {
    const auto bounds = log_->Bounds({"weather.00433", 0});
    if (!bounds.ok()) return {};
    const auto reader = log_->NewReader();
    reader->Assign({"weather.00433", 0}, 0);
    std::vector<LogRecord> records;
    while (static_cast<int64_t>(records.size()) < bounds->end) {
      auto batch = reader->Poll(1000, std::chrono::minutes(1));
      if (!batch.ok() || !batch->has_value()) break;
      records.insert(records.end(), (*batch)->records.begin(),
                     (*batch)->records.end());
      memory_.push_back((*batch)->memory);
    }
    return records;
  }

  double MetricOf(absl::string_view name, absl::string_view label = "") {
    for (const Metric& metric : module_->Metrics()) {
      if (metric.name != name) continue;
      if (label.empty() || metric.labels.front().second == label) {
        return metric.value;
      }
    }
    return -1;
  }

  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<IngestModule> module_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::IngestService::Stub> stub_;
  std::vector<std::shared_ptr<const void>> memory_;
};

TEST_F(IngestModuleTest, PublishesInOrderWithTheLogTime) {
  v1::PublishRecordsRequest request;
  AddRecord(0, &request);
  AddRecord(1, &request);
  v1::Header* const header = request.mutable_records(1)->add_headers();
  header->set_name("source");
  header->set_value("test");
  request.mutable_records(1)->clear_key();
  request.mutable_records(1)->set_value(
      "{\"station_id\":\"00433\",\"timestamp\":1}");
  v1::PublishRecordsResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      stub_->PublishRecords(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.records_size(), 2);
  EXPECT_EQ(response.records(1).topic(), "weather.00433");
  EXPECT_EQ(response.records(1).partition(), 0);
  EXPECT_EQ(response.records(1).offset(), 1);

  const std::vector<LogRecord> logged = Logged();
  ASSERT_EQ(logged.size(), 2u);
  EXPECT_EQ(logged[0].log_time_ms, kNow);
  EXPECT_EQ(logged[0].key, "00433");
  EXPECT_EQ(logged[0].value, request.records(0).value());
  EXPECT_EQ(logged[1].key, std::nullopt);
  ASSERT_EQ(logged[1].headers.size(), 1u);
  EXPECT_EQ(logged[1].headers[0].value, "test");
  EXPECT_EQ(MetricOf("windproof_ingest_records_total"), 2);
  EXPECT_EQ(MetricOf("windproof_ingest_batches_total"), 1);
  EXPECT_GT(MetricOf("windproof_ingest_bytes_total"), 100);
}

TEST_F(IngestModuleTest, RefusesABatchWholeAndWritesNothing) {
  v1::PublishRecordsRequest request;
  for (int i = 0; i < 5; ++i) AddRecord(i, &request);
  request.mutable_records(3)->set_value("{\"timestamp\":\"soon\"}");
  v1::PublishRecordsResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      stub_->PublishRecords(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  for (const char* const word : {"records[3]", "timestamp", "soon"}) {
    EXPECT_TRUE(absl::StrContains(status.error_message(), word))
        << status.error_message();
  }
  EXPECT_TRUE(Logged().empty());
  EXPECT_EQ(MetricOf("windproof_ingest_refused_batches_total", "invalid"), 1);
  EXPECT_EQ(MetricOf("windproof_ingest_records_total"), 0);
}

TEST_F(IngestModuleTest, TakesTheLargestBatch) {
  v1::PublishRecordsRequest request;
  for (int i = 0; i < 15; ++i) {
    AddRecord(i, &request);
    request.mutable_records(i)->set_value(absl::StrCat(
        "{\"timestamp\":1,\"x\":\"", std::string((1 << 20) - 100, 'x'), "\"}"));
  }
  v1::PublishRecordsResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      stub_->PublishRecords(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(Logged().size(), 15u);
}

TEST_F(IngestModuleTest, StreamsBatchAfterBatch) {
  v1::StreamRecordsResponse response;
  grpc::ClientContext context;
  const auto writer = stub_->StreamRecords(&context, &response);
  for (int batch = 0; batch < 40; ++batch) {
    v1::PublishRecordsRequest request;
    for (int i = 0; i < 25; ++i) AddRecord(batch * 25 + i, &request);
    ASSERT_TRUE(writer->Write(request));
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.batches(), 40);
  EXPECT_EQ(response.records(), 1000);
  const std::vector<LogRecord> logged = Logged();
  ASSERT_EQ(logged.size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(logged[static_cast<size_t>(i)].value,
              absl::StrCat("{\"timestamp\":", kNow - 100'000 + i, "}"));
  }
  EXPECT_EQ(MetricOf("windproof_ingest_batches_total"), 40);
}

TEST_F(IngestModuleTest, AStreamEndsAtTheBatchThatIsRefused) {
  v1::StreamRecordsResponse response;
  grpc::ClientContext context;
  const auto writer = stub_->StreamRecords(&context, &response);
  for (int batch = 0; batch < 3; ++batch) {
    v1::PublishRecordsRequest request;
    AddRecord(2 * batch, &request);
    AddRecord(2 * batch + 1, &request);
    if (batch == 2) request.mutable_records(1)->set_topic("other");
    // False once the server has ended the call.
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  for (const char* const word :
       {"batch 2", "records[1]", "other", "4 records of 2 batches"}) {
    EXPECT_TRUE(absl::StrContains(status.error_message(), word))
        << status.error_message();
  }
  EXPECT_EQ(Logged().size(), 4u);
}

TEST_F(IngestModuleTest, AdvancesAWatermark) {
  v1::AdvanceWatermarkRequest request;
  request.set_topic("weather.00433");
  request.set_key("00433");
  request.mutable_watermark()->set_seconds(kNow / 1000);
  v1::AdvanceWatermarkResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      stub_->AdvanceWatermark(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.record().topic(), "weather.00433");
  EXPECT_EQ(response.record().offset(), 0);
  const std::vector<LogRecord> logged = Logged();
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0].key, "00433");
  EXPECT_EQ(logged[0].value, "2026-02-01T00:00:00Z");
  ASSERT_EQ(logged[0].headers.size(), 1u);
  EXPECT_EQ(logged[0].headers[0].name, "windproof-control");
  EXPECT_EQ(logged[0].headers[0].value, "watermark");
}

TEST_F(IngestModuleTest, RefusesWatermarksThatCannotBe) {
  const struct {
    const char* name;
    const char* topic;
    const char* key;
    int64_t seconds;
    const char* named;
  } kRows[] = {
      {"Future", "weather.00433", "00433", kNow / 1000 + 301, "300000 ms"},
      {"Topic", "weather", "00433", 0, "weather"},
      {"NoKey", "weather.00433", "", 0, "key"},
      {"BadTime", "weather.00433", "00433", int64_t{1} << 60, "watermark"},
  };
  for (const auto& row : kRows) {
    v1::AdvanceWatermarkRequest request;
    request.set_topic(row.topic);
    request.set_key(row.key);
    request.mutable_watermark()->set_seconds(row.seconds);
    v1::AdvanceWatermarkResponse response;
    grpc::ClientContext context;
    const grpc::Status status =
        stub_->AdvanceWatermark(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << row.name;
    EXPECT_TRUE(absl::StrContains(status.error_message(), row.named))
        << row.name << ": " << status.error_message();
  }
  v1::AdvanceWatermarkRequest request;
  request.set_topic("weather.00433");
  request.set_key("00433");
  v1::AdvanceWatermarkResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(stub_->AdvanceWatermark(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(Logged().empty());
}

TEST_F(IngestModuleTest, StopIntakeEndsStreamsAndRefusesCalls) {
  v1::StreamRecordsResponse stream_response;
  grpc::ClientContext stream_context;
  const auto writer = stub_->StreamRecords(&stream_context, &stream_response);
  v1::PublishRecordsRequest request;
  AddRecord(0, &request);
  ASSERT_TRUE(writer->Write(request));
  module_->StopIntake();
  // The client does not close its side: only the server can end the call.
  EXPECT_FALSE(writer->Finish().ok());

  v1::PublishRecordsResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(stub_->PublishRecords(&context, request, &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(IngestModuleTest, SaysWhatItIs) {
  EXPECT_EQ(module_->full_name(), v1::IngestService::service_full_name());
  EXPECT_TRUE(module_->Start().ok());
  EXPECT_TRUE(module_->Ready().ok());
  EXPECT_FALSE(IngestModule::Open({.log = log_.get()}).ok());
  EXPECT_FALSE(
      IngestModule::Open({.pipelines = {*BuiltInSpec("weather")}}).ok());
}

}  // namespace
}  // namespace windproof
