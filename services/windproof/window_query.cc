#include "services/windproof/window_query.h"

#include <grpcpp/client_context.h>

#include <algorithm>
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
  command.Flag("pipeline", &pipeline, "NAME", "Only windows of this pipeline.");
  command.Flag("key", &key, "KEY", "Only windows of this key.");
  command.Flag("from", &from, "TIME",
               "Only windows that start at TIME or later (RFC 3339).");
  command.Flag("to", &to, "TIME", "Only windows that start before TIME.");
}

std::string WindowQuery::Text() const {
  std::string text;
  const auto add = [&](absl::string_view what, const std::string& value) {
    if (value.empty()) return;
    absl::StrAppend(&text, text.empty() ? " " : ", ", what, " ", value);
  };
  add("of pipeline", pipeline);
  add("of key", key);
  add("from", from);
  add("to", to);
  return text;
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

absl::StatusOr<std::vector<std::string>> PipelinesOf(
    const WindowQuery& query,
    v1::WindowHashService::StubInterface& window_hash) {
  if (!query.pipeline.empty()) return std::vector<std::string>{query.pipeline};
  grpc::ClientContext context;
  v1::GetProgressResponse progress;
  const grpc::Status status =
      window_hash.GetProgress(&context, v1::GetProgressRequest(), &progress);
  if (!status.ok()) return FromGrpcStatus(status);
  std::vector<std::string> names;
  for (const v1::PipelineProgress& pipeline : progress.pipelines()) {
    names.push_back(pipeline.name());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace windproof
