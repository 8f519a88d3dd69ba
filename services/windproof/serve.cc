#include "services/windproof/serve.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/record_log/kafka_log.h"
#include "common/server/kafka_flags.h"
#include "common/server/logging.h"
#include "common/server/run_server.h"
#include "services/anchor/multichain/multichain_config.h"
#include "services/anchor/multichain/multichain_flags.h"
#include "services/ingest/live/dwd_live_flags.h"
#include "services/ingest/live/dwd_live_options.h"
#include "services/windproof/stack.h"

namespace windproof {
namespace {

struct Flags {
  ServerFlags server;
  Stack::Options stack;
  KafkaFlags kafka;
  MultiChainFlags ledger;
  DwdLiveFlags live;
};

int Run(const Flags& flags) {
  const absl::Status checked = flags.server.Check();
  if (!checked.ok()) return ReportWrongUse("windproof serve", checked);
  absl::StatusOr<std::optional<DwdLiveOptions>> live = flags.live.Options();
  if (!live.ok()) return ReportWrongUse("windproof serve", live.status());
  Stack::Options options = flags.stack;
  options.live = *std::move(live);
  if (flags.kafka.kafka() || !flags.kafka.config.empty()) {
    absl::StatusOr<KafkaLog::Options> kafka = flags.kafka.Options();
    if (!kafka.ok()) return ReportWrongUse("windproof serve", kafka.status());
    options.kafka = *std::move(kafka);
  }
  absl::StatusOr<std::optional<MultiChainConfig>> multichain =
      flags.ledger.Options();
  if (multichain.ok() && multichain->has_value() &&
      !options.anchor_address.empty()) {
    multichain = absl::InvalidArgumentError(
        "--ledger multichain and --anchor exclude each other: an anchor of its "
        "own has the ledger");
  }
  if (!multichain.ok()) {
    return ReportWrongUse("windproof serve", multichain.status());
  }
  options.multichain = *std::move(multichain);
  KeepShutdownSignals();
  StartServerLogging(flags.server, "windproof");
  const absl::StatusOr<std::unique_ptr<Stack>> stack = Stack::Open(options);
  if (!stack.ok()) return ReportStartFailure(stack.status());
  for (const PipelineSpec& spec : (*stack)->pipelines()) {
    LogInfo("pipeline", {{"name", spec.name}, {"spec", HexOf(SpecHash(spec))}});
  }
  return RunServer(flags.server, (*stack)->modules(),
                   [&stack](std::chrono::steady_clock::time_point deadline) {
                     (*stack)->EndBy(deadline);
                   });
}

}  // namespace

void RegisterServe(Command& root) {
  Command& serve = root.AddCommand(
      "serve", "Run ingest, window-hash, anchor and verifier in one process");
  // The action owns what the flags fill.
  const auto flags = std::make_shared<Flags>();
  flags->server.listen = "127.0.0.1:7400";
  serve.Flag("data-dir", &flags->stack.data_dir, "DIR",
             "Folder of log, windows, ledger and keys; made if missing.");
  serve.Require("data-dir");
  serve.Flag("pipeline", &flags->stack.pipelines, "FILE|NAME",
             "Pipelines to run: weather, weather-hourly or spec files.");
  serve.Flag("trust", &flags->stack.trust_path, "FILE",
             "Whom the verifier believes; DIR/trust.json by default.");
  serve.Flag("anchor", &flags->stack.anchor_address, "HOST:PORT",
             "An anchor of its own, in the place of the built-in one.");
  flags->kafka.AddTo(serve);
  flags->ledger.AddTo(serve);
  flags->live.AddTo(serve);
  flags->server.AddTo(serve);
  serve.Example(
      "windproof serve --data-dir /var/lib/windproof\n"
      "windproof serve --data-dir d --listen 127.0.0.1:0 --log-format text\n"
      "windproof serve --data-dir d --log kafka --kafka-config "
      "kafka.properties\n"
      "windproof serve --data-dir d --ledger multichain --multichain-config "
      "multichain.properties\n"
      "windproof serve --data-dir d --dwd-live 00427,00433 --dwd-base-url "
      "https://SERVER");
  serve.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
