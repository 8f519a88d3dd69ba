#include "services/window_hash/log_follower.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/window_hash/changelog.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

// How long a wait for records or partitions lasts at most. Nothing is missed
// when it ends: only the end of the process is looked for.
constexpr std::chrono::milliseconds kPollTimeout{1000};
constexpr std::chrono::milliseconds kDiscoverTimeout{250};
// Between tries while the log is away.
constexpr std::chrono::milliseconds kLogAwayPause{500};
// How often lag tools are told where we are.
constexpr std::chrono::seconds kTellPositions{2};

bool IsAway(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

LogFollower::LogFollower(const Options& options, RecordLog& log,
                         PayloadStore& store, const CheckpointSigner& signer)
    : options_(options), log_(log), store_(store) {
  LaneOpener::Options opener;
  opener.worker = options.worker;
  opener.changelog = options.group != nullptr;
  opener.on_restore = [this](const PipelineSource& source, int64_t position,
                             int64_t end) {
    return !stopping() && openings_->OnRestore(source, position, end);
  };
  opener_ = std::make_unique<LaneOpener>(std::move(opener), log, store, signer);
  openings_ = std::make_unique<LaneOpenings>(
      *opener_, [this] { options_.group->Wake(); });
}

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
  // With a group nothing is known to be ours before it has met. A log that is
  // away, or has not answered yet, is looked for from here on.
  if (options_.group == nullptr) {
    absl::Status known = log_.Health();
    if (known.ok()) known = Discover().status();
    if (!known.ok() && !IsAway(known)) return known;
    SetLogStatus(Doing::kDiscovering, known);
  }
  for (const auto& shard : shards_) {
    shard->thread = std::thread([this, &shard] { FeedLoop(shard.get()); });
  }
  for (const auto& pipeline : pipelines_) {
    {
      const MutexLock lock(mutex_);
      pipeline->fetching = true;
    }
    pipeline->fetcher =
        std::thread([this, &pipeline] { FetchLoop(pipeline.get()); });
  }
  discoverer_ = std::thread([this] { DiscoverLoop(); });
  return absl::OkStatus();
}

void LogFollower::DiscoverLoop() {
  while (!stopping()) {
    absl::Status status;
    if (options_.group != nullptr) {
      status = FollowGroup();
      CommitPositions();
    } else {
      log_.WaitForPartitions(listed_.has_value() ? listed_->size() : 0,
                             kDiscoverTimeout);
    }
    if (status.ok()) status = Discover().status();
    SetLogStatus(Doing::kDiscovering, status);
    if (!status.ok()) Pause();
  }
  openings_->GiveUpAll();
}

absl::Status LogFollower::FollowGroup() {
  absl::StatusOr<std::optional<PartitionGroup::Change>> change =
      options_.group->Wait(kDiscoverTimeout);
  if (absl::IsFailedPrecondition(change.status())) {
    const MutexLock lock(mutex_);
    shut_out_ = change.status();
  }
  if (!change.ok()) return change.status();
  if (!change->has_value()) return absl::OkStatus();
  for (const TopicPartition& source : (*change)->revoked) {
    owned_.erase(source);
    for (const auto& pipeline : pipelines_) {
      openings_->GiveUp({.pipeline = pipeline->spec->name, .source = source});
      CloseLane(pipeline.get(), source);
    }
  }
  options_.group->Done();
  // A lane that was closed may have been one that told of a missing partition.
  listed_.reset();
  owned_.insert((*change)->assigned.begin(), (*change)->assigned.end());
  return absl::OkStatus();
}

absl::StatusOr<size_t> LogFollower::Discover() {
  const absl::StatusOr<std::vector<TopicPartition>> partitions =
      log_.ListPartitions();
  if (!partitions.ok()) return partitions.status();
  PartitionCounts counts;
  for (const TopicPartition& source : *partitions) ++counts[source.topic];
  for (const auto& pipeline : pipelines_) {
    if (!listed_.has_value() || *partitions != *listed_) {
      const absl::Status checked = FailMissing(pipeline.get(), *partitions);
      if (!checked.ok()) return checked;
      StopGrown(pipeline.get(), counts);
    }
    const absl::Status opened = OpenNew(pipeline.get(), *partitions, counts);
    if (!opened.ok()) return opened;
  }
  listed_ = *partitions;
  return partitions->size();
}

absl::Status LogFollower::OpenNew(Pipeline* pipeline,
                                  const std::vector<TopicPartition>& partitions,
                                  const PartitionCounts& counts) {
  absl::Status first;
  for (const TopicPartition& source : partitions) {
    if (stopping()) break;
    if (options_.group != nullptr && !owned_.contains(source)) continue;
    if (IsChangelogTopic(source.topic) ||
        !pipeline->matcher->Matches(source.topic) ||
        FindLane(*pipeline, source) != nullptr) {
      continue;
    }
    const absl::Status opened =
        OpenLane(pipeline, source, counts.at(source.topic));
    // The others go on.
    first.Update(opened);
  }
  return first;
}

