#include "services/windproof/dwd_publisher.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/spec.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "services/ingest/dwd/dwd_batches.h"
#include "services/windproof/progress_line.h"

namespace windproof {
namespace {

// Enough to keep a server busy while a client waits for a sync.
constexpr int kLanesMax = 4;

// How long window-hash may take to notice a topic that was just written to.
constexpr std::chrono::seconds kDiscovery{10};
constexpr std::chrono::seconds kAwayMax{30};

// Where the window of `time_ms` closes. Windows are aligned to the epoch, also
// before it.
int64_t ClosesAt(int64_t time_ms, int64_t window_ms, int64_t grace_ms) {
  int64_t index = time_ms / window_ms;
  if (time_ms % window_ms < 0) --index;
  return (index + 1) * window_ms + grace_ms;
}

// The first row of each station that is not settled: "station 00433 at …".
std::string NextRows(const std::vector<DwdStation>& stations,
                     const std::map<int32_t, int64_t>& settled) {
  constexpr int kShown = 4;
  std::string text;
  int some = 0;
  for (size_t i = 0; i < stations.size(); ++i) {
    const DwdStation& station = stations[i];
    const auto last = settled.find(static_cast<int32_t>(i));
    size_t row = 0;
    while (last != settled.end() && row < station.rows() &&
           station.time_s(row) <= last->second) {
      ++row;
    }
    if (row == station.rows() || ++some > kShown) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", "station ", station.id(),
                    " at ", FormatTimestamp({station.time_s(row), 0}));
  }
  if (some > kShown) {
    absl::StrAppend(&text, " and ", some - kShown, " more");
  }
  return text;
}

CallOutcome Failed(const grpc::Status& status, absl::string_view service) {
  return {status, std::string(service)};
}

}  // namespace

DwdPublisher::DwdPublisher(Servers& servers,
                           std::function<void(const std::string&)> tell,
                           std::chrono::milliseconds patience)
    : servers_(servers), tell_(std::move(tell)), patience_(patience) {}

CallOutcome DwdPublisher::Publish(const std::vector<DwdStation>& stations) {
  int64_t rows = 0;
  for (const DwdStation& station : stations) {
    rows += static_cast<int64_t>(station.rows());
  }
  std::set<std::pair<int32_t, int64_t>> refused;  // station, time
  RecordSender sender(
      servers_.Ingest(),
      {.lanes =
           static_cast<int>(std::clamp<size_t>(stations.size(), 1, kLanesMax)),
       .patience = patience_,
       .trying_again =
           [&](const grpc::Status& why) { tell_(TryingAgainText(why)); },
       .refused =
           [&](const RecordOrigin& origin, const std::string& reason) {
             const DwdStation& station =
                 stations[static_cast<size_t>(origin.source)];
             refused.emplace(origin.source, origin.number);
             ++refused_;
             tell_(absl::StrCat("station ", station.id(), " at ",
                                FormatTimestamp({origin.number, 0}), ": ",
                                reason));
           }});
  {
    ProgressLine progress("rows", rows);
    DwdBatches batches(stations, PublishBatch::kRecords);
    bool going = true;
    while (going) {
      const std::optional<DwdBatch> rows_of = batches.Next();
      if (!rows_of.has_value()) break;
      const DwdStation& station = *rows_of->station;
      const auto source = static_cast<int32_t>(&station - stations.data());
      PublishBatch batch;
      for (size_t row = rows_of->begin; row < rows_of->end; ++row) {
        std::string value;
        station.AppendRecord(row, &value);
        batch.Add(station.topic(), station.id(), std::move(value),
                  {source, station.time_s(row)});
      }
      going = sender.Send(source % kLanesMax, std::move(batch));
      progress.Show(sender.written());
    }
  }
  const grpc::Status status = sender.Finish();
  written_ += sender.written();
  for (const auto& [where, end] : sender.log_ends()) log_ends_[where] = end;
  if (!status.ok()) {
    next_ = NextRows(stations, sender.settled());
    return Failed(status, "ingest");
  }

  for (size_t i = 0; i < stations.size(); ++i) {
    const DwdStation& station = stations[i];
    for (size_t row = station.rows(); row-- > 0;) {
      const int64_t time_s = station.time_s(row);
      if (refused.contains({static_cast<int32_t>(i), time_s})) continue;
      const auto [sent, is_new] =
          sent_.try_emplace(station.topic(), Sent{station.id(), time_s});
      if (!is_new) sent->second.last_s = std::max(sent->second.last_s, time_s);
      break;
    }
  }
  return {};
}

