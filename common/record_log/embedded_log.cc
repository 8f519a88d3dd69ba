#include "common/record_log/embedded_log.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pipeline/log_record.h"
#include "common/record_log/embedded_log_keys.h"
#include "common/record_log/embedded_store.h"
#include "common/record_log/topic.h"
#include "common/sync/mutex.h"
#include "rocksdb/write_batch.h"

namespace windproof {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxRawRecordBytes = 64 << 20;
// Appends that wait are written together up to this size.
constexpr size_t kMaxGroupBytes = 16 << 20;
constexpr int32_t kMaxPartitions = 10'000;

// Now + timeout, without overflow.
Clock::time_point DeadlineAfter(std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);
  return Clock::now() +
         std::clamp(timeout, std::chrono::milliseconds(0), kLongest);
}

void AppendRaw(const NewRecord& record, std::string* out) {
  LogRecord raw;
  raw.log_time_ms = record.log_time_ms;
  if (record.key.has_value()) raw.key = *record.key;
  if (record.value.has_value()) raw.value = *record.value;
  for (const auto& [name, value] : record.headers) {
    raw.headers.push_back({name, absl::string_view(value)});
  }
  AppendRawRecord(raw, out);
}

// An Append() on its way.
struct AppendRequest {
  absl::Span<const NewRecord> records;
  std::string raw;           // the raw records, one after the other
  std::vector<size_t> ends;  // of each in `raw`
  std::vector<AppendedRecord> appended;
  absl::Status status;
  bool done = false;
};

}  // namespace

// State shared by the log and its readers.
//
// Appends queue up; the one at the front writes for all that wait behind it (a
// group) and assigns their offsets. So offsets are given in the order of the
// writes, a write that failed uses none, and `end` moves only over records that
// are synced.
class EmbeddedLog::Core {
 public:
  Core(const Options& options, std::unique_ptr<EmbeddedStore> store,
       EmbeddedStore::Contents contents)
      : options_(options),
        store_(std::move(store)),
        topics_(std::move(contents.topics)),
        partitions_(std::move(contents.partitions)) {}

  absl::Status Append(AppendRequest* request) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::StatusOr<LogBounds> Bounds(const TopicPartition& source)
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<TopicPartition> ListPartitions() ABSL_LOCKS_EXCLUDED(mutex_);
  void WaitForPartitions(size_t known, std::chrono::milliseconds timeout)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const Options& options() const { return options_; }

 private:
  friend class Reader;
  class GroupWriter;

  // The requests at the front of the queue that are written together.
  std::vector<AppendRequest*> FrontGroup()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::unique_ptr<EmbeddedStore> store_;

  Mutex mutex_;
  CondVar appended_;  // a group was written
  CondVar changed_;   // an end or an assignment moved, or somebody was woken
  std::deque<AppendRequest*> queue_ ABSL_GUARDED_BY(mutex_);
  absl::Status broken_ ABSL_GUARDED_BY(mutex_);  // the write that failed
  std::map<std::string, int32_t, std::less<>> topics_ ABSL_GUARDED_BY(mutex_);
  std::map<TopicPartition, LogBounds> partitions_ ABSL_GUARDED_BY(mutex_);

 public:
  class Reader;
};

// Writes one group: offsets, keys, batch. Used by the front request's thread,
// the only one that changes topics and ends.
class EmbeddedLog::Core::GroupWriter {
 public:
  explicit GroupWriter(Core& core) : core_(core) {}

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
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex_) {
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

  Core& core_;
  rocksdb::WriteBatch batch_;
  absl::flat_hash_map<absl::string_view, std::vector<Target>> targets_;
  std::map<std::string, int32_t> new_topics_;
};

std::vector<AppendRequest*> EmbeddedLog::Core::FrontGroup() {
  std::vector<AppendRequest*> group;
  size_t bytes = 0;
  for (AppendRequest* const request : queue_) {
    bytes += request->raw.size();
    if (!group.empty() && bytes > kMaxGroupBytes) break;
    group.push_back(request);
  }
  return group;
}

