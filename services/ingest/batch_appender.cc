#include "services/ingest/batch_appender.h"

#include <iterator>
#include <utility>

namespace windproof {
namespace {

// What may wait while an append is under way: several times what a client sends
// during one sync, and little beside the rest of the process.
constexpr size_t kWaitingBytesMax = 4 << 20;
constexpr size_t kWaitingBatchesMax = 64;

}  // namespace

BatchAppender::BatchAppender(RecordLog& log)
    : log_(log), thread_([this] { Run(); }) {}

BatchAppender::~BatchAppender() {
  Finish().IgnoreError();
  thread_.join();
}

absl::Status BatchAppender::Submit(std::vector<NewRecord> batch, size_t bytes) {
  MutexLock lock(mutex_);
  while (status_.ok() && !waiting_.empty() &&
         (waiting_.size() >= kWaitingBatchesMax ||
          waiting_bytes_ + bytes > kWaitingBytesMax)) {
    changed_.Wait(mutex_);
  }
  if (!status_.ok()) return status_;
  waiting_.push_back({std::move(batch), bytes});
  waiting_bytes_ += bytes;
  changed_.NotifyAll();
  return absl::OkStatus();
}

absl::Status BatchAppender::Finish() {
  MutexLock lock(mutex_);
  finished_ = true;
  changed_.NotifyAll();
  // A batch stays in the queue until it is durable.
  while (status_.ok() && !waiting_.empty()) changed_.Wait(mutex_);
  return status_;
}

BatchAppender::Totals BatchAppender::totals() {
  MutexLock lock(mutex_);
  return totals_;
}

void BatchAppender::Run() {
  while (true) {
    std::vector<NewRecord> records;
    Totals group;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !finished_) changed_.Wait(mutex_);
      if (waiting_.empty()) return;
      records = std::move(waiting_.front().records);
      group = {1, static_cast<int64_t>(records.size()),
               static_cast<int64_t>(waiting_.front().bytes)};
      for (size_t i = 1; i < waiting_.size(); ++i) {
        Batch& batch = waiting_[i];
        ++group.batches;
        group.records += static_cast<int64_t>(batch.records.size());
        group.bytes += static_cast<int64_t>(batch.bytes);
        records.insert(records.end(),
                       std::make_move_iterator(batch.records.begin()),
                       std::make_move_iterator(batch.records.end()));
      }
    }
    const absl::Status appended = log_.Append(records).status();

    MutexLock lock(mutex_);
    if (!appended.ok()) {
      status_ = appended;
      waiting_.clear();
      changed_.NotifyAll();
      return;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + group.batches);
    waiting_bytes_ -= static_cast<size_t>(group.bytes);
    totals_.batches += group.batches;
    totals_.records += group.records;
    totals_.bytes += group.bytes;
    changed_.NotifyAll();
  }
}

}  // namespace windproof
