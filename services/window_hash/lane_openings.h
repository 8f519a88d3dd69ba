// Partitions that are being brought to their changelog's end, each by a thread
// of its own: whoever follows the group must not keep it waiting.
//
// Start(), Take() and the two GiveUp() are one thread's; Progress() and
// OnRestore() are anybody's.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_LANE_OPENINGS_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_LANE_OPENINGS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"
#include "services/window_hash/lane.h"
#include "services/window_hash/partitions_view.h"
#include "services/window_hash/payload_store.h"

namespace windproof {

class LaneOpenings {
 public:
  using Outcome = absl::StatusOr<LaneOpener::Opened>;

  // `on_done`: one has ended. It is called by the opening's thread.
  LaneOpenings(LaneOpener& opener, std::function<void()> on_done);
  ~LaneOpenings() { GiveUpAll(); }
  LaneOpenings(const LaneOpenings&) = delete;
  LaneOpenings& operator=(const LaneOpenings&) = delete;

  // Begins with a partition, unless that has begun or enough others are at it:
  // try again later. `spec` must outlive this.
  void Start(const PipelineSpec& spec, const TopicPartition& source,
             int32_t topic_partitions);

  // What came of it, once it has ended; then it is forgotten.
  std::optional<Outcome> Take(const PipelineSource& source);

  // Ends it. What was restored stays in the store; the next one goes on from
  // there.
  void GiveUp(const PipelineSource& source);
  void GiveUpAll();

  // For LaneOpener::Options::on_restore.
  bool OnRestore(const PipelineSource& source, int64_t position, int64_t end);

  // Of those of a pipeline whose changelog is being read.
  std::vector<PartitionProgress> Progress(absl::string_view pipeline) const;

 private:
  struct Opening {
    std::thread thread;
    // Guarded by the mutex.
    bool done = false;
    bool given_up = false;
    Outcome outcome = absl::UnknownError("opening");
    std::optional<PartitionProgress> progress;
  };

  LaneOpener& opener_;
  const std::function<void()> on_done_;

  mutable Mutex mutex_;
  std::map<PipelineSource, std::unique_ptr<Opening>> openings_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_LANE_OPENINGS_H_
