#include "common/record_log/embedded_log_core.h"

#include <algorithm>
#include <string>
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

  // InvalidArgument, and nothing of it is written: a record names a partition
  // that its topic has not.
  absl::Status Add(AppendRequest* request) {
    if (request->need != nullptr) {
      Ensure(*request->need);
      return absl::OkStatus();
    }
    absl::Status checked = CheckPartitions(*request);
    if (!checked.ok()) return checked;
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
    return absl::OkStatus();
  }

  absl::Status Write() {
    for (const auto& [topic, partitions] : new_topics_) {
      batch_.Put(TopicKey(topic), PartitionCountValue(partitions));
    }
    if (batch_.Count() == 0) return absl::OkStatus();
    return core_.store_->Write(&batch_);
  }

  // Shows what was written to the readers.
  // The core's mutex must be held; the analysis cannot tell that core_ is the
  // caller.
  void Publish() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const auto& [topic, partitions] : new_topics_) {
      core_.topics_[topic] = partitions;
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

  // Of a topic as it will be when the group is written; 0: it is not made.
  int32_t PartitionsOf(const std::string& topic) {
    const auto made = new_topics_.find(topic);
    if (made != new_topics_.end()) return made->second;
    MutexLock lock(core_.mutex_);
    const auto known = core_.topics_.find(topic);
    return known == core_.topics_.end() ? 0 : known->second;
  }

  void Ensure(const TopicNeed& need) {
    if (PartitionsOf(need.topic) >= need.partitions) return;
    new_topics_[need.topic] = need.partitions;
    const auto targets = targets_.find(need.topic);
    if (targets != targets_.end()) AddTargets(need.topic, &targets->second);
  }

  absl::Status CheckPartitions(const AppendRequest& request) {
    for (size_t i = 0; i < request.records.size(); ++i) {
      const NewRecord& record = request.records[i];
      if (!record.partition.has_value()) continue;
      int32_t partitions = PartitionsOf(record.topic);
      if (partitions == 0) partitions = core_.options_.partitions_per_topic;
      if (*record.partition >= 0 && *record.partition < partitions) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("record ", i, ": partition is ", *record.partition,
                       "; topic ", record.topic, " has 0 to ", partitions - 1));
    }
    return absl::OkStatus();
  }

  Target& TargetOf(const NewRecord& record) {
    // Views into the records, which outlive the group.
    auto [it, is_new] = targets_.try_emplace(record.topic);
    if (is_new) {
      if (PartitionsOf(record.topic) == 0) {
        new_topics_[record.topic] = core_.options_.partitions_per_topic;
      }
      AddTargets(record.topic, &it->second);
    }
    const int32_t partitions = static_cast<int32_t>(it->second.size());
    return it->second[static_cast<size_t>(
        record.partition.value_or(PartitionOfKey(record.key, partitions)))];
  }

  // Those that it has not yet.
  void AddTargets(const std::string& topic, std::vector<Target>* targets) {
    const int32_t partitions = PartitionsOf(topic);
    MutexLock lock(core_.mutex_);
    for (int32_t i = static_cast<int32_t>(targets->size()); i < partitions;
         ++i) {
      Target& target = targets->emplace_back();
      target.source = {topic, i};
      target.key = RecordKey(target.source, 0);
      const auto partition = core_.partitions_.find(target.source);
      if (partition != core_.partitions_.end()) {
        target.end = partition->second.end;
      }
    }
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
    if (request->status.ok()) request->status = status;
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
  for (AppendRequest* const other : group) other->status = writer.Add(other);
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

absl::Status EmbeddedLogCore::Health() {
  MutexLock lock(mutex_);
  return broken_;
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
