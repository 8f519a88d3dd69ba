#include "services/windproof/replay_command.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/proto/convert.h"
#include "common/record_log/embedded_log.h"
#include "common/record_log/kafka_log.h"
#include "common/record_log/kafka_properties.h"
#include "common/server/address.h"
#include "common/server/data_dir.h"
#include "common/server/key_store.h"
#include "common/server/rpc_server.h"
#include "common/server/trust_file.h"
#include "common/spec_file/spec_file.h"
#include "services/anchor/anchor_module.h"
#include "services/verifier/replay_audit.h"
#include "services/verifier/report_proto.h"
#include "services/windproof/json_text.h"
#include "services/windproof/progress_line.h"
#include "services/windproof/verdict_text.h"
#include "services/windproof/window_query.h"

namespace windproof {
namespace {

struct Flags {
  WindowQuery query;
  std::string output = "table";
  std::string data_dir;
  std::string log = "embedded";
  std::string kafka_config;
  std::string anchor;
  std::string trust;
};

// What is read: the log and the ledger. Ended in reverse.
struct Sources {
  std::unique_ptr<DataDir> dir;
  std::unique_ptr<RecordLog> log;
  std::unique_ptr<AnchorModule> anchor;
  std::unique_ptr<RpcServer> anchor_server;
  std::shared_ptr<grpc::Channel> anchor_channel;
  std::optional<TrustConfig> trust;
};

absl::Status CheckFlags(const Flags& flags) {
  if (flags.query.pipeline.empty()) {
    return absl::InvalidArgumentError(
        "--pipeline is missing; a built-in name or a spec file is accepted");
  }
  if (flags.log == "kafka") {
    if (flags.kafka_config.empty() || flags.anchor.empty() ||
        flags.trust.empty() || !flags.data_dir.empty()) {
      return absl::InvalidArgumentError(
          "--log kafka needs --kafka-config, --anchor and --trust, and no "
          "--data-dir");
    }
    return absl::OkStatus();
  }
  if (flags.data_dir.empty() || !flags.kafka_config.empty() ||
      !flags.anchor.empty()) {
    return absl::InvalidArgumentError(
        "--data-dir of a stopped store is needed, or --log kafka with "
        "--kafka-config, --anchor and --trust");
  }
  return absl::OkStatus();
}

absl::Status OpenStore(const Flags& flags, Sources* sources) {
  absl::StatusOr<std::unique_ptr<DataDir>> dir =
      DataDir::Open(flags.data_dir, DataDir::Use::kRead);
  if (!dir.ok()) return dir.status();
  sources->dir = *std::move(dir);
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> log =
      EmbeddedLog::Open({.path = sources->dir->Sub("log"), .read_only = true});
  if (!log.ok()) return log.status();
  sources->log = *std::move(log);
  absl::StatusOr<std::unique_ptr<AnchorModule>> anchor =
      AnchorModule::OpenReadOnly({.ledger_path = sources->dir->Sub("ledger"),
                                  .warn = [](absl::string_view line) {
                                    std::fprintf(stderr,
                                                 "windproof replay: %s\n",
                                                 std::string(line).c_str());
                                  }});
  if (!anchor.ok()) return anchor.status();
  sources->anchor = *std::move(anchor);
  absl::StatusOr<std::unique_ptr<RpcServer>> server =
      RpcServer::Start({.listen = "", .modules = {sources->anchor.get()}});
  if (!server.ok()) return server.status();
  sources->anchor_server = *std::move(server);
  sources->anchor_channel = sources->anchor_server->Channel();
  return absl::OkStatus();
}

absl::Status OpenKafka(const Flags& flags, Sources* sources) {
  absl::StatusOr<KafkaProperties> properties =
      ReadKafkaProperties(flags.kafka_config);
  if (!properties.ok()) return properties.status();
  absl::StatusOr<std::unique_ptr<KafkaLog>> log = KafkaLog::Open(
      {.properties = *std::move(properties), .create_topics = false});
  if (!log.ok()) return log.status();
  sources->log = *std::move(log);
  const absl::StatusOr<Address> address = ParseAddress(flags.anchor);
  if (!address.ok()) return address.status();
  sources->anchor_channel = RpcServer::ChannelTo(address->Text());
  return absl::OkStatus();
}

absl::Status OpenSources(const Flags& flags, Sources* sources) {
  const absl::Status opened = flags.log == "kafka" ? OpenKafka(flags, sources)
                                                   : OpenStore(flags, sources);
  if (!opened.ok()) return opened;
  absl::StatusOr<TrustConfig> trust =
      LoadTrust(flags.trust.empty() ? TrustPath(flags.data_dir) : flags.trust);
  if (!trust.ok()) return trust.status();
  sources->trust = *std::move(trust);
  return absl::OkStatus();
}

// Prints checkpoints as they come and adds them up.
class Printer {
 public:
  explicit Printer(bool json)
      : json_(json),
        colours_(!json && isatty(STDOUT_FILENO) == 1),
        // Verdicts that scroll by are progress enough.
        shows_progress_(isatty(STDOUT_FILENO) == 0) {}

  bool OnCheckpoint(const WindowReport& report) {
    v1::VerifyWindowResponse response;
    ToProto(report, &response);
    if (json_) {
      std::printf("%s\n", JsonOf(response).c_str());
    } else {
      std::fputs(VerdictText(response, colours_).c_str(), stdout);
    }
    totals_.set_windows(totals_.windows() + 1);
    totals_.set_records(totals_.records() + report.records);
    AddVerdict(report.verdict, &totals_);
    return true;
  }

