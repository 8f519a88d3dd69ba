// Ingest as a process of its own, over a Kafka log.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/record_log/kafka_log.h"
#include "common/server/command_line.h"
#include "common/server/data_dir.h"
#include "common/server/kafka_flags.h"
#include "common/server/logging.h"
#include "common/server/run_server.h"
#include "common/spec_file/spec_file.h"
#include "services/ingest/ingest_module.h"
#include "services/ingest/live/dwd_live_flags.h"
#include "services/ingest/live/dwd_live_options.h"

namespace windproof {
namespace {

struct Flags {
  ServerFlags server;
  KafkaFlags kafka;
  DwdLiveFlags live;
  std::vector<std::string> pipelines = {"weather"};
  std::string data_dir;
};

absl::Status Check(const Flags& flags) {
  if (!flags.kafka.kafka()) {
    return absl::InvalidArgumentError(
        "--log is embedded; a process of its own shares its log with "
        "window-hash, and the embedded log belongs to one process: --log kafka "
        "is accepted here. `windproof serve --data-dir DIR` runs everything in "
        "one process");
  }
  return flags.server.Check();
}

int Run(const Flags& flags) {
  const absl::Status checked = Check(flags);
  if (!checked.ok()) return ReportWrongUse("ingest", checked);
  absl::StatusOr<std::optional<DwdLiveOptions>> live = flags.live.Options();
  if (!live.ok()) return ReportWrongUse("ingest", live.status());
  KeepShutdownSignals();
  StartServerLogging(flags.server, "ingest");

  IngestModule::Options options;
  absl::StatusOr<std::vector<PipelineSpec>> specs = LoadSpecs(flags.pipelines);
  if (!specs.ok()) return ReportStartFailure(specs.status());
  options.pipelines = *std::move(specs);
  std::unique_ptr<DataDir> dir;
  if (live->has_value()) {
    if (flags.data_dir.empty()) {
      return ReportWrongUse(
          "ingest", absl::InvalidArgumentError(
                        "--dwd-live needs --data-dir DIR, where it keeps what "
                        "was sent"));
    }
    absl::StatusOr<std::unique_ptr<DataDir>> opened =
        DataDir::Open(flags.data_dir, DataDir::Use::kWrite);
    if (!opened.ok()) return ReportStartFailure(opened.status());
    dir = *std::move(opened);
    (*live)->store_path = dir->Sub("dwd_live");
  }
  options.live = *std::move(live);
  const absl::StatusOr<std::unique_ptr<KafkaLog>> log = flags.kafka.Open();
  if (!log.ok()) return ReportStartFailure(log.status());
  options.log = log->get();
  const absl::StatusOr<std::unique_ptr<IngestModule>> ingest =
      IngestModule::Open(std::move(options));
  if (!ingest.ok()) return ReportStartFailure(ingest.status());
  return RunServer(flags.server, {ingest->get()},
                   [&log](std::chrono::steady_clock::time_point deadline) {
                     (*log)->EndBy(deadline);
                   });
}

int Main(int argc, char** argv) {
  PrepareProcess();
  Flags flags;
  flags.server.listen = "127.0.0.1:7401";
  CommandLine line("ingest",
                   "Windproof's ingest: takes records into the record log.",
                   VersionText());
  Command& root = line.root();
  flags.kafka.AddTo(root);
  root.Flag("pipeline", &flags.pipelines, "FILE|NAME",
            "Pipelines whose topics are taken.");
  root.Flag("data-dir", &flags.data_dir, "DIR",
            "With --dwd-live: folder of what was sent; made if missing.");
  flags.live.AddTo(root);
  flags.server.AddTo(root);
  root.Example("ingest --log kafka --kafka-config kafka.properties");
  root.Action([&flags] { return Run(flags); });
  return line.Run(argc, argv);
}

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) { return windproof::Main(argc, argv); }
