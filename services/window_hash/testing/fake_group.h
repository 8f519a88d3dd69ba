// A partition group in memory, whose partitions a test hands out.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_TESTING_FAKE_GROUP_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_TESTING_FAKE_GROUP_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/record_log/partition_group.h"
#include "common/sync/mutex.h"

namespace windproof {

// Thread-safe.
class FakeGroup {
 public:
  FakeGroup();
  ~FakeGroup();

  // A member of the group; ends with the group.
  PartitionGroup* Join(const std::string& address);

  // Takes a partition from its owner (who must have finished with it when this
  // returns) and gives it to another; no address: to nobody.
  void Move(const TopicPartition& source, const std::string& address);

  // Gives it to another while its owner knows nothing of it: that one is
  // believed dead.
  void Steal(const TopicPartition& source, const std::string& address);

  // Shuts a member out for good: it loses everything.
  void ShutOut(const std::string& address);

  // What members told of how far they are.
  std::map<TopicPartition, int64_t> positions() const;

 private:
  class Member;

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<std::string, std::unique_ptr<Member>> members_
      ABSL_GUARDED_BY(mutex_);
  std::map<TopicPartition, std::string> owners_ ABSL_GUARDED_BY(mutex_);
  std::map<TopicPartition, int64_t> positions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_TESTING_FAKE_GROUP_H_
