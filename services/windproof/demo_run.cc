#include "services/windproof/demo_run.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/pipeline/spec.h"
#include "common/server/files.h"
#include "common/server/grpc_status.h"
#include "common/spec_file/spec_proto.h"
#include "services/ingest/dwd/dwd_file.h"
#include "services/ingest/dwd/dwd_station.h"
#include "services/windproof/catch_up.h"
#include "services/windproof/dwd_publisher.h"

namespace windproof {
namespace {

constexpr int kPage = 1000;
constexpr std::chrono::minutes kPatience{30};

// Topics of the stations with rows of a cadence.
std::set<std::string> TopicsOf(const std::vector<DwdCollection>& deliveries,
                               DwdCadence cadence) {
  std::set<std::string> topics;
  for (const DwdCollection& delivery : deliveries) {
    for (const DwdStation& station : delivery.stations) {
      if (station.rows_of(cadence) > 0) topics.insert(station.topic());
    }
  }
  return topics;
}

// Topics are no part of a spec's hash: this is still the built-in pipeline.
absl::StatusOr<std::string> WriteSpec(const std::string& dir, PipelineSpec spec,
                                      const std::set<std::string>& topics) {
  spec.topics.assign(topics.begin(), topics.end());
  const std::string path = absl::StrCat(dir, "/", spec.name, ".json");
  absl::Status status = MakeFolders(dir, 0700);
  if (status.ok()) status = WriteNewFile(path, SpecToProtoJson(spec), 0600);
  if (!status.ok()) return status;
  return path;
}

absl::Status FromCall(const CallOutcome& outcome) {
  return outcome.ok() ? absl::OkStatus() : FromGrpcStatus(outcome.status);
}

}  // namespace

DemoRun::DemoRun(std::function<void(const std::string&)> tell)
    : tell_(std::move(tell)) {}

DemoRun::~DemoRun() { Close(); }

absl::Status DemoRun::Open(const std::string& data_dir,
                           const std::string& spec_dir,
                           const std::vector<DwdCollection>& deliveries) {
  const std::set<std::string> hourly =
      TopicsOf(deliveries, DwdCadence::kHourly);
  const std::set<std::string> ten_minutes =
      TopicsOf(deliveries, DwdCadence::kTenMinutes);
  Stack::Options options;
  options.data_dir = data_dir;
  options.pipelines.clear();
  for (const auto& [name, topics] : {std::pair("weather", &ten_minutes),
                                     std::pair("weather-hourly", &hourly)}) {
    if (topics->empty()) continue;
    if (hourly.empty() || ten_minutes.empty()) {
      options.pipelines.emplace_back(name);
      continue;
    }
    const absl::StatusOr<std::string> path =
        WriteSpec(spec_dir, *BuiltInSpec(name), *topics);
    if (!path.ok()) return path.status();
    options.pipelines.push_back(*path);
  }
  absl::StatusOr<std::unique_ptr<Stack>> stack = Stack::Open(options);
  if (!stack.ok()) return stack.status();
  if (const absl::Status status = (*stack)->Start(); !status.ok()) {
    return status;
  }
  stack_ = *std::move(stack);
  servers_.Use(stack_->Channel());
  return absl::OkStatus();
}

absl::Status DemoRun::Ingest(const std::vector<DwdCollection>& deliveries) {
  DwdPublisher publisher(servers_, tell_);
  for (const DwdCollection& delivery : deliveries) {
    counts_.rejected += delivery.rejected_rows + delivery.refused_files;
    const CallOutcome outcome = publisher.Publish(delivery.stations);
    if (!outcome.ok()) return FromCall(outcome);
  }
  const CallOutcome outcome = publisher.Complete(/*pipeline=*/"");
  counts_.records = publisher.written();
  counts_.rejected += publisher.refused();
  log_ends_ = publisher.log_ends();
  return FromCall(outcome);
}

absl::Status DemoRun::WaitUntilAnchored() {
  const auto window_hash = servers_.WindowHash();
  return windproof::WaitUntilAnchored(*window_hash, log_ends_, kPatience);
}

absl::Status DemoRun::List(
    const std::function<void(const v1::Window&)>& window) {
  const auto window_hash = servers_.WindowHash();
  for (const PipelineSpec& spec : stack_->pipelines()) {
    v1::ListWindowsRequest request;
    request.set_pipeline(spec.name);
    request.set_page_size(kPage);
    do {
      grpc::ClientContext context;
      v1::ListWindowsResponse response;
      const grpc::Status status =
          window_hash->ListWindows(&context, request, &response);
      if (!status.ok()) return FromGrpcStatus(status);
      for (const v1::Window& entry : response.windows()) {
        const absl::StatusOr<Checkpoint> checkpoint =
            ParseCheckpoint(entry.checkpoint().checkpoint());
        if (!checkpoint.ok()) return checkpoint.status();
        ++counts_.windows;
        if (entry.receipt().state() == v1::Receipt::ANCHORED) {
          ++counts_.anchored;
        }
        counts_.dropped.duplicate += checkpoint->scan.duplicate;
        counts_.dropped.conflict += checkpoint->scan.conflict;
        counts_.dropped.late += checkpoint->scan.late;
        counts_.dropped.invalid += checkpoint->scan.invalid;
        if (checkpoint->records >= 3 && !checkpoint->aggregates.empty()) {
          large_.push_back(
              {spec.name, checkpoint->key, checkpoint->window_start_ms});
        }
        window(entry);
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
  }
  return absl::OkStatus();
}

absl::Status DemoRun::Verify(
    const std::function<void(const v1::VerifyWindowResponse&)>& bad) {
  const auto verifier = servers_.Verifier();
  int64_t nanos = 0;
  for (const PipelineSpec& spec : stack_->pipelines()) {
    v1::VerifyRangeRequest request;
    request.set_pipeline(spec.name);
    grpc::ClientContext context;
    const auto stream = verifier->VerifyRange(&context, request);
    v1::VerifyRangeResponse response;
    while (stream->Read(&response)) {
      if (response.has_window()) {
        const auto verdict = response.window().verdict();
        if (verdict != v1::VerifyWindowResponse::VERIFIED &&
            verdict != v1::VerifyWindowResponse::EMPTY) {
          bad(response.window());
        }
      }
      if (!response.has_totals()) continue;
      const v1::VerifyTotals& totals = response.totals();
      totals_.set_windows(totals_.windows() + totals.windows());
      totals_.set_records(totals_.records() + totals.records());
      totals_.set_verified(totals_.verified() + totals.verified());
      totals_.set_empty(totals_.empty() + totals.empty());
      totals_.set_failed(totals_.failed() + totals.failed());
      totals_.set_incomplete(totals_.incomplete() + totals.incomplete());
      totals_.set_unsupported(totals_.unsupported() + totals.unsupported());
      nanos += totals.duration().seconds() * 1'000'000'000 +
               totals.duration().nanos();
    }
    const grpc::Status status = stream->Finish();
    if (!status.ok()) return FromGrpcStatus(status);
  }
  totals_.mutable_duration()->set_seconds(nanos / 1'000'000'000);
  totals_.mutable_duration()->set_nanos(
      static_cast<int32_t>(nanos % 1'000'000'000));
  counts_.verified = totals_.verified();
  counts_.failed =
      totals_.failed() + totals_.incomplete() + totals_.unsupported();
  return absl::OkStatus();
}

void DemoRun::Close() {
  if (stack_ == nullptr) return;
  stack_->Shutdown(std::chrono::steady_clock::now() + std::chrono::seconds(30));
  stack_.reset();
}

std::optional<WindowName> DemoRun::DrillWindow() const {
  if (large_.empty()) return std::nullopt;
  return large_[large_.size() / 3];
}

}  // namespace windproof
