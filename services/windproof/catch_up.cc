#include "services/windproof/catch_up.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/server/grpc_status.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{2};
constexpr milliseconds kLongestPause{50};
// Longer than a replica's partitions stay without an owner when it dies.
constexpr std::chrono::seconds kAwayMax{30};

absl::StatusOr<bool> CaughtUp(const v1::GetProgressResponse& progress,
                              LogEnds missing) {
  bool behind = false;
  const LogEnds ends = missing;
  for (const v1::PipelineProgress& pipeline : progress.pipelines()) {
    bool reads = false;
    for (const v1::PartitionProgress& partition : pipeline.partitions()) {
      const auto end = ends.find({partition.topic(), partition.partition()});
      if (end == ends.end()) continue;
      if (!partition.error().empty()) {
        return absl::InternalError(absl::StrCat(
            "partition ", partition.topic(), "/", partition.partition(),
            " of pipeline ", pipeline.name(), " stopped: ", partition.error()));
      }
      reads = true;
      missing.erase(end->first);
      behind |= partition.position() < end->second;
    }
    if (!reads) continue;
    if (!pipeline.outbox_error().empty()) {
      return absl::InternalError(
          absl::StrCat("checkpoints of pipeline ", pipeline.name(),
                       " do not reach the anchor: ", pipeline.outbox_error()));
    }
    behind |= pipeline.outbox() > 0;
  }
  return missing.empty() && !behind;
}

}  // namespace

absl::Status WaitUntilAnchored(
    v1::WindowHashService::StubInterface& window_hash, const LogEnds& ends,
    steady_clock::duration patience) {
  const steady_clock::time_point deadline = steady_clock::now() + patience;
  milliseconds pause = kFirstPause;
  std::optional<steady_clock::time_point> away_since;
  while (!ends.empty()) {
    grpc::ClientContext context;
    v1::GetProgressResponse progress;
    const grpc::Status status =
        window_hash.GetProgress(&context, v1::GetProgressRequest(), &progress);
    if (status.ok()) {
      away_since.reset();
      const absl::StatusOr<bool> caught_up = CaughtUp(progress, ends);
      if (!caught_up.ok()) return caught_up.status();
      if (*caught_up) break;
    } else if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      return FromGrpcStatus(status);
    } else {
      // Partitions may be on their way from one replica to another.
      if (!away_since.has_value()) away_since = steady_clock::now();
      if (steady_clock::now() - *away_since >= kAwayMax) {
        return FromGrpcStatus(status);
      }
    }
    if (steady_clock::now() >= deadline) {
      return absl::DeadlineExceededError("window-hash has not caught up yet");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  return absl::OkStatus();
}

}  // namespace windproof
