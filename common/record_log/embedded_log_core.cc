#include "common/record_log/embedded_log_core.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/record_log/embedded_log_keys.h"
#include "common/record_log/topic.h"
#include "rocksdb/write_batch.h"

namespace windproof {
namespace {

using Clock = std::chrono::steady_clock;

// Appends that wait are written together up to this size.
constexpr size_t kMaxGroupBytes = 16 << 20;

}  // namespace

Clock::time_point DeadlineAfter(std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);
  return Clock::now() +
         std::clamp(timeout, std::chrono::milliseconds(0), kLongest);
}

EmbeddedLogCore::EmbeddedLogCore(const Options& options,
                                 std::unique_ptr<EmbeddedStore> store,
                                 EmbeddedStore::Contents contents)
    : options_(options),
      store_(std::move(store)),
      topics_(std::move(contents.topics)),
      partitions_(std::move(contents.partitions)) {}

// Writes one group: offsets, keys, batch. Used by the front request's thread,
// the only one that changes topics and ends.
class EmbeddedLogCore::GroupWriter {
 public:
  explicit GroupWriter(EmbeddedLogCore& core) : core_(core) {}

  void Add(AppendRequest* request) {
    request->appended.reserve(request->records.size());
    size_t begin = 0;
    for (size_t i = 0; i < request->records.size(); ++i) {
      Target& target = TargetOf(request->records[i]);
      SetRecordKeyOffset(target.end, &target.key);
      batch_.Put(target.key, rocksdb::Slice(request->raw.data() + begin,
                                            request->ends[i] - begin));
      request->appended.push_back({target.source.partition, target.end});
      ++target.end;
      begin = request->ends[i];
    }
  }

  absl::Status Write() {
    for (const auto& [topic, partitions] : new_topics_) {
      batch_.Put(TopicKey(topic), PartitionCountValue(partitions));
    }
    return core_.store_->Write(&batch_);
  }

  // Shows what was written to the readers.
  // The core's mutex must be held; the analysis cannot tell that core_ is the
  // caller.
  void Publish() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const auto& [topic, partitions] : new_topics_) {
      core_.topics_.emplace(topic, partitions);
      for (int32_t i = 0; i < partitions; ++i) {
        core_.partitions_.emplace(TopicPartition{topic, i}, LogBounds{});
      }
    }
    for (const auto& [topic, targets] : targets_) {
      for (const Target& target : targets) {
        core_.partitions_[target.source].end = target.end;
      }
    }
  }

 private:
  struct Target {
    TopicPartition source;
    int64_t end = 0;  // the next offset
    std::string key;  // the offset is written over
  };

  Target& TargetOf(const NewRecord& record) {
    // Views into the records, which outlive the group.
    auto [it, is_new] = targets_.try_emplace(record.topic);
    if (is_new) it->second = TargetsOf(record.topic);
    return it->second[static_cast<size_t>(
        PartitionOfKey(record.key, static_cast<int32_t>(it->second.size())))];
  }

  std::vector<Target> TargetsOf(const std::string& topic) {
    MutexLock lock(core_.mutex_);
    const auto known = core_.topics_.find(topic);
    int32_t partitions = core_.options_.partitions_per_topic;
    if (known != core_.topics_.end()) {
      partitions = known->second;
    } else {
      new_topics_.emplace(topic, partitions);
    }
    std::vector<Target> targets(static_cast<size_t>(partitions));
    for (int32_t i = 0; i < partitions; ++i) {
      Target& target = targets[static_cast<size_t>(i)];
      target.source = {topic, i};
      target.key = RecordKey(target.source, 0);
      const auto partition = core_.partitions_.find(target.source);
      if (partition != core_.partitions_.end()) {
        target.end = partition->second.end;
      }
    }
    return targets;
  }

  EmbeddedLogCore& core_;
  rocksdb::WriteBatch batch_;
  absl::flat_hash_map<absl::string_view, std::vector<Target>> targets_;
  std::map<std::string, int32_t> new_topics_;
};

std::vector<AppendRequest*> EmbeddedLogCore::FrontGroup() {
  std::vector<AppendRequest*> group;
  size_t bytes = 0;
  for (AppendRequest* const request : queue_) {
    bytes += request->raw.size();
    if (!group.empty() && bytes > kMaxGroupBytes) break;
    group.push_back(request);
  }
  return group;
}

void EmbeddedLogCore::Answer(const std::vector<AppendRequest*>& group,
                             const absl::Status& status) {
  for (AppendRequest* const request : group) {
    request->status = status;
    request->done = true;
    queue_.pop_front();
  }
  appended_.NotifyAll();
}

absl::Status EmbeddedLogCore::Append(AppendRequest* request) {
  std::vector<AppendRequest*> group;
  {
    MutexLock lock(mutex_);
    queue_.push_back(request);
    while (!request->done && queue_.front() != request) appended_.Wait(mutex_);
    if (request->done) return request->status;
    group = FrontGroup();
    if (!broken_.ok()) {
      Answer(group, broken_);
      return request->status;
    }
  }

  GroupWriter writer(*this);
  for (AppendRequest* const other : group) writer.Add(other);
  const absl::Status written = writer.Write();

  MutexLock lock(mutex_);
  if (written.ok()) {
    writer.Publish();
    changed_.NotifyAll();
  } else {
    broken_ = absl::Status(
        written.code(),
        absl::StrCat(written.message(),
                     "; the log takes no more records until it is restarted"));
  }
  Answer(group, written);
  return request->status;
}

absl::StatusOr<LogBounds> EmbeddedLogCore::Bounds(
    const TopicPartition& source) {
  MutexLock lock(mutex_);
  const auto partition = partitions_.find(source);
  if (partition == partitions_.end()) {
    return absl::NotFoundError(absl::StrCat("the record log has no partition ",
                                            source.topic, "/",
                                            source.partition));
  }
  return partition->second;
}

std::vector<TopicPartition> EmbeddedLogCore::ListPartitions() {
  std::vector<TopicPartition> sources;
  MutexLock lock(mutex_);
  sources.reserve(partitions_.size());
  for (const auto& [source, bounds] : partitions_) sources.push_back(source);
  return sources;
}

void EmbeddedLogCore::WaitForPartitions(size_t known,
                                        std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = DeadlineAfter(timeout);
  MutexLock lock(mutex_);
  while (partitions_.size() <= known) {
    if (!changed_.WaitUntil(mutex_, deadline)) return;
  }
}

}  // namespace windproof
