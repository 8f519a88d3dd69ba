// The anchor as a process of its own, over the embedded ledger or a
// MultiChain stream.

#include <memory>
#include <optional>
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
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/multichain_flags.h"

namespace windproof {
namespace {

struct Flags {
  ServerFlags server;
  std::string data_dir;
  MultiChainFlags ledger;
};

absl::StatusOr<std::unique_ptr<AnchorModule>> OpenModule(
    const DataDir& dir, std::optional<MultiChainConfig> multichain) {
  AnchorModule::Options options;
  options.warn = [](absl::string_view line) { LogWarning(line); };
  options.alarm = [](absl::string_view line) { LogError(line); };
  if (multichain.has_value()) {
    options.multichain = std::move(multichain);
    options.multichain_path = dir.Sub("multichain");
    if (!options.multichain->batched) {
      return AnchorModule::OpenMultiChain(std::move(options));
    }
  }
  const absl::StatusOr<NamedKey> key = LoadOrMakeKey(dir.path(), "ledger");
  if (!key.ok()) return key.status();
  LogInfo("ledger key", {{"vkey", FormatVerifierKey(key->Public())}});
  options.ledger_path = dir.Sub("ledger");
  options.ledger_name = key->name;
  return options.multichain.has_value()
             ? AnchorModule::OpenBatched(std::move(options), key->key)
             : AnchorModule::Open(std::move(options), key->key);
}

int Run(const Flags& flags) {
  const absl::Status checked = flags.server.Check();
  if (!checked.ok()) return ReportWrongUse("anchor", checked);
  absl::StatusOr<std::optional<MultiChainConfig>> multichain =
      flags.ledger.Options();
  if (!multichain.ok()) return ReportWrongUse("anchor", multichain.status());
  KeepShutdownSignals();
  StartServerLogging(flags.server, "anchor");

  const absl::StatusOr<std::unique_ptr<DataDir>> dir =
      DataDir::Open(flags.data_dir, DataDir::Use::kWrite);
  if (!dir.ok()) return ReportStartFailure(dir.status());
  const absl::StatusOr<std::unique_ptr<AnchorModule>> anchor =
      OpenModule(**dir, *std::move(multichain));
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
  line.root().Flag(
      "data-dir", &flags.data_dir, "DIR",
      "Folder of the ledger, or of batched mode's log (DIR/ledger) "
      "and its key (DIR/keys/ledger.pem, made on first start), and "
      "of what a ledger elsewhere needs (DIR/multichain).");
  line.root().Require("data-dir");
  flags.ledger.AddTo(line.root());
  flags.ledger.AddAuditTo(line.root());
  flags.server.AddTo(line.root());
  line.root().Example(
      "anchor --data-dir /var/lib/windproof-anchor\n"
      "anchor --data-dir d --ledger multichain --multichain-config "
      "multichain.properties\n"
      "anchor --data-dir d --ledger multichain --multichain-config "
      "audit.properties --read-only --compare-with http://other:7208");
  line.root().Action([&flags] { return Run(flags); });
  return line.Run(argc, argv);
}

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) { return windproof::Main(argc, argv); }
