// The verifier as a process of its own: anybody's, with its own trust file.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/record_log/kafka_log.h"
#include "common/record_log/kafka_properties.h"
#include "common/record_log/record_log.h"
#include "common/server/address.h"
#include "common/server/command_line.h"
#include "common/server/rpc_server.h"
#include "common/server/run_server.h"
#include "common/server/trust_file.h"
#include "common/spec_file/spec_file.h"
#include "services/verifier/verifier_module.h"

namespace windproof {
namespace {

struct Flags {
  ServerFlags server;
  std::string trust;
  std::string anchor = "127.0.0.1:7403";
  std::vector<std::string> window_hash = {"127.0.0.1:7402"};
  std::vector<std::string> pipelines = {"weather", "weather-hourly"};
  std::string log = "none";
  std::string kafka_config;
};

// The record log for REPLAY; none where none is asked for.
absl::StatusOr<std::unique_ptr<RecordLog>> OpenLog(const Flags& flags) {
  if ((flags.log == "kafka") == flags.kafka_config.empty()) {
    return absl::InvalidArgumentError(
        "--log kafka and --kafka-config FILE go together");
  }
  if (flags.log != "kafka") return nullptr;
  absl::StatusOr<KafkaProperties> properties =
      ReadKafkaProperties(flags.kafka_config);
  if (!properties.ok()) return properties.status();
  absl::StatusOr<std::unique_ptr<KafkaLog>> log = KafkaLog::Open(
      {.properties = *std::move(properties), .create_topics = false});
  if (!log.ok()) return log.status();
  return *std::move(log);
}

absl::StatusOr<VerifierModule::Options> OptionsOf(const Flags& flags) {
  VerifierModule::Options options;
  absl::StatusOr<TrustConfig> trust = LoadTrust(flags.trust);
  if (!trust.ok()) return trust.status();
  options.trust = *std::move(trust);
  for (const std::string& name : flags.pipelines) {
    absl::StatusOr<PipelineSpec> spec = LoadSpec(name);
    if (!spec.ok()) return spec.status();
    options.specs.push_back(*std::move(spec));
  }
  const absl::StatusOr<Address> anchor = ParseAddress(flags.anchor);
  if (!anchor.ok()) return anchor.status();
  options.anchor = RpcServer::ChannelTo(anchor->Text());
  absl::StatusOr<std::shared_ptr<grpc::Channel>> window_hash =
      RpcServer::ChannelToAny(flags.window_hash);
  if (!window_hash.ok()) return window_hash.status();
  options.window_hash = *std::move(window_hash);
  return options;
}

int Run(const Flags& flags) {
  const absl::Status checked = flags.server.Check();
  if (!checked.ok()) return ReportWrongUse("verifier", checked);
  KeepShutdownSignals();
  StartServerLogging(flags.server, "verifier");
  absl::StatusOr<VerifierModule::Options> options = OptionsOf(flags);
  if (!options.ok()) return ReportStartFailure(options.status());
  const absl::StatusOr<std::unique_ptr<RecordLog>> log = OpenLog(flags);
  if (!log.ok()) return ReportStartFailure(log.status());
  options->log = log->get();
  const absl::StatusOr<std::unique_ptr<VerifierModule>> verifier =
      VerifierModule::Open(*std::move(options));
  if (!verifier.ok()) return ReportStartFailure(verifier.status());
  return RunServer(flags.server, {verifier->get()});
}

int Main(int argc, char** argv) {
  PrepareProcess();
  Flags flags;
  flags.server.listen = "127.0.0.1:7404";
  CommandLine line("verifier",
                   "Windproof's verifier: checks windows against the ledger, "
                   "and believes only its own trust file.",
                   VersionText());
  Command& root = line.root();
  root.Flag("trust", &flags.trust, "FILE",
            "Keys of the ledger and the producers that are believed, as in a "
            "data folder's trust.json.");
  root.Require("trust");
  root.Flag("anchor", &flags.anchor, "HOST:PORT", "Where the anchor is.");
  root.Flag("window-hash", &flags.window_hash, "HOST:PORT",
            "Where window-hash is; of several replicas any that can be reached "
            "is asked.");
  root.Flag("pipeline", &flags.pipelines, "FILE|NAME",
            "Pipelines whose rules it knows; others are taken where their hash "
            "is the anchored one.");
  root.Choice("log", &flags.log, {"none", "kafka"},
              "The record log that REPLAY reads; none: REPLAY is SKIPPED.");
  root.Flag("kafka-config", &flags.kafka_config, "FILE",
            "With --log kafka: properties such as bootstrap.servers.");
  flags.server.AddTo(root);
  root.Example(
      "verifier --trust trust.json --anchor 127.0.0.1:7400 "
      "--window-hash 127.0.0.1:7400");
  root.Action([&flags] { return Run(flags); });
  return line.Run(argc, argv);
}

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) { return windproof::Main(argc, argv); }
