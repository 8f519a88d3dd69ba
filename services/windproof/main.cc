// `windproof`: the all-in-one server and the command line. Each command has its
// own files and registers itself here.

#include "common/server/command_line.h"
#include "common/server/run_server.h"
#include "services/windproof/anchor_command.h"
#include "services/windproof/demo_command.h"
#include "services/windproof/drill_command.h"
#include "services/windproof/ingest_command.h"
#include "services/windproof/pipeline_command.h"
#include "services/windproof/replay_command.h"
#include "services/windproof/resubmit_command.h"
#include "services/windproof/serve.h"
#include "services/windproof/show_command.h"
#include "services/windproof/verify_command.h"
#include "services/windproof/watch_command.h"
#include "services/windproof/windows_command.h"

int main(int argc, char** argv) {
  windproof::PrepareProcess();
  windproof::CommandLine line(
      "windproof",
      "Windproof gives a windowed data stream a provenance that anyone can "
      "check.",
      windproof::VersionText());
  windproof::RegisterServe(line.root());
  windproof::RegisterIngest(line.root());
  windproof::RegisterWindows(line.root());
  windproof::RegisterShow(line.root());
  windproof::RegisterVerify(line.root());
  windproof::RegisterReplay(line.root());
  windproof::RegisterResubmit(line.root());
  windproof::RegisterWatch(line.root());
  windproof::RegisterAnchor(line.root());
  windproof::RegisterPipeline(line.root());
  windproof::RegisterDrill(line.root());
  windproof::RegisterDemo(line.root());
  line.root().Example(
      "windproof serve --data-dir /var/lib/windproof\n"
      "windproof COMMAND --help");
  return line.Run(argc, argv);
}
