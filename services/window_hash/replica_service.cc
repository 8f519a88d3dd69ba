#include "services/window_hash/replica_service.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/pipeline/checkpoint.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "services/window_hash/service_requests.h"
#include "services/window_hash/store_keys.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

grpc::Status Moving(const std::string& pipeline) {
  return {grpc::StatusCode::UNAVAILABLE,
          absl::StrCat("pipeline ", pipeline,
                       ": its partitions are moving between replicas; try "
                       "again")};
}

bool IsNotFound(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::NOT_FOUND;
}

// The order of a list: key, start, revision.
auto PlaceOf(const v1::Window& window) {
  return std::make_tuple(window.id().key(), window.id().start().seconds(),
                         window.id().start().nanos(), window.revision());
}

// The token of a page that ends with `window`: its store key. The source is in
// its checkpoint; without it (unreadable) the key is that of its first source.
std::string TokenAfter(const v1::Window& window) {
  WindowKey key;
  const absl::StatusOr<WindowName> name = FromProto(window.id());
  if (name.ok()) {
    key.pipeline = name->pipeline;
    key.key = name->key;
    key.start_ms = name->start_ms;
  }
  key.revision = window.revision();
  const absl::StatusOr<Checkpoint> checkpoint =
      ParseCheckpoint(window.checkpoint().checkpoint());
  if (checkpoint.ok()) {
    key.source = {.topic = checkpoint->topic,
                  .partition = checkpoint->partition};
  }
  return PageToken(EncodeWindowKey(key));
}

// Pages that begin at the same place, as one of at most `page_size` windows.
v1::ListWindowsResponse MergePages(std::vector<v1::ListWindowsResponse> pages,
                                   size_t page_size) {
  // Beyond the last window of a page that goes on, more of it may follow.
  std::optional<decltype(PlaceOf(v1::Window()))> horizon;
  std::vector<v1::Window> windows;
  bool more = false;
  for (v1::ListWindowsResponse& page : pages) {
    if (!page.next_page_token().empty() && page.windows_size() > 0) {
      const auto last = PlaceOf(page.windows(page.windows_size() - 1));
      if (!horizon.has_value() || last < *horizon) horizon = last;
      more = true;
    }
    for (v1::Window& window : *page.mutable_windows()) {
      windows.push_back(std::move(window));
    }
  }
  std::stable_sort(windows.begin(), windows.end(),
                   [](const v1::Window& a, const v1::Window& b) {
                     return PlaceOf(a) < PlaceOf(b);
                   });
  v1::ListWindowsResponse merged;
  size_t bytes = 0;
  for (v1::Window& window : windows) {
    const size_t size = window.ByteSizeLong();
    const bool full = static_cast<size_t>(merged.windows_size()) == page_size ||
                      (bytes + size > kPageBytes && bytes > 0);
    if (full || (horizon.has_value() && PlaceOf(window) > *horizon)) {
      more = true;
      break;
    }
    bytes += size;
    *merged.add_windows() = std::move(window);
  }
  if (more && merged.windows_size() > 0) {
    merged.set_next_page_token(
        TokenAfter(merged.windows(merged.windows_size() - 1)));
  }
  return merged;
}

}  // namespace

grpc::Status ReplicaService::Forwarded(
    grpc::ServerContext* context, const std::string& pipeline,
    absl::FunctionRef<grpc::Status()> answer) {
  const std::string epoch = replicas_.Own(pipeline).epoch;
  const grpc::Status status = answer();
  if (replicas_.Own(pipeline).epoch != epoch) return Moving(pipeline);
  ReplicaSet::AddEpoch(epoch, context);
  return status;
}