  bool OnProgress(int64_t done, int64_t checkpoints) {
    if (!shows_progress_) return true;
    if (!line_.has_value()) line_.emplace("checkpoints", checkpoints);
    line_->Show(done);
    return true;
  }

  void Finish(std::chrono::nanoseconds duration,
              const std::vector<std::string>& notes) {
    line_.reset();
    for (const std::string& note : notes) {
      std::fprintf(stderr, "%s\n", note.c_str());
    }
    *totals_.mutable_duration() = ToProto(duration);
    // The lines of --output json are of one kind.
    std::fputs(TotalsText(totals_).c_str(), json_ ? stderr : stdout);
  }

  // 1 for what was found wins over 3 for what could not be checked.
  int exit_code() const {
    if (totals_.failed() > 0) return kExitFound;
    if (totals_.windows() == 0) {
      std::fprintf(stderr,
                   "windproof replay: no checkpoint was compared: the ledger "
                   "has none that fits what was asked for\n");
      return kExitUnavailable;
    }
    return totals_.incomplete() + totals_.unsupported() > 0 ? kExitUnavailable
                                                            : kExitGood;
  }

 private:
  const bool json_;
  const bool colours_;
  const bool shows_progress_;
  std::optional<ProgressLine> line_;
  v1::VerifyTotals totals_;
};

int Fail(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "windproof replay: %s\n",
               std::string(status.message()).c_str());
  return exit_code;
}

std::chrono::nanoseconds Now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

int Run(Flags& flags) {
  if (absl::Status checked = CheckFlags(flags); !checked.ok()) {
    return Fail(checked, kExitUsage);
  }
  absl::StatusOr<PipelineSpec> spec = LoadSpec(flags.query.pipeline);
  if (!spec.ok()) return Fail(spec.status(), kExitUsage);
  v1::VerifyRangeRequest range;
  if (absl::Status filled = flags.query.Fill(&range); !filled.ok()) {
    return Fail(filled, kExitUsage);
  }
  ReplayAudit::Query query;
  query.key = flags.query.key;
  if (range.has_start_time()) {
    const auto start = MillisFromProto(range.start_time(), "--from");
    if (!start.ok()) return Fail(start.status(), kExitUsage);
    query.starts.start_ms = *start;
  }
  if (range.has_end_time()) {
    const auto end = MillisFromProto(range.end_time(), "--to");
    if (!end.ok()) return Fail(end.status(), kExitUsage);
    query.starts.end_ms = *end;
  }

  Sources sources;
  if (absl::Status opened = OpenSources(flags, &sources); !opened.ok()) {
    return Fail(opened, absl::IsInvalidArgument(opened) ? kExitUsage
                                                        : kExitUnavailable);
  }
  const auto anchor = v1::AnchorService::NewStub(sources.anchor_channel);
  // Never asked.
  const auto window_hash =
      v1::WindowHashService::NewStub(sources.anchor_channel);
  const Peers peers{*anchor, *window_hash,
                    [] { return std::make_unique<grpc::ClientContext>(); }};
  Printer printer(flags.output == "json");
  std::vector<std::string> notes;
  ReplayAudit audit(
      {*std::move(spec),
       {sources.trust->ledger, sources.trust->chain},
       sources.log.get(),
       Now},
      peers,
      {[&](const WindowReport& report) { return printer.OnCheckpoint(report); },
       [&](int64_t done, int64_t all) { return printer.OnProgress(done, all); },
       [&](const std::string& note) { notes.push_back(note); }});
  const std::chrono::nanoseconds begin = Now();
  const absl::Status replayed = audit.Run(query);
  if (!replayed.ok()) return Fail(replayed, kExitUnavailable);
  printer.Finish(Now() - begin, notes);
  return printer.exit_code();
}

}  // namespace

void RegisterReplay(Command& root) {
  Command& command = root.AddCommand(
      "replay", "Recompute a pipeline from the log, compare with the ledger");
  const auto flags = std::make_shared<Flags>();
  command.Flag("pipeline", &flags->query.pipeline, "FILE|NAME",
               "The pipeline: a built-in one, or its spec file.");
  command.Flag("key", &flags->query.key, "KEY", "Only this key.");
  command.Flag("from", &flags->query.from, "TIME",
               "Only windows that start at TIME or later (RFC 3339).");
  command.Flag("to", &flags->query.to, "TIME",
               "Only windows that start before TIME.");
  command.Flag("data-dir", &flags->data_dir, "DIR",
               "A stopped store: its log and its ledger.");
  command.Choice("log", &flags->log, {"embedded", "kafka"},
                 "Where the records are: in --data-dir, or in Kafka.");
  command.Flag("kafka-config", &flags->kafka_config, "FILE",
               "With --log kafka: properties such as bootstrap.servers.");
  command.Flag("anchor", &flags->anchor, "HOST:PORT",
               "With --log kafka: where the ledger is read.");
  command.Flag("trust", &flags->trust, "FILE",
               "Whose ledger is believed; DIR/trust.json by default.");
  command.Choice("output", &flags->output, {"table", "json"},
                 "A table, or a JSON object a line.");
  command.Example(
      "windproof replay --pipeline weather --data-dir weather\n"
      "windproof replay --pipeline weather --key 00433 --from "
      "2026-01-25T00:00:00Z --data-dir weather\n"
      "windproof replay --pipeline weather --log kafka --kafka-config "
      "kafka.properties --anchor 127.0.0.1:7403 --trust trust.json");
  command.Action([flags] { return Run(*flags); });
}

}  // namespace windproof
