// Which partitions of a record log this process follows, where several
// processes share them: each partition has one owner at a time.
//
// Kafka's consumer group is one (KafkaPartitionGroup). A process without a
// group follows everything.
#ifndef WINDPROOF_COMMON_RECORD_LOG_PARTITION_GROUP_H_
#define WINDPROOF_COMMON_RECORD_LOG_PARTITION_GROUP_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/record_log/record_log.h"

namespace windproof {

// Thread-safe; Wait() and Done() by one thread at a time.
class PartitionGroup {
 public:
  // What this process gets and must give up, in that order of importance:
  // `revoked` first. A partition is never in both.
  struct Change {
    std::vector<TopicPartition> assigned;
    std::vector<TopicPartition> revoked;
    // The group went on without us (session timeout, fenced): somebody else may
    // own `revoked` already.
    bool lost = false;
  };

  virtual ~PartitionGroup() = default;

  // The next change; nothing when `timeout` has passed without one. Until
  // Done() is called, the partitions of `revoked` get no new owner, and there
  // is no other change. Errors are of the group as a whole (the log is away, no
  // permission): try again later. FailedPrecondition: it has shut this process
  // out for good, and everything that it had is lost.
  virtual absl::StatusOr<std::optional<Change>> Wait(
      std::chrono::milliseconds timeout) = 0;

  // The last change has been carried out.
  virtual void Done() = 0;

  // Makes a Wait() that waits return with nothing, from any thread.
  virtual void Wake() = 0;

  // Tells how far partitions were read, for lag tools alone: nobody reads on
  // from there. Does not wait; partitions that are not ours are ignored.
  virtual void CommitPositions(
      absl::Span<const std::pair<TopicPartition, int64_t>> positions) = 0;

  // The address that the owner of each partition advertises, of all members. A
  // partition that is not there has no owner now. At most a second old.
  virtual absl::StatusOr<std::map<TopicPartition, std::string>> Owners() = 0;

  // Gives everything up: others can go on at once. No call after it but the
  // destructor.
  virtual void Leave() = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_PARTITION_GROUP_H_