grpc::Status ReplicaService::AskAll(
    grpc::ServerContext* context, const std::string& pipeline,
    absl::FunctionRef<grpc::Status()> own,
    absl::FunctionRef<grpc::Status(v1::WindowHashService::Stub&,
                                   grpc::ClientContext*)>
        other,
    absl::FunctionRef<bool(const grpc::Status&)> is_nothing) {
  if (ReplicaSet::IsForwarded(*context)) {
    return Forwarded(context, pipeline, own);
  }
  const steady_clock::time_point begin = steady_clock::now();
  for (bool fresh = false;; fresh = true) {
    const std::string epoch = replicas_.Own(pipeline).epoch;
    const grpc::Status answer = own();
    if (!is_nothing(answer)) return answer;
    const absl::StatusOr<Replicas> others =
        replicas_.Others(pipeline, *context, fresh);
    if (!others.ok()) return ToGrpcStatus(others.status());
    bool moved = replicas_.Own(pipeline).epoch != epoch;
    for (const Replica& replica : others->others) {
      grpc::ClientContext call;
      ReplicaSet::MarkForwarded(*context, &call);
      const grpc::Status theirs = other(*replica.stub, &call);
      if (theirs.error_code() == grpc::StatusCode::UNAVAILABLE) {
        moved = true;
        continue;
      }
      if (!is_nothing(theirs)) return theirs;
      if (ReplicaSet::EpochOf(call) != replica.coverage.epoch) moved = true;
    }
    if (others->complete.ok() && !moved) return answer;
    if (!replicas_.MayTryAgain(begin, *context)) {
      return others->complete.ok() ? Moving(pipeline)
                                   : ToGrpcStatus(others->complete);
    }
  }
}

grpc::Status ReplicaService::GetWindow(grpc::ServerContext* context,
                                       const v1::GetWindowRequest* request,
                                       v1::Window* response) {
  return AskAll(
      context, request->window().pipeline(),
      [&] { return local_.GetWindow(context, request, response); },
      [&](v1::WindowHashService::Stub& stub, grpc::ClientContext* call) {
        return stub.GetWindow(call, *request, response);
      },
      IsNotFound);
}

grpc::Status ReplicaService::GetWindowPayload(
    grpc::ServerContext* context, const v1::GetWindowPayloadRequest* request,
    grpc::ServerWriter<v1::GetWindowPayloadResponse>* writer) {
  return AskAll(
      context, request->window().pipeline(),
      [&] { return local_.GetWindowPayload(context, request, writer); },
      [&](v1::WindowHashService::Stub& stub, grpc::ClientContext* call) {
        const auto reader = stub.GetWindowPayload(call, *request);
        v1::GetWindowPayloadResponse chunk;
        bool begun = false;
        while (reader->Read(&chunk)) {
          begun = true;
          if (!writer->Write(chunk)) {
            call->TryCancel();
            break;
          }
        }
        const grpc::Status status = reader->Finish();
        // What was passed on cannot be taken back: not to be asked again here.
        if (!begun || status.ok()) return status;
        return grpc::Status(
            grpc::StatusCode::ABORTED,
            absl::StrCat("the payload broke off, ask for it again: ",
                         status.error_message()));
      },
      IsNotFound);
}

