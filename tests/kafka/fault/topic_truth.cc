#include "tests/kafka/fault/topic_truth.h"

#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {

absl::StatusOr<PartitionContent> ReadTopics(const PipelineSpec& spec,
                                            RecordLog& log) {
  const absl::StatusOr<TopicMatcher> matcher =
      TopicMatcher::Create(spec.topics);
  if (!matcher.ok()) return matcher.status();
  const absl::StatusOr<std::vector<TopicPartition>> listed =
      log.ListPartitions();
  if (!listed.ok()) return listed.status();
  PartitionContent content;
  for (const TopicPartition& source : *listed) {
    if (!matcher->Matches(source.topic)) continue;
    absl::StatusOr<std::vector<OwnedRecord>> records =
        ReadPartition(log, source);
    if (!records.ok()) return records.status();
    content[source] = *std::move(records);
  }
  return content;
}

absl::StatusOr<CheckpointsByKey> Recompute(const PipelineSpec& spec,
                                           const PartitionContent& content) {
  CheckpointsByKey result;
  for (const auto& [source, records] : content) {
    EngineRun run(spec, source.topic, source.partition, /*origin=*/0);
    const absl::Status fed = run.Feed(records);
    if (!fed.ok()) return fed;
    run.Commit();
    CheckpointsByKey of_partition;
    for (const WrittenWindow& window : run.written()) {
      const Checkpoint& checkpoint = window.checkpoint;
      of_partition[checkpoint.key].push_back(
          {checkpoint.key, checkpoint.window_start_ms, checkpoint.revision,
           window.bytes});
    }
    for (auto& [key, rows] : of_partition) {
      if (!result.try_emplace(key, std::move(rows)).second) {
        return absl::FailedPreconditionError(
            absl::StrCat("key ", key, " is in two partitions"));
      }
    }
  }
  return result;
}

}  // namespace windproof
