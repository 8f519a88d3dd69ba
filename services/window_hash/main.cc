// Window-hash as a process of its own, over a Kafka log: alone, or as one of
// several replicas that share the partitions.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/spec.h"
#include "common/record_log/kafka_log.h"
#include "common/record_log/kafka_partition_group.h"
#include "common/server/address.h"
#include "common/server/command_line.h"
#include "common/server/data_dir.h"
#include "common/server/kafka_flags.h"
#include "common/server/key_store.h"
#include "common/server/logging.h"
#include "common/server/rpc_server.h"
#include "common/server/run_server.h"
#include "common/spec_file/spec_file.h"
#include "services/window_hash/changelog.h"
#include "services/window_hash/window_hash_module.h"

namespace windproof {
namespace {

struct Flags {
  ServerFlags server;
  KafkaFlags kafka;
  std::string data_dir;
  std::vector<std::string> pipelines = {"weather"};
  std::string anchor = "127.0.0.1:7403";
  std::string instance_id;
  std::string advertise;
  std::string group = "windproof-window-hash";
  int64_t threads = 2;
};

absl::Status Check(const Flags& flags) {
  if (!flags.kafka.kafka()) {
    return absl::InvalidArgumentError(
        "--log is embedded; a process of its own shares its log with ingest, "
        "and the embedded log belongs to one process: --log kafka is accepted "
        "here. `windproof serve --data-dir DIR` runs everything in one "
        "process");
  }
  if (!flags.instance_id.empty() && flags.advertise.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--instance-id is ", flags.instance_id,
        ", but --advertise is missing: HOST:PORT at which the other replicas "
        "reach this one"));
  }
  if (flags.instance_id.empty() && !flags.advertise.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--advertise is ", flags.advertise,
        ", but --instance-id is missing: a name that this replica keeps over "
        "restarts, such as its pod's"));
  }
  for (const std::string& address : {flags.anchor, flags.advertise}) {
    if (address.empty()) continue;
    const absl::Status parsed = ParseAddress(address).status();
    if (!parsed.ok()) return parsed;
  }
  return flags.server.Check();
}

std::vector<std::string> AllTopics(const std::vector<PipelineSpec>& specs) {
  std::vector<std::string> topics;
  for (const PipelineSpec& spec : specs) {
    topics.insert(topics.end(), spec.topics.begin(), spec.topics.end());
  }
  return topics;
}

int Run(const Flags& flags) {
  const absl::Status checked = Check(flags);
  if (!checked.ok()) return ReportWrongUse("window-hash", checked);
  KeepShutdownSignals();
  StartServerLogging(flags.server, "window-hash");

  WindowHashModule::Options options;
  absl::StatusOr<std::vector<PipelineSpec>> specs = LoadSpecs(flags.pipelines);
  if (!specs.ok()) return ReportStartFailure(specs.status());
  options.pipelines = *std::move(specs);
  const absl::StatusOr<KafkaLog::Options> kafka = flags.kafka.Options();
  if (!kafka.ok()) return ReportStartFailure(kafka.status());
  const absl::StatusOr<std::unique_ptr<DataDir>> dir =
      DataDir::Open(flags.data_dir, DataDir::Use::kWrite);
  if (!dir.ok()) return ReportStartFailure(dir.status());
  const absl::StatusOr<NamedKey> key =
      LoadOrMakeKey((*dir)->path(), "producer");
  if (!key.ok()) return ReportStartFailure(key.status());
  LogInfo("producer key", {{"vkey", FormatVerifierKey(key->Public())}});
  const absl::StatusOr<std::unique_ptr<KafkaLog>> log = KafkaLog::Open(*kafka);
  if (!log.ok()) return ReportStartFailure(log.status());

  std::unique_ptr<KafkaPartitionGroup> group;
  if (!flags.instance_id.empty()) {
    KafkaPartitionGroup::Options member;
    member.properties = kafka->properties;
    member.group_id = flags.group;
    member.instance_id = flags.instance_id;
    member.advertise = flags.advertise;
    absl::StatusOr<TopicMatcher> matcher =
        TopicMatcher::Create(AllTopics(options.pipelines));
    if (!matcher.ok()) return ReportStartFailure(matcher.status());
    member.wants = [matcher = *std::move(matcher)](absl::string_view topic) {
      return !IsChangelogTopic(topic) && matcher.Matches(topic);
    };
    member.on_log = LogKafkaLine;
    absl::StatusOr<std::unique_ptr<KafkaPartitionGroup>> joined =
        KafkaPartitionGroup::Join(member, **log);
    if (!joined.ok()) return ReportStartFailure(joined.status());
    group = *std::move(joined);
  }

  options.store_path = (*dir)->Sub("window_hash");
  options.log = log->get();
  options.anchor = RpcServer::ChannelTo(flags.anchor);
  options.signer_name = key->name;
  options.signer_key = key->key;
  options.threads = static_cast<int>(flags.threads);
  options.group = group.get();
  options.advertise = flags.advertise;
  options.warn = [](absl::string_view line) { LogWarning(line); };
  const absl::StatusOr<std::unique_ptr<WindowHashModule>> window_hash =
      WindowHashModule::Open(std::move(options));
  if (!window_hash.ok()) return ReportStartFailure(window_hash.status());
  return RunServer(flags.server, {window_hash->get()},
                   [&log](std::chrono::steady_clock::time_point deadline) {
                     (*log)->EndBy(deadline);
                   });
}

int Main(int argc, char** argv) {
  PrepareProcess();
  Flags flags;
  flags.server.listen = "127.0.0.1:7402";
  CommandLine line("window-hash",
                   "Windproof's window-hash: reads the record log, closes "
                   "windows, hands their checkpoints to the anchor.",
                   VersionText());
  Command& root = line.root();
  root.Flag("data-dir", &flags.data_dir, "DIR",
            "Folder of the windows (DIR/window_hash) and the producer's key "
            "(DIR/keys/producer.pem, made on first start).");
  root.Require("data-dir");
  flags.kafka.AddTo(root);
  root.Flag("pipeline", &flags.pipelines, "FILE|NAME",
            "Pipelines whose windows are made; the same for all replicas.");
  root.Flag("anchor", &flags.anchor, "HOST:PORT", "Where the anchor is.");
  root.Flag("instance-id", &flags.instance_id, "NAME",
            "Share the partitions with other replicas, under a name of its own "
            "that stays over restarts. Each partition then has a changelog.");
  root.Flag("advertise", &flags.advertise, "HOST:PORT",
            "With --instance-id: where the other replicas reach this one.");
  root.Flag("group", &flags.group, "NAME",
            "With --instance-id: the Kafka consumer group of the replicas.");
  root.Flag("threads", &flags.threads, 1, 256, "N",
            "Threads that the partitions are spread over.");
  flags.server.AddTo(root);
  root.Example(
      "window-hash --data-dir d --log kafka --kafka-config kafka.properties "
      "--anchor 127.0.0.1:7403\n"
      "window-hash --config window-hash-0.conf");
  root.Action([&flags] { return Run(flags); });
  return line.Run(argc, argv);
}

}  // namespace
}  // namespace windproof

int main(int argc, char** argv) { return windproof::Main(argc, argv); }
