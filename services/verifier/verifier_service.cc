#include "services/verifier/verifier_service.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "services/verifier/report_proto.h"

namespace windproof {
namespace {

absl::StatusOr<Verifier::Range> RangeOf(const v1::VerifyRangeRequest& request) {
  Verifier::Range range;
  range.pipeline = request.pipeline();
  range.key = request.key();
  range.replay = request.replay();
  if (request.has_start_time()) {
    const absl::StatusOr<int64_t> start =
        MillisFromProto(request.start_time(), "start_time");
    if (!start.ok()) return start.status();
    range.starts.start_ms = *start;
  }
  if (request.has_end_time()) {
    const absl::StatusOr<int64_t> end =
        MillisFromProto(request.end_time(), "end_time");
    if (!end.ok()) return end.status();
    range.starts.end_ms = *end;
  }
  if (range.starts.start_ms.has_value() && range.starts.end_ms.has_value() &&
      *range.starts.end_ms < *range.starts.start_ms) {
    return absl::InvalidArgumentError(
        "end_time lies before start_time; accepted is one that does not");
  }
  return range;
}

// Sends what a range gives, and adds it up.
class StreamWriter : public Verifier::Listener {
 public:
  StreamWriter(grpc::ServerWriter<v1::VerifyRangeResponse>* writer,
               std::function<void(const WindowReport&)> count)
      : writer_(writer), count_(std::move(count)) {}

  bool OnWindow(const WindowReport& report) override {
    count_(report);
    totals_.set_windows(totals_.windows() + 1);
    totals_.set_records(totals_.records() + report.records);
    AddVerdict(report.verdict, &totals_);
    v1::VerifyRangeResponse response;
    ToProto(report, response.mutable_window());
    return writer_->Write(response);
  }

  bool OnProgress(int64_t windows_done, int64_t windows) override {
    v1::VerifyRangeResponse response;
    response.mutable_progress()->set_windows_done(windows_done);
    response.mutable_progress()->set_windows(windows);
    return writer_->Write(response);
  }

  bool WriteTotals(std::chrono::nanoseconds duration) {
    v1::VerifyRangeResponse response;
    *response.mutable_totals() = totals_;
    *response.mutable_totals()->mutable_duration() = ToProto(duration);
    return writer_->Write(response);
  }

 private:
  grpc::ServerWriter<v1::VerifyRangeResponse>* writer_;
  std::function<void(const WindowReport&)> count_;
  v1::VerifyTotals totals_;
};

}  // namespace

VerifierServiceImpl::VerifierServiceImpl(
    Verifier& verifier, v1::AnchorService::StubInterface& anchor,
    v1::WindowHashService::StubInterface& window_hash,
    const MonotonicClock& now, VerifierCounters& counters)
    : verifier_(verifier),
      anchor_(anchor),
      window_hash_(window_hash),
      now_(now),
      counters_(counters) {}

Peers VerifierServiceImpl::PeersOf(grpc::ServerContext* context) {
  return {anchor_, window_hash_, [context] {
            return grpc::ClientContext::FromServerContext(*context);
          }};
}

void VerifierServiceImpl::Count(const WindowReport& report) {
  switch (report.verdict) {
    case Verdict::kVerified:
      ++counters_.verified;
      break;
    case Verdict::kEmpty:
      ++counters_.empty;
      break;
    case Verdict::kFailed:
      ++counters_.failed;
      break;
    case Verdict::kIncomplete:
      ++counters_.incomplete;
      break;
    case Verdict::kUnsupported:
      ++counters_.unsupported;
      break;
  }
  counters_.records += report.records;
}

grpc::Status VerifierServiceImpl::VerifyWindow(
    grpc::ServerContext* context, const v1::VerifyWindowRequest* request,
    v1::VerifyWindowResponse* response) {
  const absl::StatusOr<WindowName> window = FromProto(request->window());
  if (!window.ok()) return ToGrpcStatus(window.status());

  const absl::StatusOr<WindowReport> report = verifier_.VerifyWindow(
      PeersOf(context), *window, request->replay(),
      [this, context] { return stopping_ || context->IsCancelled(); });
  if (!report.ok()) return ToGrpcStatus(report.status());

  Count(*report);
  ToProto(*report, response);
  return grpc::Status::OK;
}

grpc::Status VerifierServiceImpl::VerifyRange(
    grpc::ServerContext* context, const v1::VerifyRangeRequest* request,
    grpc::ServerWriter<v1::VerifyRangeResponse>* writer) {
  const absl::StatusOr<Verifier::Range> range = RangeOf(*request);
  if (!range.ok()) return ToGrpcStatus(range.status());

  const std::chrono::nanoseconds begin = now_();
  StreamWriter stream(writer,
                      [this](const WindowReport& report) { Count(report); });
  const absl::Status verified = verifier_.VerifyRange(
      PeersOf(context), *range,
      [this, context] { return stopping_ || context->IsCancelled(); }, stream);
  if (!verified.ok()) {
    return stopping_ ? grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                    "the verifier is shutting down")
                     : ToGrpcStatus(verified);
  }
  stream.WriteTotals(now_() - begin);
  return grpc::Status::OK;
}

}  // namespace windproof
