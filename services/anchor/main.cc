// The anchor as a process of its own, over the embedded ledger.

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/server/command_line.h"
#include "common/server/data_dir.h"
#include "common/server/key_store.h"
#include "common/server/logging.h"
#include "common/server/run_server.h"
#include "services/anchor/anchor_module.h"

namespace windproof {
namespace {

struct Flags {
  ServerFlags server;
  std::string data_dir;
};

int Run(const Flags& flags) {
  const absl::Status checked = flags.server.Check();
  if (!checked.ok()) return ReportWrongUse("anchor", checked);
  KeepShutdownSignals();
  StartServerLogging(flags.server, "anchor");

  const absl::StatusOr<std::unique_ptr<DataDir>> dir =
      DataDir::Open(flags.data_dir, DataDir::Use::kWrite);
  if (!dir.ok()) return ReportStartFailure(dir.status());
  const absl::StatusOr<NamedKey> key = LoadOrMakeKey((*dir)->path(), "ledger");
  if (!key.ok()) return ReportStartFailure(key.status());
  LogInfo("ledger key", {{"vkey", FormatVerifierKey(key->Public())}});

  const absl::StatusOr<std::unique_ptr<AnchorModule>> anchor =
      AnchorModule::Open(
          {
              .ledger_path = (*dir)->Sub("ledger"),
              .ledger_name = key->name,
              .warn = [](absl::string_view line) { LogWarning(line); },
          },
          key->key);
  if (!anchor.ok()) return ReportStartFailure(anchor.status());
  return RunServer(flags.server, {anchor->get()});
}

int Main(int argc, char** argv) {
  PrepareProcess();
  Flags flags;
  flags.server.listen = "127.0.0.1:7403";
  CommandLine line("anchor",
                   "Windproof's anchor: puts checkpoints on the ledger and "
                   "reads them back.",
                   VersionText());
  line.root().Flag("data-dir", &flags.data_dir, "DIR",
                   "Folder of the ledger (DIR/ledger) and its key "
                   "(DIR/keys/ledger.pem, made on first start).");
  line.root().Require("data-dir");
  flags.server.AddTo(line.root());
  line.root().Example("anchor --data-dir /var/lib/windproof-anchor");
  line.root().Action([&flags] { return Run(flags); });
  return line.Run(argc, argv);
}

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) { return windproof::Main(argc, argv); }
