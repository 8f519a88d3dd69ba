// Windows of a key that were written before, for amendments: those of the
// replay itself, else computed anew from the log. Window-hash is not asked.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_WINDOWS_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_WINDOWS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"
#include "common/record_log/record_log.h"
#include "services/verifier/chain_check.h"
#include "services/verifier/replay_log.h"

namespace windproof {

// What the replay wrote itself and may still amend: memory is that of the
// records of `amend_ms` of event time. With REJECT it holds nothing.
class RecentWindows : public WrittenWindows {
 public:
  // `spec` must outlive this.
  explicit RecentWindows(const PipelineSpec& spec) : spec_(spec) {}

  // Tells of a window that was written; in order.
  void Take(const WrittenWindow& written);
  void Clear() { windows_.clear(); }

  absl::StatusOr<std::optional<NewestRevision>> Newest(
      absl::string_view key, int64_t window_start_ms) override;

 private:
  const PipelineSpec& spec_;
  std::map<std::string, std::map<int64_t, NewestRevision>, std::less<>>
      windows_;
};

// The same of one key, and behind it what the chain says was written before the
// replay began.
class ChainWindows : public WrittenWindows {
 public:
  // All must outlive this. `log` is a reader of its own.
  ChainWindows(const PipelineSpec& spec, const KeyChain& chain, ReplayLog& log)
      : spec_(spec), chain_(chain), log_(log), recent_(spec) {}

  // The replay begins (anew) with link `first`: what was written is what the
  // chain has before it.
  void BeginAt(size_t first);
  void Take(const WrittenWindow& written) { recent_.Take(written); }

  // OutOfRange where the log no longer holds the records of the window.
  absl::StatusOr<std::optional<NewestRevision>> Newest(
      absl::string_view key, int64_t window_start_ms) override;

 private:
  absl::StatusOr<WindowRecords> Closing(const Checkpoint& anchored);
  absl::StatusOr<WindowRecords> Revision(size_t first, size_t link);

  const PipelineSpec& spec_;
  const KeyChain& chain_;
  ReplayLog& log_;
  RecentWindows recent_;
  size_t first_ = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_WINDOWS_H_
