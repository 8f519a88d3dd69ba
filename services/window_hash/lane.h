// A partition of a pipeline as log_follower has it, and how it is opened.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_LANE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_LANE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "services/window_hash/partition_worker.h"
#include "services/window_hash/payload_store.h"

namespace windproof {

// Without a worker where the partition could not be opened: then `failed` says
// why, and how far it was.
struct Lane {
  std::unique_ptr<PartitionWorker> worker;
  PartitionStatus failed;
  int32_t topic_partitions = 1;
  size_t shard = 0;
  std::atomic<int64_t> log_end = 0;  // as last asked for

  PartitionStatus status() const {
    return worker != nullptr ? worker->status() : failed;
  }
};

// Thread-safe.
class LaneOpener {
 public:
  struct Options {
    PartitionWorker::Options worker;
    // Keep a changelog of each partition, and begin with what it has.
    bool changelog = false;
    // Told while a store is brought to its changelog's end: the next offset,
    // and that end. False ends it.
    std::function<bool(const PipelineSource&, int64_t position, int64_t end)>
        on_restore;
  };

  struct Opened {
    std::shared_ptr<Lane> lane;
    int64_t offset = 0;  // where to read on, if the lane has not stopped
  };

  // All must outlive the opener and the lanes.
  LaneOpener(Options options, RecordLog& log, PayloadStore& store,
             const CheckpointSigner& signer)
      : options_(std::move(options)),
        log_(log),
        store_(store),
        signer_(signer) {}

  // A lane that goes on where the partition was, or one that has stopped with
  // the partition's own error. Not OK: the log is away, or on_restore ended it;
  // try again later.
  absl::StatusOr<Opened> Open(const PipelineSpec& spec,
                              const TopicPartition& source,
                              int32_t topic_partitions);

  // A lane for a stored partition that is not read on, with the reason.
  std::shared_ptr<Lane> Failed(const PipelineSource& source,
                               const absl::Status& error);

 private:
  absl::Status CheckPartitionCount(const PipelineSource& source,
                                   int32_t topic_partitions);
  absl::Status CheckNewPartition(const PipelineSource& source,
                                 int32_t topic_partitions);

  const Options options_;
  RecordLog& log_;
  PayloadStore& store_;
  const CheckpointSigner& signer_;
};

// What an error message of a partition begins with: "pipeline P, TOPIC/N: ".
std::string WhereOf(const PipelineSource& source);

// FailedPrecondition: a topic has other partitions than when it was first read,
// so its keys may have moved from one to another.
absl::Status PartitionCountError(const PipelineSource& source, int32_t expected,
                                 int32_t found);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_LANE_H_