grpc::Status ReplicaService::ListWindows(grpc::ServerContext* context,
                                         const v1::ListWindowsRequest* request,
                                         v1::ListWindowsResponse* response) {
  const std::string& pipeline = request->pipeline();
  const auto own = [&](v1::ListWindowsResponse* page) {
    return local_.ListWindows(context, request, page);
  };
  if (ReplicaSet::IsForwarded(*context)) {
    return Forwarded(context, pipeline, [&] { return own(response); });
  }
  const steady_clock::time_point begin = steady_clock::now();
  for (bool fresh = false;; fresh = true) {
    const std::string epoch = replicas_.Own(pipeline).epoch;
    std::vector<v1::ListWindowsResponse> pages(1);
    const grpc::Status answer = own(&pages[0]);
    if (!answer.ok()) return answer;
    const absl::StatusOr<Replicas> others =
        replicas_.Others(pipeline, *context, fresh);
    if (!others.ok()) return ToGrpcStatus(others.status());
    bool moved = replicas_.Own(pipeline).epoch != epoch;
    for (const Replica& replica : others->others) {
      grpc::ClientContext call;
      ReplicaSet::MarkForwarded(*context, &call);
      const grpc::Status theirs =
          replica.stub->ListWindows(&call, *request, &pages.emplace_back());
      if (!theirs.ok() &&
          theirs.error_code() != grpc::StatusCode::UNAVAILABLE) {
        return theirs;
      }
      if (!theirs.ok() || ReplicaSet::EpochOf(call) != replica.coverage.epoch) {
        moved = true;
      }
    }
    if (moved || !others->complete.ok()) {
      if (replicas_.MayTryAgain(begin, *context)) continue;
      return others->complete.ok() ? Moving(pipeline)
                                   : ToGrpcStatus(others->complete);
    }
    const absl::StatusOr<int> page_size = PageSize(request->page_size());
    if (!page_size.ok()) return ToGrpcStatus(page_size.status());
    *response = MergePages(std::move(pages), static_cast<size_t>(*page_size));
    return grpc::Status::OK;
  }
}

grpc::Status ReplicaService::ListDroppedRecords(
    grpc::ServerContext* context, const v1::ListDroppedRecordsRequest* request,
    v1::ListDroppedRecordsResponse* response) {
  // A key's are all with one replica; who has none answers an empty page.
  return AskAll(
      context, request->pipeline(),
      [&] {
        response->Clear();
        return local_.ListDroppedRecords(context, request, response);
      },
      [&](v1::WindowHashService::Stub& stub, grpc::ClientContext* call) {
        response->Clear();
        return stub.ListDroppedRecords(call, *request, response);
      },
      [&](const grpc::Status& status) {
        return status.ok() && response->records_size() == 0;
      });
}

grpc::Status ReplicaService::GetProgress(grpc::ServerContext* context,
                                         const v1::GetProgressRequest* request,
                                         v1::GetProgressResponse* response) {
  if (ReplicaSet::IsForwarded(*context)) {
    return Forwarded(context, request->pipeline(), [&] {
      return local_.GetProgress(context, request, response);
    });
  }
  const grpc::Status own = local_.GetProgress(context, request, response);
  if (!own.ok()) return own;
  for (v1::PipelineProgress& progress : *response->mutable_pipelines()) {
    const absl::StatusOr<Replicas> others =
        replicas_.Others(progress.name(), *context, /*fresh=*/true);
    if (!others.ok()) return ToGrpcStatus(others.status());
    if (!others->complete.ok()) return ToGrpcStatus(others->complete);
    for (const Replica& replica : others->others) {
      grpc::ClientContext call;
      ReplicaSet::MarkForwarded(*context, &call);
      v1::GetProgressRequest one;
      one.set_pipeline(progress.name());
      v1::GetProgressResponse theirs;
      const grpc::Status status =
          replica.stub->GetProgress(&call, one, &theirs);
      if (!status.ok()) return status;
      for (v1::PipelineProgress& part : *theirs.mutable_pipelines()) {
        for (v1::PartitionProgress& entry : *part.mutable_partitions()) {
          *progress.add_partitions() = std::move(entry);
        }
        progress.set_outbox(progress.outbox() + part.outbox());
        progress.set_checkpoints(progress.checkpoints() + part.checkpoints());
        if (progress.outbox_error().empty()) {
          progress.set_outbox_error(part.outbox_error());
        }
      }
    }
    std::sort(
        progress.mutable_partitions()->begin(),
        progress.mutable_partitions()->end(),
        [](const v1::PartitionProgress& a, const v1::PartitionProgress& b) {
          return std::make_tuple(a.topic(), a.partition()) <
                 std::make_tuple(b.topic(), b.partition());
        });
  }
  return grpc::Status::OK;
}

}  // namespace windproof
