#include "services/windproof/window_query.h"

#include <grpcpp/client_context.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/proto/convert.h"
#include "common/server/grpc_status.h"
#include "proto/windproof/v1/verifier.pb.h"

namespace windproof {
namespace {

absl::StatusOr<google::protobuf::Timestamp> TimeOf(absl::string_view flag,
                                                   const std::string& text) {
  const absl::StatusOr<Timestamp> time = TimestampFromText(text);
  if (time.ok()) return ToProto(*time);
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, ": ", time.status().message()));
}

}  // namespace

void WindowQuery::AddFlags(Command& command) {
  command.Flag("pipeline", &pipeline, "NAME",
               "The pipeline; needed where the server runs several.");
  command.Flag("key", &key, "KEY", "Only windows of this key.");
  command.Flag("from", &from, "TIME",
               "Only windows that start at TIME or later (RFC 3339).");
  command.Flag("to", &to, "TIME", "Only windows that start before TIME.");
}

template <typename Request>
absl::Status WindowQuery::Fill(Request* request) const {
  request->set_pipeline(pipeline);
  request->set_key(key);
  if (!from.empty()) {
    const auto time = TimeOf("from", from);
    if (!time.ok()) return time.status();
    *request->mutable_start_time() = *time;
  }
  if (!to.empty()) {
    const auto time = TimeOf("to", to);
    if (!time.ok()) return time.status();
    *request->mutable_end_time() = *time;
  }
  return absl::OkStatus();
}

template absl::Status WindowQuery::Fill(v1::ListWindowsRequest*) const;
template absl::Status WindowQuery::Fill(v1::VerifyRangeRequest*) const;

absl::StatusOr<std::string> OnlyPipeline(
    v1::WindowHashService::StubInterface& window_hash) {
  grpc::ClientContext context;
  v1::GetProgressResponse progress;
  const grpc::Status status =
      window_hash.GetProgress(&context, v1::GetProgressRequest(), &progress);
  if (!status.ok()) return FromGrpcStatus(status);
  if (progress.pipelines_size() == 1) return progress.pipelines(0).name();
  std::string names;
  for (const v1::PipelineProgress& pipeline : progress.pipelines()) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", pipeline.name());
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--pipeline is missing; the server runs several: ", names));
}

}  // namespace windproof
