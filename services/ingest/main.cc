// Ingest as a process of its own. It shares its log with window-hash, and the
// embedded log belongs to one process, so there is nothing yet that it could
// write to: it says so.

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/server/command_line.h"
#include "common/server/run_server.h"
#include "services/ingest/live/dwd_live.h"
#include "services/ingest/live/dwd_live_flags.h"

namespace windproof {
namespace {

int Main(int argc, char** argv) {
  PrepareProcess();
  ServerFlags flags;
  flags.listen = "127.0.0.1:7401";
  std::vector<std::string> pipelines = {"weather"};
  CommandLine line("ingest",
                   "Windproof's ingest: takes records into the record log.",
                   VersionText());
  line.root().Flag("pipeline", &pipelines, "FILE|NAME",
                   "Pipelines whose topics are taken.");
  DwdLiveFlags live_flags;
  live_flags.AddTo(line.root());
  flags.AddTo(line.root());
  line.root().Example("windproof serve --data-dir /var/lib/windproof");
  line.root().Action([&live_flags] {
    const absl::StatusOr<std::optional<DwdLiveOptions>> live =
        live_flags.Options();
    if (!live.ok()) return ReportWrongUse("ingest", live.status());
    std::cerr << "ingest: a process of its own needs a Kafka log, and this "
                 "version has none.\nThe embedded log belongs to one process: "
                 "`windproof serve --data-dir DIR` runs ingest, window-hash, "
                 "anchor and verifier in it.\n";
    return kExitUsage;
  });
  return line.Run(argc, argv);
}

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) { return windproof::Main(argc, argv); }
