#include "services/windproof/windows_command.h"

#include <grpcpp/client_context.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/server/grpc_status.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/windproof/json_text.h"
#include "services/windproof/servers.h"
#include "services/windproof/window_query.h"
#include "services/windproof/window_table.h"

namespace windproof {
namespace {

constexpr int kPage = 1000;

struct Flags {
  Servers servers;
  WindowQuery query;
  std::string output = "table";
};

void PrintJson(const v1::Window& window) {
  // The checkpoint's bytes are JSON: they go out as they are.
  std::printf("{\"checkpoint\":%s,\"state\":\"%s\",\"receipt\":%s}\n",
              window.checkpoint().checkpoint().c_str(),
              StateName(window).c_str(),
              window.has_receipt() ? JsonOf(window.receipt()).c_str() : "null");
}

// Prints the windows of one pipeline. Adds their number to `shown`.
grpc::Status PrintPipeline(v1::WindowHashService::StubInterface& window_hash,
                           v1::ListWindowsRequest request, bool json,
                           int64_t* shown) {
  request.set_page_size(kPage);
  do {
    grpc::ClientContext context;
    v1::ListWindowsResponse response;
    const grpc::Status status =
        window_hash.ListWindows(&context, request, &response);
    if (!status.ok()) return status;
    for (const v1::Window& window : response.windows()) {
      if (!json && *shown == 0) std::fputs(WindowTableHead().c_str(), stdout);
      ++*shown;
      if (json) {
        PrintJson(window);
      } else {
        std::fputs(WindowTableRow(window).c_str(), stdout);
      }
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

int Run(Flags& flags) {
  v1::ListWindowsRequest request;
  if (const absl::Status status = flags.query.Fill(&request); !status.ok()) {
    std::fprintf(stderr, "windproof windows: %s\n",
                 std::string(status.message()).c_str());
    return kExitUsage;
  }
  const auto window_hash = flags.servers.WindowHash();
  const absl::StatusOr<std::vector<std::string>> pipelines =
      PipelinesOf(flags.query, *window_hash);
  if (!pipelines.ok()) {
    return flags.servers.Explain(ToGrpcStatus(pipelines.status()),
                                 "window-hash");
  }
  int64_t shown = 0;
  for (const std::string& pipeline : *pipelines) {
    request.set_pipeline(pipeline);
    const grpc::Status status =
        PrintPipeline(*window_hash, request, flags.output == "json", &shown);
    if (!status.ok()) return flags.servers.Explain(status, "window-hash");
  }
  if (shown == 0) {
    std::fprintf(stderr, "windproof windows: there is no closed window%s\n",
                 flags.query.Text().c_str());
  }
  return kExitGood;
}

}  // namespace

void RegisterWindows(Command& root) {
  Command& command =
      root.AddCommand("windows", "List closed windows and their state");
  const auto flags = std::make_shared<Flags>();
  flags->servers.AddFlags(command);
  flags->query.AddFlags(command);
  command.Choice("output", &flags->output, {"table", "json"},
                 "A table, or a JSON object a line.");
  command.Example(
      "windproof windows --key 00433 --from 2026-01-25T00:00:00Z "
      "--to 2026-01-26T00:00:00Z\n"
      "windproof windows --output json | jq .state");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
