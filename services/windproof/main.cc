// `windproof`: the all-in-one server and the command line. Each command has its
// own files and registers itself here.

#include "common/server/command_line.h"
#include "common/server/run_server.h"
#include "services/windproof/serve.h"

int main(int argc, char** argv) {
  windproof::PrepareProcess();
  windproof::CommandLine line(
      "windproof",
      "Windproof gives a windowed data stream a provenance that anyone can "
      "check.",
      windproof::VersionText());
  windproof::RegisterServe(line.root());
  line.root().Example(
      "windproof serve --data-dir /var/lib/windproof\n"
      "windproof COMMAND --help");
  return line.Run(argc, argv);
}
