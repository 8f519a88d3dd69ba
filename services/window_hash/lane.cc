#include "services/window_hash/lane.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/window_hash/changelog.h"
#include "services/window_hash/log_check.h"

namespace windproof {
namespace {

// Whether the same may go well a moment later, without anybody's doing.
bool IsPassing(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string WhereOf(const PipelineSource& source) {
  return absl::StrCat("pipeline ", source.pipeline, ", ", source.source.topic,
                      "/", source.source.partition, ": ");
}

absl::Status PartitionCountError(const PipelineSource& source, int32_t expected,
                                 int32_t found) {
  return absl::FailedPreconditionError(absl::StrCat(
      WhereOf(source), "the topic has ", found, " partitions, but had ",
      expected,
      " when the pipeline began to read it; keys may have moved from one to "
      "another, so none of them is read on"));
}

absl::StatusOr<LaneOpener::Opened> LaneOpener::Open(
    const PipelineSpec& spec, const TopicPartition& partition,
    int32_t topic_partitions) {
  const PipelineSource source{.pipeline = spec.name, .source = partition};
  const absl::StatusOr<LogBounds> bounds = log_.Bounds(partition);
  // The log is away: tried again. Everything else is the partition's own.
  if (!bounds.ok()) return bounds.status();
  const absl::Status counted = CheckPartitionCount(source, topic_partitions);
  if (IsPassing(counted)) return counted;
  if (!counted.ok()) return Opened{.lane = Failed(source, counted)};

  PartitionWorker::Opening opening;
  opening.origin = bounds->begin;
  opening.topic_partitions = topic_partitions;
  if (options_.changelog) {
    Changelog::Options changelog;
    if (options_.on_restore != nullptr) {
      changelog.on_progress = [this, &source](int64_t position, int64_t end) {
        return options_.on_restore(source, position, end);
      };
    }
    opening.changelog =
        std::make_unique<Changelog>(std::move(changelog), source, log_, store_);
    const absl::Status ensured =
        opening.changelog->EnsureTopic(topic_partitions);
    if (IsPassing(ensured)) return ensured;
    if (!ensured.ok()) return Opened{.lane = Failed(source, ensured)};
  }
  absl::StatusOr<std::unique_ptr<PartitionWorker>> worker =
      PartitionWorker::Open(options_.worker, spec, source, std::move(opening),
                            store_, signer_);
  if (!worker.ok()) {
    if (options_.changelog && IsPassing(worker.status())) {
      return worker.status();
    }
    return Opened{.lane = Failed(source, worker.status())};
  }

  Opened opened{.lane = std::make_shared<Lane>()};
  opened.lane->worker = *std::move(worker);
  opened.lane->failed.source = source;
  opened.lane->topic_partitions = topic_partitions;
  // Once more: a changelog can have told about it only now.
  absl::Status good = CheckPartitionCount(source, topic_partitions);
  if (good.ok()) {
    const absl::StatusOr<int64_t> offset =
        FirstOffsetToRead(source, opened.lane->worker->status().state,
                          opened.lane->worker->next_offset(), *bounds);
    good = offset.status();
    if (good.ok()) opened.offset = *offset;
  }
  if (!good.ok()) opened.lane->worker->Stop(good);
  return opened;
}

absl::Status LaneOpener::CheckPartitionCount(const PipelineSource& source,
                                             int32_t topic_partitions) {
  const absl::StatusOr<std::optional<int32_t>> stored =
      store_.TopicPartitions(source);
  if (!stored.ok()) return stored.status();
  if (stored->has_value()) {
    if (**stored == topic_partitions) return absl::OkStatus();
    return PartitionCountError(source, **stored, topic_partitions);
  }
  return CheckNewPartition(source, topic_partitions);
}

// A partition that was not read before may be one that the topic did not have
// when the others began to be read: its keys are theirs.
absl::Status LaneOpener::CheckNewPartition(const PipelineSource& source,
                                           int32_t topic_partitions) {
  const absl::StatusOr<std::vector<PipelineSource>> known =
      store_.StoredPartitions(source.pipeline);
  if (!known.ok()) return known.status();
  for (const PipelineSource& other : *known) {
    if (other.source.topic != source.source.topic) continue;
    const absl::StatusOr<std::optional<int32_t>> stored =
        store_.TopicPartitions(other);
    if (!stored.ok()) return stored.status();
    if (stored->has_value() && **stored != topic_partitions) {
      return PartitionCountError(source, **stored, topic_partitions);
    }
  }
  if (!options_.changelog) return absl::OkStatus();
  // Other replicas may have them; the changelog was made with as many.
  const absl::StatusOr<std::vector<TopicPartition>> listed =
      log_.ListPartitions();
  if (!listed.ok()) return listed.status();
  const std::string changelog =
      ChangelogTopic(source.pipeline, source.source.topic);
  const auto had = static_cast<int32_t>(std::count_if(
      listed->begin(), listed->end(), [&](const TopicPartition& partition) {
        return partition.topic == changelog;
      }));
  if (had == 0 || had >= topic_partitions) return absl::OkStatus();
  return PartitionCountError(source, had, topic_partitions);
}

std::shared_ptr<Lane> LaneOpener::Failed(const PipelineSource& source,
                                         const absl::Status& error) {
  auto lane = std::make_shared<Lane>();
  lane->failed.source = source;
  lane->failed.error = error;
  const absl::StatusOr<std::optional<PartitionState>> state =
      store_.LoadPartition(source);
  if (!state.ok()) {
    lane->failed.error = state.status();
  } else if (state->has_value()) {
    lane->failed.state = **state;
  }
  return lane;
}

}  // namespace windproof