// More partitions than before: what was one key's may now be in two of them.
void LogFollower::StopGrown(Pipeline* pipeline, const PartitionCounts& counts) {
  std::vector<std::pair<TopicPartition, std::shared_ptr<Lane>>> grown;
  {
    const MutexLock lock(mutex_);
    for (const auto& [source, lane] : pipeline->lanes) {
      const auto count = counts.find(source.topic);
      if (lane->worker != nullptr && count != counts.end() &&
          count->second != lane->topic_partitions) {
        grown.emplace_back(source, lane);
      }
    }
  }
  for (const auto& [source, lane] : grown) {
    lane->worker->Stop(PartitionCountError(
        {.pipeline = pipeline->spec->name, .source = source},
        lane->topic_partitions, counts.at(source.topic)));
    AskToLeave(pipeline, {.source = source, .lane = lane});
  }
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
    const std::shared_ptr<Lane> running = FindLane(*pipeline, source.source);
    if (running != nullptr && running->worker == nullptr) continue;
    absl::Status error = absl::FailedPreconditionError(
        absl::StrCat(WhereOf(source),
                     "is not read on: no topic of the pipeline matches it "
                     "any more"));
    if (matches) {
      const absl::StatusOr<std::optional<PartitionState>> state =
          store_.LoadPartition(source);
      if (!state.ok()) return state.status();
      error = absl::DataLossError(absl::StrCat(
          WhereOf(source),
          "the log has no such partition, but it was already read up to "
          "offset ",
          state->has_value() ? (*state)->position : 0));
    }
    if (running != nullptr) CloseLane(pipeline, source.source);
    AddLane(pipeline, source.source, opener_->Failed(source, error));
    if (options_.on_opened != nullptr) options_.on_opened(source);
  }
  return absl::OkStatus();
}

absl::Status LogFollower::OpenLane(Pipeline* pipeline,
                                   const TopicPartition& source,
                                   int32_t topic_partitions) {
  if (options_.group == nullptr) {
    return TakeOpened(pipeline, source,
                      opener_->Open(*pipeline->spec, source, topic_partitions));
  }
  const std::optional<LaneOpenings::Outcome> opened =
      openings_->Take({.pipeline = pipeline->spec->name, .source = source});
  if (opened.has_value()) return TakeOpened(pipeline, source, *opened);
  openings_->Start(*pipeline->spec, source, topic_partitions);
  return absl::OkStatus();
}

absl::Status LogFollower::TakeOpened(
    Pipeline* pipeline, const TopicPartition& source,
    const absl::StatusOr<LaneOpener::Opened>& opened) {
  if (!opened.ok()) return opened.status();
  if (options_.on_opened != nullptr) {
    options_.on_opened({.pipeline = pipeline->spec->name, .source = source});
  }
  AddLane(pipeline, source, opened->lane);
  // After it can be found: its first records may come at once.
  if (opened->lane->status().error.ok()) {
    pipeline->reader->Assign(source, opened->offset);
  }
  return absl::OkStatus();
}

void LogFollower::AddLane(Pipeline* pipeline, const TopicPartition& source,
                          std::shared_ptr<Lane> lane) {
  if (lane->worker == nullptr && options_.worker.on_stop != nullptr) {
    options_.worker.on_stop(lane->failed.source, lane->failed.error);
  }
  const MutexLock lock(mutex_);
  const auto early = early_stops_.find({pipeline->spec->name, source});
  if (early != early_stops_.end()) {
    if (lane->worker != nullptr) lane->worker->Stop(early->second);
    early_stops_.erase(early);
  }
  // In turn, so that two partitions never share one shard of two.
  lane->shard = lanes_++ % shards_.size();
  pipeline->lanes[source] = std::move(lane);
  ++epoch_;
}

void LogFollower::CloseLane(Pipeline* pipeline, const TopicPartition& source) {
  const std::shared_ptr<Lane> lane = FindLane(*pipeline, source);
  if (lane == nullptr) return;
  if (lane->worker != nullptr) lane->worker->Close();
  AskToLeave(pipeline, {.source = source, .lane = lane, .forget = true});
  if (options_.on_closed != nullptr) {
    options_.on_closed({.pipeline = pipeline->spec->name, .source = source});
  }
}

