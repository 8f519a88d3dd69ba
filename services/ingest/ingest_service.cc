#include "services/ingest/ingest_service.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/text.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "services/ingest/batch_appender.h"
#include "services/ingest/publish_failure.h"

namespace windproof {
namespace {

NewRecord FromProto(const v1::Record& record, int64_t now_ms) {
  NewRecord result;
  result.topic = record.topic();
  if (record.has_key()) result.key = record.key();
  result.value = record.value();
  result.headers.reserve(static_cast<size_t>(record.headers_size()));
  for (const v1::Header& header : record.headers()) {
    result.headers.emplace_back(header.name(), header.value());
  }
  result.log_time_ms = now_ms;
  return result;
}

std::vector<NewRecord> FromProto(const v1::PublishRecordsRequest& request,
                                 int64_t now_ms) {
  std::vector<NewRecord> records;
  records.reserve(static_cast<size_t>(request.records_size()));
  for (const v1::Record& record : request.records()) {
    records.push_back(FromProto(record, now_ms));
  }
  return records;
}

void ToProto(absl::string_view topic, const AppendedRecord& appended,
             v1::PublishedRecord* out) {
  out->set_topic(std::string(topic));
  out->set_partition(appended.partition);
  out->set_offset(appended.offset);
}

size_t StoredSize(absl::Span<const NewRecord> records) {
  size_t size = 0;
  for (const NewRecord& record : records) {
    size += windproof::StoredSize(record);
  }
  return size;
}

absl::Status Stopping() {
  return absl::UnavailableError("ingest is shutting down; retry later");
}

// `status` with what a client must know of a stream that ends early.
absl::Status AtBatch(const absl::Status& status, int64_t batch,
                     const BatchAppender::Totals& written) {
  return absl::Status(
      status.code(),
      absl::StrCat("batch ", batch, ": ", status.message(), "; before it ",
                   written.records, " records of ", written.batches,
                   " batches were written"));
}

}  // namespace

// A stream that runs, so that StopIntake() can end it.
class IngestService::StreamScope {
 public:
  StreamScope(IngestService& service, grpc::ServerContext* context)
      : service_(service), context_(context) {
    MutexLock lock(service_.mutex_);
    service_.streams_.insert(context_);
  }
  ~StreamScope() {
    MutexLock lock(service_.mutex_);
    service_.streams_.erase(context_);
  }
  StreamScope(const StreamScope&) = delete;
  StreamScope& operator=(const StreamScope&) = delete;

 private:
  IngestService& service_;
  grpc::ServerContext* const context_;
};

IngestService::IngestService(ValidatorPool& validators, RecordLog& log,
                             NowMs now_ms)
    : validators_(validators), log_(log), now_ms_(std::move(now_ms)) {}

absl::Status IngestService::Check(absl::Span<const NewRecord> records) {
  if (stopped()) return Stopping();
  const std::optional<Refusal> refusal = validators_.Check(records);
  if (!refusal.has_value()) return absl::OkStatus();
  ++counts_.refused[static_cast<size_t>(refusal->reason)];
  return absl::InvalidArgumentError(refusal->message);
}

absl::StatusOr<std::vector<AppendedRecord>> IngestService::CheckAndAppend(
    absl::Span<const NewRecord> records) {
  const absl::Status checked = Check(records);
  if (!checked.ok()) return checked;
  absl::StatusOr<std::vector<AppendedRecord>> appended = log_.Append(records);
  if (!appended.ok()) {
    ++counts_.log_failures;
    return appended.status();
  }
  ++counts_.batches;
  counts_.records += static_cast<int64_t>(records.size());
  counts_.bytes += static_cast<int64_t>(StoredSize(records));
  return appended;
}

grpc::Status IngestService::PublishRecords(
    grpc::ServerContext*, const v1::PublishRecordsRequest* request,
    v1::PublishRecordsResponse* response) {
  const std::vector<NewRecord> records = FromProto(*request, now_ms_());
  const auto appended = CheckAndAppend(records);
  if (!appended.ok()) return PublishFailure(appended.status(), records);

  response->mutable_records()->Reserve(static_cast<int>(appended->size()));
  for (size_t i = 0; i < appended->size(); ++i) {
    ToProto(records[i].topic, (*appended)[i], response->add_records());
  }
  return grpc::Status::OK;
}

grpc::Status IngestService::StreamRecords(
    grpc::ServerContext* context,
    grpc::ServerReader<v1::PublishRecordsRequest>* reader,
    v1::StreamRecordsResponse* response) {
  const StreamScope scope(*this, context);
  if (stopped()) return ToGrpcStatus(Stopping());
  BatchAppender appender(log_);
  absl::Status refused;
  int64_t batches = 0;
  v1::PublishRecordsRequest request;
  while (refused.ok() && reader->Read(&request)) {
    std::vector<NewRecord> records = FromProto(request, now_ms_());
    refused = Check(records);
    if (!refused.ok()) break;
    const size_t bytes = StoredSize(records);
    // An error of the log is reported by Finish().
    if (!appender.Submit(std::move(records), bytes).ok()) break;
    ++batches;
  }
  const absl::Status appended = appender.Finish();
  const BatchAppender::Totals written = appender.totals();
  counts_.batches += written.batches;
  counts_.records += written.records;
  counts_.bytes += written.bytes;
  if (!appended.ok()) {
    ++counts_.log_failures;
    return ToGrpcStatus(AtBatch(appended, written.batches, written));
  }
  if (!refused.ok()) return ToGrpcStatus(AtBatch(refused, batches, written));
  if (stopped()) return ToGrpcStatus(AtBatch(Stopping(), batches, written));
  response->set_batches(written.batches);
  response->set_records(written.records);
  return grpc::Status::OK;
}

grpc::Status IngestService::AdvanceWatermark(
    grpc::ServerContext*, const v1::AdvanceWatermarkRequest* request,
    v1::AdvanceWatermarkResponse* response) {
  if (!IsUsableKey(request->key())) {
    return ToGrpcStatus(absl::InvalidArgumentError(absl::StrCat(
        "key is ", ShownText(request->key()),
        "; accepted: 1 to 128 bytes of UTF-8 without control characters")));
  }
  if (!request->has_watermark()) {
    return ToGrpcStatus(absl::InvalidArgumentError(
        "watermark is not set; accepted: a time of the years 0000 to 9999"));
  }
  const absl::StatusOr<Timestamp> watermark =
      windproof::FromProto(request->watermark(), "watermark");
  if (!watermark.ok()) return ToGrpcStatus(watermark.status());

  NewRecord record;
  record.topic = request->topic();
  record.key = request->key();
  record.value = FormatTimestamp(*watermark);
  record.headers = {
      {std::string(kControlHeader), std::string(kControlWatermark)}};
  record.log_time_ms = now_ms_();
  const auto appended = CheckAndAppend({record});
  if (!appended.ok()) return ToGrpcStatus(appended.status());
  ToProto(record.topic, appended->front(), response->mutable_record());
  return grpc::Status::OK;
}

void IngestService::StopIntake() {
  MutexLock lock(mutex_);
  stopped_ = true;
  // A stream that waits for its client would wait for ever.
  for (grpc::ServerContext* const context : streams_) context->TryCancel();
}

bool IngestService::stopped() {
  MutexLock lock(mutex_);
  return stopped_;
}

}  // namespace windproof
