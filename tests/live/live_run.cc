#include "tests/live/live_run.h"

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <functional>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/pipeline/checkpoint.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

std::unique_ptr<Process> Serve(const std::string& data_dir,
                               const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {
      "serve",         "--data-dir",  data_dir,      "--listen", "127.0.0.1:0",
      "--http-listen", "127.0.0.1:0", "--log-level", "warning"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return std::make_unique<Process>(Binary("services/windproof/windproof"),
                                   arguments);
}

std::vector<std::string> Following(const DwdServer& server,
                                   const std::string& stations,
                                   const std::string& silent_after) {
  return {
      "--dwd-live",         stations,    "--dwd-base-url",    server.base_url(),
      "--dwd-poll-every",   "50ms",      "--dwd-backoff-max", "200ms",
      "--dwd-silent-after", silent_after};
}

std::string UrlOf(const DwdServer& server, const std::string& station,
                  LiveFileKind kind, DwdCadence cadence) {
  for (const LiveFile& file :
       LiveFilesOf(server.base_url(), cadence, station)) {
    if (file.kind == kind) return file.url;
  }
  std::cerr << "no such file" << std::endl;
  std::abort();
}

void Publish(DwdServer& server, const std::string& url,
             const std::string& zip) {
  server.SetUrl(
      url, {.body = zip,
            .etag = absl::StrCat("\"", std::hash<std::string>()(zip), "\"")});
}

std::vector<std::string> Checkpoints(const std::string& address,
                                     const std::string& pipeline) {
  const auto window_hash = v1::WindowHashService::NewStub(
      grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  std::vector<std::string> checkpoints;
  v1::ListWindowsRequest request;
  request.set_pipeline(pipeline);
  request.set_page_size(1'000);
  do {
    grpc::ClientContext context;
    v1::ListWindowsResponse response;
    const grpc::Status status =
        window_hash->ListWindows(&context, request, &response);
    if (!status.ok()) return {status.error_message()};
    for (const v1::Window& window : response.windows()) {
      checkpoints.push_back(window.checkpoint().checkpoint());
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return checkpoints;
}

std::string ContentOf(const std::string& bytes) {
  const auto checkpoint = ParseCheckpoint(bytes);
  if (!checkpoint.ok()) return std::string(checkpoint.status().message());
  std::string text =
      absl::StrCat(checkpoint->key, " ", checkpoint->window_start_ms, " ",
                   checkpoint->records, " ", HexOf(checkpoint->root));
  for (const Checkpoint::Aggregate& one : checkpoint->aggregates) {
    absl::StrAppend(&text, " ", one.field, " ", one.count, " ", one.min, " ",
                    one.max, " ", one.avg);
  }
  return text;
}

}  // namespace windproof