void LogFollower::CommitPositions() {
  const steady_clock::time_point now = steady_clock::now();
  if (now < told_positions_ + kTellPositions) return;
  told_positions_ = now;
  // Where pipelines share a partition, the one that is behind counts.
  std::map<TopicPartition, int64_t> positions;
  for (const auto& pipeline : pipelines_) {
    for (const auto& lane : Lanes(pipeline->spec->name)) {
      const PartitionStatus status = lane->status();
      const auto [place, is_new] =
          positions.try_emplace(status.source.source, status.state.position);
      if (!is_new) {
        place->second = std::min(place->second, status.state.position);
      }
    }
  }
  const std::vector<std::pair<TopicPartition, int64_t>> list(positions.begin(),
                                                             positions.end());
  options_.group->CommitPositions(list);
}

void LogFollower::FetchLoop(Pipeline* pipeline) {
  while (!stopping()) {
    LetLeave(pipeline);
    absl::StatusOr<std::optional<RecordBatch>> batch =
        pipeline->reader->Poll(options_.batch_records, kPollTimeout);
    SetLogStatus(Doing::kFetching, batch.status());
    if (!batch.ok()) {
      Pause();
      continue;
    }
    if (!batch->has_value()) continue;
    std::shared_ptr<Lane> lane = FindLane(*pipeline, (*batch)->source);
    if (lane == nullptr || lane->worker == nullptr) continue;
    const size_t shard = lane->shard;
    shards_[shard]->queue.Push({pipeline, std::move(lane), **std::move(batch)});
  }
  LetLeave(pipeline);
  const MutexLock lock(mutex_);
  pipeline->fetching = false;
  changed_.NotifyAll();
}

void LogFollower::FeedLoop(Shard* shard) {
  while (std::optional<Work> work = shard->queue.Pop()) {
    const absl::Status fed = work->lane->worker->Process(work->batch);
    if (fed.ok() || absl::IsCancelled(fed)) continue;
    AskToLeave(work->pipeline,
               {.source = work->batch.source, .lane = work->lane});
  }
}

// Only the fetching thread does it, between two polls; or who asks, while that
// thread does not run.
void LogFollower::LetLeave(Pipeline* pipeline) {
  const MutexLock lock(mutex_);
  for (const Leaving& leaving : pipeline->leaving) {
    const auto found = pipeline->lanes.find(leaving.source);
    if (found == pipeline->lanes.end() || found->second != leaving.lane) {
      continue;
    }
    pipeline->reader->Unassign(leaving.source);
    if (!leaving.forget) continue;
    pipeline->lanes.erase(found);
    ++epoch_;
  }
  pipeline->leaving.clear();
  changed_.NotifyAll();
}

// Waits only where the lane is to be forgotten: its shard may be asking.
void LogFollower::AskToLeave(Pipeline* pipeline, Leaving leaving) {
  const bool wait = leaving.forget;
  bool fetching = false;
  {
    const MutexLock lock(mutex_);
    fetching = pipeline->fetching;
    pipeline->leaving.push_back(std::move(leaving));
  }
  if (!fetching) {
    LetLeave(pipeline);
    return;
  }
  pipeline->reader->Wake();
  if (!wait) return;
  {
    const MutexLock lock(mutex_);
    while (pipeline->fetching && !pipeline->leaving.empty()) {
      changed_.Wait(mutex_);
    }
  }
  LetLeave(pipeline);  // where the fetching thread ended meanwhile
}

void LogFollower::StopIntake() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (options_.group != nullptr) options_.group->Wake();
  for (const auto& pipeline : pipelines_) pipeline->reader->Wake();
}

void LogFollower::Stop() {
  StopIntake();
  {
    const MutexLock lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
  }
  // A changelog that cannot be written would be waited for without end, by the
  // shards and all who wait for them; what is left out is read again. Once more
  // for what was opened meanwhile.
  CloseWorkers();
  if (discoverer_.joinable()) discoverer_.join();
  CloseWorkers();
  for (const auto& pipeline : pipelines_) {
    if (pipeline->fetcher.joinable()) pipeline->fetcher.join();
  }
  for (const auto& shard : shards_) shard->queue.Close();
  for (const auto& shard : shards_) {
    if (shard->thread.joinable()) shard->thread.join();
  }
  // Others go on when the group lets them.
  if (options_.group != nullptr) options_.group->Leave();
}

void LogFollower::CloseWorkers() {
  if (options_.group == nullptr) return;
  for (const auto& pipeline : pipelines_) {
    for (const auto& lane : Lanes(pipeline->spec->name)) {
      if (lane->worker != nullptr) lane->worker->Close();
    }
  }
}

std::vector<std::shared_ptr<Lane>> LogFollower::Lanes(
    absl::string_view name) const {
  std::vector<std::shared_ptr<Lane>> lanes;
  const MutexLock lock(mutex_);
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name != name) continue;
    for (const auto& [source, lane] : pipeline->lanes) lanes.push_back(lane);
  }
  return lanes;
}

