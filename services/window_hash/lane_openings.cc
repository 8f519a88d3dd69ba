#include "services/window_hash/lane_openings.h"

#include <utility>

#include "absl/status/status.h"

namespace windproof {
namespace {

// Side by side.
constexpr size_t kOpeningsAtOnce = 4;

}  // namespace

LaneOpenings::LaneOpenings(LaneOpener& opener, std::function<void()> on_done)
    : opener_(opener), on_done_(std::move(on_done)) {}

void LaneOpenings::Start(const PipelineSpec& spec, const TopicPartition& source,
                         int32_t topic_partitions) {
  const PipelineSource name{.pipeline = spec.name, .source = source};
  Opening* opening = nullptr;
  {
    const MutexLock lock(mutex_);
    if (openings_.size() >= kOpeningsAtOnce || openings_.contains(name)) return;
    opening = (openings_[name] = std::make_unique<Opening>()).get();
  }
  opening->thread =
      std::thread([this, &spec, source, topic_partitions, opening] {
        Outcome outcome = opener_.Open(spec, source, topic_partitions);
        {
          const MutexLock lock(mutex_);
          opening->outcome = std::move(outcome);
          opening->done = true;
        }
        on_done_();
      });
}

std::optional<LaneOpenings::Outcome> LaneOpenings::Take(
    const PipelineSource& source) {
  std::unique_ptr<Opening> opening;
  {
    const MutexLock lock(mutex_);
    const auto found = openings_.find(source);
    if (found == openings_.end() || !found->second->done) return std::nullopt;
    opening = std::move(found->second);
    openings_.erase(found);
  }
  opening->thread.join();
  return std::move(opening->outcome);
}

void LaneOpenings::GiveUp(const PipelineSource& source) {
  Opening* opening = nullptr;
  {
    const MutexLock lock(mutex_);
    const auto found = openings_.find(source);
    if (found == openings_.end()) return;
    opening = found->second.get();
    opening->given_up = true;
  }
  opening->thread.join();
  const MutexLock lock(mutex_);
  openings_.erase(source);
}

void LaneOpenings::GiveUpAll() {
  std::vector<PipelineSource> sources;
  {
    const MutexLock lock(mutex_);
    for (const auto& [source, opening] : openings_) {
      opening->given_up = true;
      sources.push_back(source);
    }
  }
  for (const PipelineSource& source : sources) GiveUp(source);
}

bool LaneOpenings::OnRestore(const PipelineSource& source, int64_t position,
                             int64_t end) {
  const MutexLock lock(mutex_);
  const auto found = openings_.find(source);
  if (found == openings_.end()) return true;
  PartitionProgress& progress = found->second->progress.emplace();
  progress.status.source = source;
  progress.restoring = true;
  progress.changelog_position = position;
  progress.changelog_end = end;
  return !found->second->given_up;
}

std::vector<PartitionProgress> LaneOpenings::Progress(
    absl::string_view pipeline) const {
  std::vector<PartitionProgress> shown;
  const MutexLock lock(mutex_);
  for (const auto& [source, opening] : openings_) {
    if (source.pipeline == pipeline && opening->progress.has_value()) {
      shown.push_back(*opening->progress);
    }
  }
  return shown;
}

}  // namespace windproof
