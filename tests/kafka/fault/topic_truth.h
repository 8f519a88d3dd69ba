// What topics of a Kafka log hold defines what must be: the checkpoints of an
// engine that reads them without any interruption.
#ifndef WINDPROOF_TESTS_KAFKA_FAULT_TOPIC_TRUTH_H_
#define WINDPROOF_TESTS_KAFKA_FAULT_TOPIC_TRUTH_H_

#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/testing/engine_run.h"
#include "common/record_log/record_log.h"
#include "tests/fault/log_truth.h"

namespace windproof {

// In offset order, with the gaps that the log has.
using PartitionContent = std::map<TopicPartition, std::vector<OwnedRecord>>;

// Reads the partitions of all topics that the pipeline reads, up to where they
// end now.
absl::StatusOr<PartitionContent> ReadTopics(const PipelineSpec& spec,
                                            RecordLog& log);

// Each key must be in one partition alone, so that there is one order of its
// checkpoints.
absl::StatusOr<CheckpointsByKey> Recompute(const PipelineSpec& spec,
                                           const PartitionContent& content);

}  // namespace windproof

#endif  // WINDPROOF_TESTS_KAFKA_FAULT_TOPIC_TRUTH_H_