std::vector<PartitionProgress> LogFollower::Partitions(
    absl::string_view pipeline) {
  std::vector<PartitionProgress> partitions;
  for (const std::shared_ptr<Lane>& lane : Lanes(pipeline)) {
    PartitionProgress& progress = partitions.emplace_back();
    progress.status = lane->status();
    if (lane->worker != nullptr) progress.counters = lane->worker->counters();
    // While the log is away each question would take until its deadline.
    if (log_.Health().ok()) {
      const absl::StatusOr<LogBounds> bounds =
          log_.Bounds(progress.status.source.source);
      if (bounds.ok()) lane->log_end = bounds->end;
    }
    progress.log_end =
        std::max(lane->log_end.load(), progress.status.state.position);
  }
  for (PartitionProgress& progress : openings_->Progress(pipeline)) {
    partitions.push_back(std::move(progress));
  }
  std::sort(partitions.begin(), partitions.end(),
            [](const PartitionProgress& a, const PartitionProgress& b) {
              return a.status.source < b.status.source;
            });
  return partitions;
}

std::vector<PartitionStatus> LogFollower::Statuses(
    absl::string_view pipeline) const {
  std::vector<PartitionStatus> statuses;
  for (const std::shared_ptr<Lane>& lane : Lanes(pipeline)) {
    statuses.push_back(lane->status());
  }
  return statuses;
}

bool LogFollower::IsOpen(absl::string_view pipeline, absl::string_view key,
                         int64_t window_start_ms) {
  for (const std::shared_ptr<Lane>& lane : Lanes(pipeline)) {
    if (lane->worker != nullptr && lane->worker->IsOpen(key, window_start_ms)) {
      return true;
    }
  }
  return false;
}

bool LogFollower::Has(const PipelineSource& source) const {
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name == source.pipeline) {
      return FindLane(*pipeline, source.source) != nullptr;
    }
  }
  return false;
}

LogFollower::Owned LogFollower::OwnedPartitions(
    absl::string_view pipeline_name) const {
  Owned owned;
  const MutexLock lock(mutex_);
  owned.epoch = epoch_;
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name != pipeline_name) continue;
    for (const auto& [source, lane] : pipeline->lanes) {
      owned.partitions.insert(source);
    }
  }
  return owned;
}

absl::StatusOr<std::set<TopicPartition>> LogFollower::ExpectedPartitions(
    absl::string_view pipeline_name) {
  absl::StatusOr<std::vector<TopicPartition>> listed = log_.ListPartitions();
  if (!listed.ok()) return listed.status();
  std::set<TopicPartition> expected;
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name != pipeline_name) continue;
    for (TopicPartition& source : *listed) {
      if (!IsChangelogTopic(source.topic) &&
          pipeline->matcher->Matches(source.topic)) {
        expected.insert(std::move(source));
      }
    }
  }
  return expected;
}

void LogFollower::StopPartition(const PipelineSource& source,
                                const absl::Status& error) {
  for (const auto& pipeline : pipelines_) {
    if (pipeline->spec->name != source.pipeline) continue;
    std::shared_ptr<Lane> lane;
    {
      const MutexLock lock(mutex_);
      const auto found = pipeline->lanes.find(source.source);
      if (found == pipeline->lanes.end()) {
        early_stops_.try_emplace(source, error);
      } else {
        lane = found->second;
      }
    }
    if (lane == nullptr || lane->worker == nullptr) continue;
    lane->worker->Stop(error);
    AskToLeave(pipeline.get(), {.source = source.source, .lane = lane});
  }
}

std::shared_ptr<Lane> LogFollower::FindLane(
    const Pipeline& pipeline, const TopicPartition& source) const {
  const MutexLock lock(mutex_);
  const auto found = pipeline.lanes.find(source);
  return found == pipeline.lanes.end() ? nullptr : found->second;
}

absl::Status LogFollower::LogStatus() const {
  {
    const MutexLock lock(mutex_);
    for (const auto& [doing, status] : log_status_) {
      if (!status.ok()) return status;
    }
  }
  return log_.Health();
}

absl::Status LogFollower::ShutOut() const {
  const MutexLock lock(mutex_);
  return shut_out_;
}

bool LogFollower::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

void LogFollower::SetLogStatus(Doing doing, const absl::Status& status) {
  const MutexLock lock(mutex_);
  log_status_[doing] = status;
}

void LogFollower::Pause() {
  MutexLock lock(mutex_);
  if (!stopping_) {
    changed_.WaitUntil(mutex_,
                       std::chrono::steady_clock::now() + kLogAwayPause);
  }
}

}  // namespace windproof
