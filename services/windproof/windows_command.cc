#include "services/windproof/windows_command.h"

#include <grpcpp/client_context.h>

#include <cstdio>
#include <memory>
#include <string>

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

int Run(Flags& flags) {
  const auto window_hash = flags.servers.WindowHash();
  if (flags.query.pipeline.empty()) {
    const absl::StatusOr<std::string> pipeline = OnlyPipeline(*window_hash);
    if (!pipeline.ok()) {
      return flags.servers.Explain(ToGrpcStatus(pipeline.status()),
                                   "window-hash");
    }
    flags.query.pipeline = *pipeline;
  }
  v1::ListWindowsRequest request;
  if (const absl::Status status = flags.query.Fill(&request); !status.ok()) {
    std::fprintf(stderr, "windproof: %s\n",
                 std::string(status.message()).c_str());
    return kExitUsage;
  }
  request.set_page_size(kPage);
  const bool json = flags.output == "json";
  if (!json) {
    std::fputs(WindowTableHead().c_str(), stdout);
  }
  do {
    grpc::ClientContext context;
    v1::ListWindowsResponse response;
    const grpc::Status status =
        window_hash->ListWindows(&context, request, &response);
    if (!status.ok()) return flags.servers.Explain(status, "window-hash");
    for (const v1::Window& window : response.windows()) {
      if (json) {
        PrintJson(window);
      } else {
        std::fputs(WindowTableRow(window).c_str(), stdout);
      }
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
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
