#include "services/windproof/resubmit_command.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/server/grpc_status.h"
#include "services/windproof/resubmit.h"
#include "services/windproof/servers.h"
#include "services/windproof/window_query.h"

namespace windproof {
namespace {

struct Flags {
  Servers servers;
  WindowQuery query;
};

int Run(Flags& flags) {
  const auto window_hash = flags.servers.WindowHash();
  const auto anchor = flags.servers.Anchor();
  const absl::StatusOr<std::vector<std::string>> pipelines =
      PipelinesOf(flags.query, *window_hash);
  if (!pipelines.ok()) {
    return flags.servers.Explain(ToGrpcStatus(pipelines.status()),
                                 "window-hash");
  }
  Resubmitted result;
  grpc::Status status;
  std::string culprit;
  for (const std::string& pipeline : *pipelines) {
    status =
        ResubmitPipeline(pipeline, *window_hash, *anchor, &result, &culprit);
    if (!status.ok()) break;
  }
  std::printf("%lld checkpoints of %lld keys submitted, %lld anchored\n",
              static_cast<long long>(result.checkpoints),
              static_cast<long long>(result.keys),
              static_cast<long long>(result.anchored));
  if (!status.ok()) return flags.servers.Explain(status, culprit);
  if (result.unreadable > 0) {
    std::fprintf(stderr,
                 "windproof resubmit: the checkpoints of %lld windows cannot "
                 "be read\n",
                 static_cast<long long>(result.unreadable));
    return kExitFound;
  }
  return kExitGood;
}

}  // namespace

void RegisterResubmit(Command& root) {
  Command& command = root.AddCommand(
      "resubmit", "Submit all closed windows to the anchor once more");
  const auto flags = std::make_shared<Flags>();
  flags->servers.AddFlags(command);
  command.Flag("pipeline", &flags->query.pipeline, "NAME",
               "Only this pipeline; all by default.");
  command.Example(
      "windproof resubmit\n"
      "windproof resubmit --window-hash 127.0.0.1:7402 --anchor "
      "127.0.0.1:7403");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