CallOutcome DwdPublisher::FindRules(const std::string& pipeline,
                                    RulesByTopic* rules) {
  const auto window_hash = servers_.WindowHash();
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    grpc::ClientContext context;
    v1::GetProgressRequest request;
    request.set_pipeline(pipeline);
    v1::GetProgressResponse response;
    const grpc::Status status =
        window_hash->GetProgress(&context, request, &response);
    // Replicas answer together, once each partition has found its owner.
    if (!status.ok() && (status.error_code() != grpc::StatusCode::UNAVAILABLE ||
                         std::chrono::steady_clock::now() > start + kAwayMax)) {
      return Failed(status, "window-hash");
    }
    rules->clear();
    for (const v1::PipelineProgress& progress : response.pipelines()) {
      const absl::StatusOr<PipelineSpec> spec =
          ParseCanonicalSpec(progress.canonical_spec());
      if (!spec.ok()) {
        return Failed(ToGrpcStatus(spec.status()), "window-hash");
      }
      for (const v1::PartitionProgress& partition : progress.partitions()) {
        (*rules)[partition.topic()].push_back(
            {spec->window_ms, spec->grace_ms});
      }
    }
    const auto missing = std::find_if(
        sent_.begin(), sent_.end(),
        [&](const auto& sent) { return !rules->contains(sent.first); });
    if (missing == sent_.end()) return {};
    if (status.ok() && std::chrono::steady_clock::now() > start + kDiscovery) {
      return Failed({grpc::StatusCode::FAILED_PRECONDITION,
                     absl::StrCat("no pipeline reads topic ", missing->first,
                                  ", so its last window cannot be closed")},
                    "window-hash");
    }
    // There is nothing to wait on: a topic shows up when it was noticed.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

CallOutcome DwdPublisher::CompleteOne(const std::string& topic,
                                      const Sent& sent,
                                      const std::vector<Rules>& rules) {
  int64_t closes_ms = INT64_MIN;
  for (const Rules& rule : rules) {
    closes_ms = std::max(
        closes_ms, ClosesAt(sent.last_s * 1000, rule.window_ms, rule.grace_ms));
  }
  v1::AdvanceWatermarkRequest request;
  request.set_topic(topic);
  request.set_key(sent.key);
  *request.mutable_watermark() = ToProtoMillis(closes_ms);
  grpc::ClientContext context;
  v1::AdvanceWatermarkResponse response;
  const grpc::Status status =
      servers_.Ingest()->AdvanceWatermark(&context, request, &response);
  if (status.error_code() == grpc::StatusCode::INVALID_ARGUMENT) {
    tell_(absl::StrCat("station ", sent.key, ": its last window stays open: ",
                       status.error_message()));
    return {};
  }
  if (!status.ok()) return Failed(status, "ingest");
  const v1::PublishedRecord& record = response.record();
  log_ends_[{record.topic(), record.partition()}] = record.offset() + 1;
  ++completed_;
  return {};
}

CallOutcome DwdPublisher::Complete(const std::string& pipeline) {
  RulesByTopic rules;
  CallOutcome outcome = FindRules(pipeline, &rules);
  for (const auto& [topic, sent] : sent_) {
    if (!outcome.ok()) return outcome;
    outcome = CompleteOne(topic, sent, rules[topic]);
  }
  return outcome;
}

}  // namespace windproof
