// The flags with which a program is told which record log to use, and how its
// Kafka is reached.
#ifndef WINDPROOF_COMMON_SERVER_KAFKA_FLAGS_H_
#define WINDPROOF_COMMON_SERVER_KAFKA_FLAGS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/record_log/kafka_log.h"
#include "common/server/command_line.h"

namespace windproof {

struct KafkaFlags {
  std::string log = "embedded";  // or "kafka"
  std::string config;
  std::string create_topics = "true";
  int64_t partitions = 1;
  int64_t replication = -1;
  int64_t retention_ms = -2;

  // Adds --log, --kafka-config and what new topics are made with to a command.
  void AddTo(Command& command);

  bool kafka() const { return log == "kafka"; }

  // InvalidArgument: --log kafka without --kafka-config, or the other way
  // round; what is wrong in the file. NotFound: it is not there.
  absl::StatusOr<KafkaLog::Options> Options() const;

  // What librdkafka says goes to this program's log.
  absl::StatusOr<std::unique_ptr<KafkaLog>> Open() const;
};

// A line of librdkafka's as one of ours; `level` as of syslog.
void LogKafkaLine(int level, absl::string_view line);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_KAFKA_FLAGS_H_
