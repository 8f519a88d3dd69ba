#include "services/window_hash/log_follower.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/window_hash/log_check.h"

namespace windproof {
namespace {

// How long a wait for records or partitions lasts at most. Nothing is missed
// when it ends: only the end of the process is looked for.
constexpr std::chrono::milliseconds kPollTimeout{1000};
constexpr std::chrono::milliseconds kDiscoverTimeout{250};
// Between tries while the log is away.
constexpr std::chrono::milliseconds kLogAwayPause{500};

}  // namespace

absl::StatusOr<std::unique_ptr<LogFollower>> LogFollower::Create(
    const Options& options, const std::vector<PipelineSpec>& specs,
    RecordLog& log, PayloadStore& store, const CheckpointSigner& signer) {
  std::unique_ptr<LogFollower> follower(
      new LogFollower(options, log, store, signer));
  for (const PipelineSpec& spec : specs) {
    absl::StatusOr<TopicMatcher> matcher = TopicMatcher::Create(spec.topics);
    if (!matcher.ok()) return matcher.status();
    auto pipeline = std::make_unique<Pipeline>();
    pipeline->spec = &spec;
    pipeline->matcher = std::make_unique<TopicMatcher>(*std::move(matcher));
    pipeline->reader = log.NewReader();
    follower->pipelines_.push_back(std::move(pipeline));
  }
  for (int i = 0; i < std::max(1, options.threads); ++i) {
    follower->shards_.push_back(std::make_unique<Shard>(options.queue_batches));
  }
  return follower;
}

LogFollower::~LogFollower() { Stop(); }

absl::Status LogFollower::Start() {
  const absl::StatusOr<std::vector<TopicPartition>> partitions =
      log_.ListPartitions();
  if (!partitions.ok()) return partitions.status();
  for (const auto& pipeline : pipelines_) {
    const absl::Status checked = FailMissing(pipeline.get(), *partitions);
    if (!checked.ok()) return checked;
  }
  const absl::StatusOr<size_t> known = Discover();
  if (!known.ok()) return known.status();
  for (const auto& shard : shards_) {
    shard->thread = std::thread([this, &shard] { FeedLoop(shard.get()); });
  }
  for (const auto& pipeline : pipelines_) {
    pipeline->fetcher =
        std::thread([this, &pipeline] { FetchLoop(pipeline.get()); });
  }
  discoverer_ = std::thread([this] { DiscoverLoop(); });
  return absl::OkStatus();
}

// What was read before and is no longer there, or no longer asked for.
absl::Status LogFollower::FailMissing(
    Pipeline* pipeline, const std::vector<TopicPartition>& partitions) {
  const absl::StatusOr<std::vector<PipelineSource>> stored =
      store_.StoredPartitions(pipeline->spec->name);
  if (!stored.ok()) return stored.status();
  for (const PipelineSource& source : *stored) {
    const bool matches = pipeline->matcher->Matches(source.source.topic);
    if (matches && std::find(partitions.begin(), partitions.end(),
                             source.source) != partitions.end()) {
      continue;
    }
    auto lane = std::make_unique<Lane>();
    lane->failed.source = source;
    const absl::StatusOr<std::optional<PartitionState>> state =
        store_.LoadPartition(source);
    if (!state.ok()) {
      lane->failed.error = state.status();
    } else {
      if (state->has_value()) lane->failed.state = **state;
      const std::string where =
          absl::StrCat("pipeline ", source.pipeline, ", ", source.source.topic,
                       "/", source.source.partition);
      lane->failed.error =
          matches ? absl::DataLossError(absl::StrCat(
                        where,
                        ": the log has no such partition, but it was "
                        "already read up to offset ",
                        lane->failed.state.position))
                  : absl::FailedPreconditionError(absl::StrCat(
                        where,
                        ": is not read on: no topic of the pipeline "
                        "matches it any more"));
    }
    AddLane(pipeline, source.source, std::move(lane));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> LogFollower::Discover() {
  const absl::StatusOr<std::vector<TopicPartition>> partitions =
      log_.ListPartitions();
  if (!partitions.ok()) return partitions.status();
  for (const auto& pipeline : pipelines_) {
    for (const TopicPartition& source : *partitions) {
      if (!pipeline->matcher->Matches(source.topic) ||
          FindLane(pipeline.get(), source) != nullptr) {
        continue;
      }
      const absl::Status opened = OpenLane(pipeline.get(), source);
      if (!opened.ok()) return opened;
    }
  }
  return partitions->size();
}

absl::Status LogFollower::OpenLane(Pipeline* pipeline,
                                   const TopicPartition& source) {
  const absl::StatusOr<LogBounds> bounds = log_.Bounds(source);
  // The log is away: tried again. Everything else is the partition's own.
  if (!bounds.ok()) return bounds.status();
  auto lane = std::make_unique<Lane>();
  const PipelineSource name{.pipeline = pipeline->spec->name, .source = source};
  lane->failed.source = name;
  absl::StatusOr<std::unique_ptr<PartitionWorker>> worker =
      PartitionWorker::Open(options_.worker, *pipeline->spec, name,
                            bounds->begin, store_, signer_);
  if (!worker.ok()) {
    lane->failed.error = worker.status();
    AddLane(pipeline, source, std::move(lane));
    return absl::OkStatus();
  }
  lane->worker = *std::move(worker);
  const absl::StatusOr<int64_t> offset = FirstOffsetToRead(
      name, lane->worker->status().state, lane->worker->next_offset(), *bounds);
  if (!offset.ok()) lane->worker->Stop(offset.status());
  const PartitionWorker& opened = *lane->worker;
  AddLane(pipeline, source, std::move(lane));
  // After it can be found: its first records may come at once.
  if (opened.status().error.ok()) pipeline->reader->Assign(source, *offset);
  return absl::OkStatus();
}

void LogFollower::AddLane(Pipeline* pipeline, const TopicPartition& source,
                          std::unique_ptr<Lane> lane) {
  if (lane->worker == nullptr && options_.worker.on_stop != nullptr) {
    options_.worker.on_stop(lane->failed.source, lane->failed.error);
  }
  MutexLock lock(mutex_);
  const auto early = early_stops_.find({pipeline->spec->name, source});
  if (early != early_stops_.end() && lane->worker != nullptr) {
    lane->worker->Stop(early->second);
  }
  // In turn, so that two partitions never share one shard of two.
  lane->shard = lanes_++ % shards_.size();
  pipeline->lanes[source] = std::move(lane);
}

void LogFollower::DiscoverLoop() {
  while (!stopping()) {
    const absl::StatusOr<size_t> known = Discover();
    if (!known.ok()) {
      SetLogStatus(known.status());
      Pause();
      continue;
    }
    log_.WaitForPartitions(*known, kDiscoverTimeout);
  }
}

void LogFollower::FetchLoop(Pipeline* pipeline) {
  while (!stopping()) {
    absl::StatusOr<std::optional<RecordBatch>> batch =
        pipeline->reader->Poll(options_.batch_records, kPollTimeout);
    SetLogStatus(batch.status());
    if (!batch.ok()) {
      Pause();
      continue;
    }
    if (!batch->has_value()) continue;
    Lane* lane = FindLane(pipeline, (*batch)->source);
    if (lane == nullptr) continue;
    shards_[lane->shard]->queue.Push({pipeline, lane, **std::move(batch)});
  }
}

void LogFollower::FeedLoop(Shard* shard) {
  while (std::optional<Work> work = shard->queue.Pop()) {
    const absl::Status fed = work->lane->worker->Process(work->batch);
    if (!fed.ok()) work->pipeline->reader->Unassign(work->batch.source);
  }
}

void LogFollower::StopIntake() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (const auto& pipeline : pipelines_) pipeline->reader->Wake();
}

void LogFollower::Stop() {
  StopIntake();
  {
    MutexLock lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
  }
  if (discoverer_.joinable()) discoverer_.join();
  for (const auto& pipeline : pipelines_) {
    if (pipeline->fetcher.joinable()) pipeline->fetcher.join();
  }
  for (const auto& shard : shards_) shard->queue.Close();
  for (const auto& shard : shards_) {
    if (shard->thread.joinable()) shard->thread.join();
  }
}

std::vector<PartitionProgress> LogFollower::Partitions(
    absl::string_view pipeline_name) {
  std::vector<PartitionProgress> partitions;
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name != pipeline_name) continue;
    std::vector<const Lane*> lanes;
    {
      MutexLock lock(mutex_);
      for (const auto& [source, lane] : pipeline->lanes) {
        lanes.push_back(lane.get());
      }
    }
    for (const Lane* lane : lanes) {
      PartitionProgress& progress = partitions.emplace_back();
      progress.status =
          lane->worker != nullptr ? lane->worker->status() : lane->failed;
      if (lane->worker != nullptr) progress.counters = lane->worker->counters();
      const absl::StatusOr<LogBounds> bounds =
          log_.Bounds(progress.status.source.source);
      progress.log_end =
          bounds.ok() ? bounds->end : progress.status.state.position;
    }
  }
  return partitions;
}

