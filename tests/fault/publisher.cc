#include "tests/fault/publisher.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr std::chrono::seconds kHung{120};

std::unique_ptr<v1::IngestService::Stub> Connect(const std::string& address) {
  return v1::IngestService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
}

}  // namespace

void Publisher::Publish(const std::string& address, int calls) {
  const auto ingest = Connect(address);
  for (int i = 0; i < calls; ++i) {
    Batch batch = unanswered_.has_value() ? *std::exchange(unanswered_, {})
                                          : stream_.Next();
    if (!Send(*ingest, std::move(batch))) return;
  }
}

bool Publisher::Finish(const std::string& address) {
  const auto ingest = Connect(address);
  if (unanswered_.has_value() &&
      !Send(*ingest, *std::exchange(unanswered_, {}))) {
    return false;
  }
  return Send(*ingest, stream_.Last());
}

std::string Publisher::AttemptTag(size_t attempt) const {
  return absl::StrCat(number_, "/", attempt);
}

bool Publisher::Send(v1::IngestService::Stub& ingest, Batch batch) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kHung);
  const std::string tag = AttemptTag(attempts_.size());
  Attempt& attempt = attempts_.emplace_back();
  attempt.batch = batch;
  grpc::Status status;
  if (batch.records.empty()) {
    v1::AdvanceWatermarkResponse response;
    status = ingest.AdvanceWatermark(&context, batch.watermark, &response);
    if (status.ok()) attempt.acknowledged = {response.record()};
  } else {
    v1::PublishRecordsRequest request;
    for (v1::Record& record : attempt.batch.records) {
      v1::Header& header = *record.add_headers();
      header.set_name(kAttemptHeader);
      header.set_value(tag);
      *request.add_records() = record;
    }
    v1::PublishRecordsResponse response;
    status = ingest.PublishRecords(&context, request, &response);
    if (status.ok()) {
      attempt.acknowledged.assign(response.records().begin(),
                                  response.records().end());
    }
  }
  if (status.ok()) return true;
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
    complaint_ = absl::StrCat("attempt ", tag, ": ",
                              static_cast<int>(status.error_code()), " ",
                              status.error_message());
  }
  unanswered_ = std::move(batch);
  return false;
}

}  // namespace windproof
