#include "services/window_hash/outbox.h"

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"

namespace windproof {
namespace {

using Clock = std::chrono::steady_clock;

// Whether the anchor will say the same however often it is asked.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
      return true;
    default:
      return false;
  }
}

}  // namespace

Outbox::Outbox(const Options& options, PayloadStore& store,
               CheckpointSink& sink)
    : options_(options),
      store_(store),
      sink_(sink),
      fresh_room_(options.fresh_bytes) {}

Outbox::~Outbox() { Stop(Clock::now()); }

absl::Status Outbox::Load(const std::optional<PipelineSource>& source) {
  const absl::StatusOr<std::vector<OutboxRange>> ranges =
      store_.LoadOutbox(source);
  if (!ranges.ok()) return ranges.status();
  MutexLock lock(mutex_);
  for (const OutboxRange& range : *ranges) {
    KeyQueue& queue = QueueOf(range.source, range.key);
    queue.begin = range.begin;
    queue.next = range.begin;
    queue.end = range.end;
    queue.queued = true;
    ready_.push_back(&queue);
    waiting_[range.source.pipeline] += range.end - range.begin;
  }
  changed_.NotifyAll();
  return absl::OkStatus();
}

void Outbox::Release(const PipelineSource& source) {
  MutexLock lock(mutex_);
  const auto first = queues_.lower_bound({source, ""});
  const auto is_of_source =
      [&](const auto& place) ABSL_NO_THREAD_SAFETY_ANALYSIS {
        return place != queues_.end() && place->first.first == source;
      };
  for (auto it = first; is_of_source(it); ++it) {
    it->second.released = true;
    waiting_[source.pipeline] -= it->second.end - it->second.begin;
  }
  // Before the wait, or one would be taken up again meanwhile.
  std::erase_if(ready_, [](const KeyQueue* queue) { return queue->released; });
  // While this waits, queues of other partitions come and go; released ones
  // stay.
  for (auto it = first; is_of_source(it); ++it) {
    while (it->second.submitting) changed_.Wait(mutex_);
  }
  for (auto it = first; is_of_source(it);) it = queues_.erase(it);
}

void Outbox::Start() {
  MutexLock lock(mutex_);
  thread_ = std::thread([this] { Run(); });
}

void Outbox::Add(const PipelineSource& source,
                 const CommittedWindows& committed) {
  std::vector<OutboxItem> items;
  items.reserve(committed.windows.size());
  for (size_t i = 0; i < committed.windows.size(); ++i) {
    items.push_back(ItemOf(source, &committed.windows[i],
                           &committed.signatures[i], committed.signer));
  }
  MutexLock lock(mutex_);
  for (OutboxItem& item : items) {
    const int64_t seq = item.place.number;
    KeyQueue& queue = QueueOf(source, item.place.key);
    if (queue.begin == queue.end) {
      queue.begin = seq;
      queue.next = seq;
    }
    queue.end = seq + 1;
    if (!queue.stopped.ok()) continue;
    queue.fresh.Add(std::move(item));
    if (!queue.queued) {
      queue.queued = true;
      ready_.push_back(&queue);
    }
  }
  waiting_[source.pipeline] += static_cast<int64_t>(items.size());
  changed_.NotifyAll();
}

int64_t Outbox::Waiting(absl::string_view pipeline) const {
  MutexLock lock(mutex_);
  const auto found = waiting_.find(pipeline);
  return found == waiting_.end() ? 0 : found->second;
}

absl::Status Outbox::Problem(absl::string_view pipeline) const {
  MutexLock lock(mutex_);
  for (const auto& [id, queue] : queues_) {
    if (queue.source.pipeline == pipeline && !queue.stopped.ok()) {
      return queue.stopped;
    }
  }
  return failure_;
}

Outbox::Counters Outbox::counters() const {
  MutexLock lock(mutex_);
  return counters_;
}

void Outbox::Stop(Clock::time_point deadline) {
  {
    MutexLock lock(mutex_);
    if (!thread_.joinable()) return;
    stop_at_ = deadline;
    changed_.NotifyAll();
    while (!ended_ && Clock::now() < deadline) {
      changed_.WaitUntil(mutex_, deadline);
    }
  }
  sink_.Cancel();
  thread_.join();
}

