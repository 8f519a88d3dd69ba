#include "tests/e2e/client.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/proto/convert.h"

namespace windproof {
namespace {

constexpr std::chrono::seconds kHung{120};
constexpr int64_t kMidnight = 1'769'299'200'000;  // 2026-01-25T00:00:00Z
constexpr int64_t kHourMs = 3'600'000;

std::unique_ptr<grpc::ClientContext> Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + kHung);
  return context;
}

}  // namespace

v1::Record Reading(absl::string_view time, double temperature) {
  v1::Record record;
  record.set_topic("weather.00433");
  record.set_key("00433");
  record.set_value(
      absl::StrCat("{\"station_id\":\"00433\",\"timestamp\":", "\"2026-01-25T",
                   time, ":00Z\",", "\"temperature\":", temperature, "}"));
  return record;
}

std::vector<v1::Record> OneClosedWindow() {
  return {Reading("12:00", 3.1), Reading("12:20", 3.9), Reading("12:10", 3.45),
          Reading("13:20", 2.5)};
}

Client::Client(const std::string& address)
    : channel_(
          grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
      ingest_(v1::IngestService::NewStub(channel_)),
      window_hash_(v1::WindowHashService::NewStub(channel_)),
      anchor_(v1::AnchorService::NewStub(channel_)),
      verifier_(v1::VerifierService::NewStub(channel_)) {}

grpc::Status Client::Publish(const std::vector<v1::Record>& records) {
  v1::PublishRecordsRequest request;
  for (const v1::Record& record : records) *request.add_records() = record;
  v1::PublishRecordsResponse response;
  return ingest_->PublishRecords(Context().get(), request, &response);
}

std::vector<v1::LedgerItem> Client::WaitAnchored(int count,
                                                 const std::string& pipeline) {
  v1::WatchCheckpointsRequest request;
  request.set_pipeline(pipeline);
  const std::unique_ptr<grpc::ClientContext> context = Context();
  const auto stream = anchor_->WatchCheckpoints(context.get(), request);
  std::vector<v1::LedgerItem> items(static_cast<size_t>(count));
  for (size_t i = 0; i < items.size();) {
    if (!stream->Read(&items[i])) {
      items.resize(i);
      break;
    }
    if (items[i].state() == v1::Receipt::ANCHORED) ++i;
  }
  context->TryCancel();
  stream->Finish();
  return items;
}

v1::VerifyWindowResponse Client::Verify(int hour, grpc::Status* status) {
  v1::VerifyWindowRequest request;
  *request.mutable_window() =
      MakeWindowId("weather", "00433", kMidnight + hour * kHourMs);
  v1::VerifyWindowResponse response;
  const grpc::Status got =
      verifier_->VerifyWindow(Context().get(), request, &response);
  if (status != nullptr) *status = got;
  return response;
}

std::vector<v1::Window> Client::Windows() {
  v1::ListWindowsRequest request;
  request.set_pipeline("weather");
  v1::ListWindowsResponse response;
  window_hash_->ListWindows(Context().get(), request, &response);
  return {response.windows().begin(), response.windows().end()};
}

}  // namespace windproof
