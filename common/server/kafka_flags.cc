#include "common/server/kafka_flags.h"

#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/record_log/kafka_properties.h"
#include "common/server/logging.h"

namespace windproof {
namespace {

constexpr int64_t kRetentionOfBrokers = -2;
constexpr int64_t kMaxPartitions = 10'000;
constexpr int64_t kMaxReplication = 100;
// Of syslog.
constexpr int kErrorLevel = 3;
constexpr int kWarningLevel = 4;
constexpr absl::string_view kSettingsWarning = "librdkafka CONFWARN";

}  // namespace

void KafkaFlags::AddTo(Command& command) {
  command.Choice("log", &log, {"embedded", "kafka"},
                 "The record log: this process's own, or Apache Kafka.");
  command.Flag("kafka-config", &config, "FILE",
               "With --log kafka: bootstrap.servers and whatever else "
               "librdkafka needs, a KEY=VALUE each line.");
  command.Choice("kafka-create-topics", &create_topics, {"true", "false"},
                 "Whether topics that are missing are made.");
  command.Flag("kafka-partitions", &partitions, 1, kMaxPartitions, "N",
               "Partitions of topics that are made.");
  command.Flag("kafka-replication", &replication, -1, kMaxReplication, "N",
               "Replicas of topics that are made; -1: the brokers' default.");
  command.Flag("kafka-retention-ms", &retention_ms, kRetentionOfBrokers,
               std::numeric_limits<int64_t>::max(), "MS",
               "Retention of topics that are made; -1: for ever; -2: the "
               "brokers' default.");
}

absl::StatusOr<KafkaLog::Options> KafkaFlags::Options() const {
  if (kafka() && config.empty()) {
    return absl::InvalidArgumentError(
        "--log kafka needs --kafka-config FILE, which names the brokers: "
        "bootstrap.servers=HOST:PORT");
  }
  if (!kafka() && !config.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--kafka-config is ", config, ", but --log is ", log,
                     "; it goes with --log kafka"));
  }
  KafkaLog::Options options;
  absl::StatusOr<KafkaProperties> properties = ReadKafkaProperties(config);
  if (!properties.ok()) return properties.status();
  options.properties = *std::move(properties);
  options.create_topics = create_topics == "true";
  options.partitions = static_cast<int32_t>(partitions);
  options.replication =
      replication == 0 ? -1 : static_cast<int32_t>(replication);
  if (retention_ms != kRetentionOfBrokers) options.retention_ms = retention_ms;
  options.on_log = LogKafkaLine;
  return options;
}

absl::StatusOr<std::unique_ptr<KafkaLog>> KafkaFlags::Open() const {
  const absl::StatusOr<KafkaLog::Options> options = Options();
  if (!options.ok()) return options.status();
  return KafkaLog::Open(*options);
}

void LogKafkaLine(int level, absl::string_view line) {
  // Settings that one kind of client uses and another does not: each client
  // says so of those that are ours.
  const bool settings = absl::StartsWith(line, kSettingsWarning);
  const LogLevel ours = settings                 ? LogLevel::kDebug
                        : level <= kErrorLevel   ? LogLevel::kError
                        : level <= kWarningLevel ? LogLevel::kWarning
                                                 : LogLevel::kInfo;
  Log(ours, "kafka client", {{"line", line}});
}

}  // namespace windproof