void Outbox::Run() {
  while (true) {
    std::vector<Slice> slices = NextSlices();
    if (slices.empty()) break;
    std::vector<OutboxItem> items;
    std::vector<std::pair<const KeyQueue*, absl::Status>> damaged;
    size_t bytes = 0;
    for (Slice& slice : slices) {
      const absl::Status read = ReadSlice(&slice, &bytes, &items);
      if (!read.ok()) damaged.emplace_back(slice.queue, read);
    }
    std::vector<OutboxItem*> pointers;
    pointers.reserve(items.size());
    for (OutboxItem& item : items) pointers.push_back(&item);
    const absl::Status submitted =
        pointers.empty() ? absl::OkStatus() : Submit(pointers);
    // What is whole before the damage leaves first; if it could not, the damage
    // is found again.
    if (submitted.ok()) {
      for (const auto& [queue, why] : damaged) {
        StopKey(queue->source, queue->key, why);
        if (options_.on_damage != nullptr) {
          options_.on_damage(queue->source, why);
        }
      }
    }
    Finish(slices, submitted);
  }
  MutexLock lock(mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

std::vector<Outbox::Slice> Outbox::NextSlices() {
  MutexLock lock(mutex_);
  std::vector<Slice> slices;
  while (true) {
    const Clock::time_point now = Clock::now();
    // What could not leave before stays for the next start.
    if (stop_at_.has_value() &&
        (now >= *stop_at_ || ready_.empty() || !failure_.ok())) {
      return slices;
    }
    if (!failure_.ok() && now < retry_at_) {
      changed_.WaitUntil(mutex_, retry_at_);
      continue;
    }
    if (ask_again_at_.has_value() && now >= *ask_again_at_) {
      ask_again_at_.reset();
      for (auto& [id, queue] : queues_) {
        if (queue.begin == queue.next || !queue.stopped.ok() ||
            queue.released) {
          continue;
        }
        queue.next = queue.begin;
        if (queue.queued) continue;
        queue.queued = true;
        ready_.push_back(&queue);
      }
    }
    if (!ready_.empty()) {
      if (now >= next_call_ || stop_at_.has_value() || IsWholeBatchReady()) {
        next_call_ = now + options_.between_calls;
        break;
      }
      changed_.WaitUntil(mutex_, next_call_);
      continue;
    }
    if (ask_again_at_.has_value()) {
      changed_.WaitUntil(mutex_, *ask_again_at_);
    } else {
      changed_.Wait(mutex_);
    }
  }
  // Every key that has something gets its turn, as much of it as there is room.
  size_t room = options_.batch_checkpoints;
  const size_t share = std::max<size_t>(1, room / ready_.size());
  while (room > 0 && !ready_.empty()) {
    KeyQueue* queue = ready_.front();
    ready_.pop_front();
    const int64_t count = std::min<int64_t>(
        queue->end - queue->next, static_cast<int64_t>(std::min(share, room)));
    const int64_t end = queue->next + count;
    slices.push_back(
        {queue, queue->next, end, queue->fresh.Take(queue->next, end)});
    queue->submitting = true;
    queue->next = end;
    room -= static_cast<size_t>(count);
  }
  return slices;
}

bool Outbox::IsWholeBatchReady() const {
  size_t count = 0;
  for (const KeyQueue* queue : ready_) {
    count += static_cast<size_t>(queue->end - queue->next);
    if (count >= options_.batch_checkpoints) return true;
  }
  return false;
}

void Outbox::Finish(const std::vector<Slice>& slices,
                    const absl::Status& failure) {
  MutexLock lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (!failure.ok() && failure_.ok() && !stop_at_.has_value()) {
    Tell(failure);
  }
  failure_ = failure;
  if (failure.ok()) {
    retry_after_ = std::chrono::milliseconds(0);
  } else {
    retry_after_ =
        std::clamp(retry_after_ * 2, options_.retry_first, options_.retry_last);
    retry_at_ = now + retry_after_;
    ++counters_.failed_calls;
  }
  for (const Slice& slice : slices) {
    KeyQueue* queue = slice.queue;
    queue->queued = false;
    queue->submitting = false;
    if (!queue->stopped.ok() || queue->released) continue;
    if (!failure.ok()) queue->next = queue->begin;
    if (queue->next < queue->end) {
      queue->queued = true;
      ready_.push_back(queue);
    } else if (queue->begin == queue->end) {
      queues_.erase({queue->source, queue->key});
      continue;
    }
    if (queue->begin < queue->next && !ask_again_at_.has_value()) {
      ask_again_at_ = now + options_.ask_again;
    }
  }
  changed_.NotifyAll();
}

absl::Status Outbox::ReadSlice(Slice* slice, size_t* bytes,
                               std::vector<OutboxItem>* items) {
  for (int64_t seq = slice->begin; seq < slice->end; ++seq) {
    if (*bytes >= options_.batch_bytes) {
      // The rest of the slice goes with a later call.
      MutexLock lock(mutex_);
      slice->queue->next = seq;
      return absl::OkStatus();
    }
    OutboxItem item;
    if (!slice->fresh.empty() && slice->fresh.front().place.number == seq) {
      item = std::move(slice->fresh.front());
      slice->fresh.pop_front();
    } else {
      absl::StatusOr<OutboxItem> stored =
          store_.ReadOutbox({.source = slice->queue->source,
                             .key = slice->queue->key,
                             .number = seq});
      if (!stored.ok()) return stored.status();
      item = *std::move(stored);
    }
    const absl::Status good = CheckItem(store_, &item);
    if (!good.ok()) return good;
    *bytes += item.checkpoint.checkpoint().ByteSizeLong();
    items->push_back(std::move(item));
  }
  return absl::OkStatus();
}

absl::Status Outbox::Submit(absl::Span<OutboxItem* const> items) {
  std::vector<OutboxItem*> live;
  live.reserve(items.size());
  for (OutboxItem* item : items) {
    if (!IsStopped(*item)) live.push_back(item);
  }
  if (live.empty()) return absl::OkStatus();
  std::vector<const v1::SignedCheckpoint*> checkpoints;
  checkpoints.reserve(live.size());
  for (const OutboxItem* item : live) {
    checkpoints.push_back(&item->checkpoint.checkpoint());
  }
  absl::StatusOr<std::vector<v1::Receipt>> receipts = sink_.Submit(checkpoints);
  if (receipts.ok()) return TakeReceipts(live, *std::move(receipts));
  if (!IsRefusal(receipts.status())) return receipts.status();
  if (live.size() == 1) return Refuse(live[0], receipts.status());
  // One of them is refused: halves find out which.
  const absl::Span<OutboxItem* const> all = live;
  const absl::Status first = Submit(all.first(live.size() / 2));
  if (!first.ok()) return first;
  return Submit(all.subspan(live.size() / 2));
}

absl::Status Outbox::TakeReceipts(absl::Span<OutboxItem* const> items,
                                  std::vector<v1::Receipt> receipts) {
  if (receipts.size() != items.size()) {
    return absl::InternalError(absl::StrCat("the anchor answered ",
                                            receipts.size(), " receipts for ",
                                            items.size(), " checkpoints"));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const Digest& hash = items[i]->content->hash;
    if (receipts[i].checkpoint_sha256() != BytesOf(hash)) {
      return absl::InternalError(
          absl::StrCat("the anchor's receipt ", i,
                       " is for another checkpoint than ", HexOf(hash)));
    }
    *items[i]->checkpoint.mutable_receipt() = std::move(receipts[i]);
  }
  {
    // Only the first of a key leave: what stays has no holes.
    MutexLock lock(mutex_);
    std::map<KeyQueue*, int64_t> begins;
    for (OutboxItem* item : items) {
      KeyQueue* queue = QueueOf(*item);
      int64_t& begin = begins.try_emplace(queue, queue->begin).first->second;
      item->done = item->place.number == begin &&
                   item->checkpoint.receipt().state() == v1::Receipt::ANCHORED;
      if (item->done) ++begin;
    }
  }
  const absl::Status stored = store_.StoreReceipts(items);
  if (!stored.ok()) return stored;
  for (const OutboxItem* item : items) {
    if (item->checkpoint.receipt().state() == v1::Receipt::EQUIVOCATION) {
      StopKey(item->place.source, item->place.key,
              absl::AlreadyExistsError(absl::StrCat(
                  "pipeline ", item->place.source.pipeline, ", key ",
                  item->place.key, ", seq ", item->place.number,
                  ": the ledger has another checkpoint of this window")));
    }
  }
  MutexLock lock(mutex_);
  for (const OutboxItem* item : items) {
    if (!item->done) continue;
    KeyQueue* queue = QueueOf(*item);
    queue->begin = item->place.number + 1;
    if (!queue->released) --waiting_[item->place.source.pipeline];
    ++counters_.anchored;
  }
  return absl::OkStatus();
}

absl::Status Outbox::Refuse(OutboxItem* item, const absl::Status& why) {
  StopKey(item->place.source, item->place.key, why);
  if (!absl::IsAlreadyExists(why)) return absl::OkStatus();
  v1::Receipt* receipt = item->checkpoint.mutable_receipt();
  receipt->set_checkpoint_sha256(std::string(BytesOf(item->content->hash)));
  receipt->set_state(v1::Receipt::EQUIVOCATION);
  const OutboxItem* const items[] = {item};
  return store_.StoreReceipts(absl::MakeConstSpan(items));
}

Outbox::KeyQueue& Outbox::QueueOf(const PipelineSource& source,
                                  const std::string& key) {
  const auto [place, made] =
      queues_.try_emplace(std::pair(source, key), &fresh_room_);
  if (made) {
    place->second.source = source;
    place->second.key = key;
  }
  return place->second;
}

Outbox::KeyQueue* Outbox::QueueOf(const OutboxItem& item) {
  return &queues_.at({item.place.source, item.place.key});
}

bool Outbox::IsStopped(const OutboxItem& item) {
  MutexLock lock(mutex_);
  return !QueueOf(item)->stopped.ok();
}

void Outbox::StopKey(const PipelineSource& source, const std::string& key,
                     const absl::Status& why) {
  MutexLock lock(mutex_);
  KeyQueue& queue = queues_.at({source, key});
  if (!queue.stopped.ok()) return;
  ++counters_.stopped_keys;
  queue.stopped = why;
  queue.fresh.Clear();
  Tell(why);
}

void Outbox::Tell(const absl::Status& problem) const {
  if (options_.on_problem != nullptr) options_.on_problem(problem);
}

}  // namespace windproof