bool LogFollower::IsOpen(absl::string_view pipeline_name, absl::string_view key,
                         int64_t window_start_ms) {
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name != pipeline_name) continue;
    std::vector<const PartitionWorker*> workers;
    {
      MutexLock lock(mutex_);
      for (const auto& [source, lane] : pipeline->lanes) {
        if (lane->worker != nullptr) workers.push_back(lane->worker.get());
      }
    }
    for (const PartitionWorker* worker : workers) {
      if (worker->IsOpen(key, window_start_ms)) return true;
    }
  }
  return false;
}

void LogFollower::StopPartition(const PipelineSource& source,
                                const absl::Status& error) {
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name != source.pipeline) continue;
    const Lane* lane = nullptr;
    {
      MutexLock lock(mutex_);
      const auto found = pipeline->lanes.find(source.source);
      if (found == pipeline->lanes.end()) {
        early_stops_.try_emplace(source, error);
      } else {
        lane = found->second.get();
      }
    }
    if (lane == nullptr || lane->worker == nullptr) continue;
    lane->worker->Stop(error);
    pipeline->reader->Unassign(source.source);
  }
}

LogFollower::Lane* LogFollower::FindLane(Pipeline* pipeline,
                                         const TopicPartition& source) const {
  MutexLock lock(mutex_);
  const auto found = pipeline->lanes.find(source);
  return found == pipeline->lanes.end() ? nullptr : found->second.get();
}

absl::Status LogFollower::LogStatus() const {
  MutexLock lock(mutex_);
  return log_status_;
}

bool LogFollower::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

void LogFollower::SetLogStatus(const absl::Status& status) {
  MutexLock lock(mutex_);
  log_status_ = status;
}

void LogFollower::Pause() {
  MutexLock lock(mutex_);
  if (!stopping_) {
    changed_.WaitUntil(mutex_,
                       std::chrono::steady_clock::now() + kLogAwayPause);
  }
}

}  // namespace windproof