absl::Status EmbeddedLog::Core::Append(AppendRequest* request) {
  std::vector<AppendRequest*> group;
  {
    MutexLock lock(mutex_);
    queue_.push_back(request);
    while (!request->done && queue_.front() != request) appended_.Wait(mutex_);
    if (request->done) return request->status;
    group = FrontGroup();
    if (!broken_.ok()) {
      for (AppendRequest* const other : group) {
        other->status = broken_;
        other->done = true;
      }
      queue_.erase(queue_.begin(), queue_.begin() + group.size());
      appended_.NotifyAll();
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
  for (AppendRequest* const other : group) {
    other->status = written;
    other->done = true;
  }
  queue_.erase(queue_.begin(), queue_.begin() + group.size());
  appended_.NotifyAll();
  return request->status;
}

absl::StatusOr<LogBounds> EmbeddedLog::Core::Bounds(
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

std::vector<TopicPartition> EmbeddedLog::Core::ListPartitions() {
  std::vector<TopicPartition> sources;
  MutexLock lock(mutex_);
  sources.reserve(partitions_.size());
  for (const auto& [source, bounds] : partitions_) sources.push_back(source);
  return sources;
}

void EmbeddedLog::Core::WaitForPartitions(size_t known,
                                          std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = DeadlineAfter(timeout);
  MutexLock lock(mutex_);
  while (partitions_.size() <= known) {
    if (!changed_.WaitUntil(mutex_, deadline)) return;
  }
}

class EmbeddedLog::Core::Reader final : public LogReader {
 public:
  explicit Reader(Core& core) : core_(core) {}

  void Assign(const TopicPartition& source, int64_t offset) override {
    MutexLock lock(core_.mutex_);
    assigned_[source] = {offset, ++generation_};
    core_.changed_.NotifyAll();
  }

  void Unassign(const TopicPartition& source) override {
    MutexLock lock(core_.mutex_);
    assigned_.erase(source);
  }

  absl::StatusOr<std::optional<RecordBatch>> Poll(
      size_t max_records, std::chrono::milliseconds timeout) override {
    const Clock::time_point deadline = DeadlineAfter(timeout);
    max_records = std::max<size_t>(max_records, 1);
    bool in_time = true;
    while (true) {
      std::optional<Turn> turn;
      {
        MutexLock lock(core_.mutex_);
        while (true) {
          if (woken_) {
            woken_ = false;
            return std::nullopt;
          }
          turn = NextTurn();
          if (turn.has_value()) break;
          if (!in_time) return std::nullopt;
          in_time = core_.changed_.WaitUntil(core_.mutex_, deadline);
        }
      }
      RecordBatch batch = Take(*turn, max_records);
      if (Finish(*turn, batch)) return batch;
    }
  }

  void Wake() override {
    MutexLock lock(core_.mutex_);
    woken_ = true;
    core_.changed_.NotifyAll();
  }

 private:
  struct Assignment {
    int64_t position = 0;
    uint64_t generation = 0;  // tells an assignment from the one before it
  };

  // A partition whose turn it is, as it was when it was chosen.
  struct Turn {
    TopicPartition source;
    Assignment assignment;
    LogBounds bounds;
  };

  // The next partition, after the one of the last turn, that has something to
  // give: records, or an error.
  std::optional<Turn> NextTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex_) {
    auto it = assigned_.upper_bound(last_);
    for (size_t i = 0; i < assigned_.size(); ++i, ++it) {
      if (it == assigned_.end()) it = assigned_.begin();
      LogBounds bounds;
      const auto partition = core_.partitions_.find(it->first);
      if (partition != core_.partitions_.end()) bounds = partition->second;
      if (it->second.position == bounds.end) continue;
      last_ = it->first;
      return Turn{it->first, it->second, bounds};
    }
    return std::nullopt;
  }

  RecordBatch Take(const Turn& turn, size_t max_records) {
    const int64_t position = turn.assignment.position;
    if (position >= turn.bounds.begin && position < turn.bounds.end) {
      return core_.store_->Read(turn.source, position, turn.bounds.end,
                                max_records, core_.options_.batch_bytes_max);
    }
    RecordBatch batch;
    batch.source = turn.source;
    batch.next_offset = position;
    batch.status = absl::OutOfRangeError(absl::StrCat(
        "offset ", position, " of ", turn.source.topic, "/",
        turn.source.partition, " is not in the log; ", turn.bounds.begin,
        " to ", turn.bounds.end, " are accepted"));
    return batch;
  }

  // Moves the partition on. False where it was assigned elsewhere or taken away
  // in the meantime, so that the batch is no longer wanted.
  bool Finish(const Turn& turn, const RecordBatch& batch) {
    MutexLock lock(core_.mutex_);
    const auto it = assigned_.find(turn.source);
    if (it == assigned_.end() ||
        it->second.generation != turn.assignment.generation) {
      return false;
    }
    if (batch.status.ok()) {
      it->second.position = batch.next_offset;
    } else {
      assigned_.erase(it);
    }
    return true;
  }

  Core& core_;
  std::map<TopicPartition, Assignment> assigned_ ABSL_GUARDED_BY(core_.mutex_);
  TopicPartition last_ ABSL_GUARDED_BY(core_.mutex_);
  uint64_t generation_ ABSL_GUARDED_BY(core_.mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(core_.mutex_) = false;
};

absl::StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::Open(
    const Options& options) {
  if (options.partitions_per_topic < 1 ||
      options.partitions_per_topic > kMaxPartitions) {
    return absl::InvalidArgumentError(
        absl::StrCat("partitions_per_topic is ", options.partitions_per_topic,
                     "; 1 to ", kMaxPartitions, " are accepted"));
  }
  EmbeddedStore::Options store_options;
  store_options.path = options.path;
  store_options.read_only = options.read_only;
  store_options.write_buffer_bytes = options.write_buffer_bytes;
  store_options.block_cache_bytes = options.block_cache_bytes;
  auto store = EmbeddedStore::Open(store_options);
  if (!store.ok()) return store.status();
  auto contents = (*store)->Load();
  if (!contents.ok()) return contents.status();
  return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(std::make_unique<Core>(
      options, *std::move(store), *std::move(contents))));
}

EmbeddedLog::EmbeddedLog(std::unique_ptr<Core> core) : core_(std::move(core)) {}

EmbeddedLog::~EmbeddedLog() = default;

absl::StatusOr<std::vector<AppendedRecord>> EmbeddedLog::Append(
    absl::Span<const NewRecord> records) {
  if (core_->options().read_only) {
    return absl::FailedPreconditionError(absl::StrCat(
        "record log ", core_->options().path, " was opened for reading only"));
  }
  AppendRequest request;
  request.records = records;
  request.ends.reserve(records.size());
  for (size_t i = 0; i < records.size(); ++i) {
    if (i == 0 || records[i].topic != records[i - 1].topic) {
      absl::Status named = CheckTopicName(records[i].topic);
      if (!named.ok()) return named;
    }
    const size_t begin = request.raw.size();
    AppendRaw(records[i], &request.raw);
    if (request.raw.size() - begin > kMaxRawRecordBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("record ", i, " has ", request.raw.size() - begin,
                       " bytes; ", kMaxRawRecordBytes, " are accepted"));
    }
    request.ends.push_back(request.raw.size());
  }
  if (records.empty()) return std::vector<AppendedRecord>();
  absl::Status appended = core_->Append(&request);
  if (!appended.ok()) return appended;
  return std::move(request.appended);
}

std::unique_ptr<LogReader> EmbeddedLog::NewReader() {
  return std::make_unique<Core::Reader>(*core_);
}

absl::StatusOr<LogBounds> EmbeddedLog::Bounds(const TopicPartition& source) {
  return core_->Bounds(source);
}

absl::StatusOr<std::vector<TopicPartition>> EmbeddedLog::ListPartitions() {
  return core_->ListPartitions();
}

void EmbeddedLog::WaitForPartitions(size_t known,
                                    std::chrono::milliseconds timeout) {
  core_->WaitForPartitions(known, timeout);
}

}  // namespace windproof
