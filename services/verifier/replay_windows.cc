#include "services/verifier/replay_windows.h"

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/timestamp.h"
#include "services/verifier/recompute.h"
#include "services/verifier/replay_key.h"
#include "services/verifier/replay_moment.h"

namespace windproof {
namespace {

// Knows the newest revision of one window. What amendments make of the others
// changes nothing in this one.
class OneWindow : public WrittenWindows {
 public:
  explicit OneWindow(int64_t start_ms) : start_ms_(start_ms) {}

  void Take(const WrittenWindow& written) {
    if (written.checkpoint.window_start_ms != start_ms_) return;
    newest_ = NewestRevision{written.checkpoint.revision,
                             written.checkpoint_hash, written.records};
  }

  absl::StatusOr<std::optional<NewestRevision>> Newest(
      absl::string_view, int64_t window_start_ms) override {
    if (window_start_ms != start_ms_) return std::nullopt;
    return newest_;
  }

 private:
  const int64_t start_ms_;
  std::optional<NewestRevision> newest_;
};

}  // namespace

void RecentWindows::Take(const WrittenWindow& written) {
  if (spec_.late_policy != LatePolicy::kAmend) return;
  const Checkpoint& checkpoint = written.checkpoint;
  std::map<int64_t, NewestRevision>& windows = windows_[checkpoint.key];
  windows[checkpoint.window_start_ms] = NewestRevision{
      checkpoint.revision, written.checkpoint_hash, written.records};
  // At a writing moment nothing waits any more, and of a window that is this
  // old nothing will.
  while (!windows.empty() &&
         checkpoint.watermark >=
             TimestampFromMillis(windows.begin()->first + spec_.window_ms +
                                 spec_.grace_ms + spec_.amend_ms)) {
    windows.erase(windows.begin());
  }
}

absl::StatusOr<std::optional<NewestRevision>> RecentWindows::Newest(
    absl::string_view key, int64_t window_start_ms) {
  const auto windows = windows_.find(key);
  if (windows == windows_.end()) return std::nullopt;
  const auto window = windows->second.find(window_start_ms);
  if (window == windows->second.end()) return std::nullopt;
  return window->second;
}

void ChainWindows::BeginAt(size_t first) {
  first_ = first;
  recent_.Clear();
}

absl::StatusOr<std::optional<NewestRevision>> ChainWindows::Newest(
    absl::string_view key, int64_t window_start_ms) {
  absl::StatusOr<std::optional<NewestRevision>> recent =
      recent_.Newest(key, window_start_ms);
  if (!recent.ok() || recent->has_value()) return recent;
  const std::vector<size_t>* links = chain_.Window(window_start_ms);
  if (links == nullptr) return std::nullopt;
  std::optional<size_t> newest;
  for (const size_t link : *links) {
    if (link < first_) newest = link;
  }
  if (!newest.has_value()) return std::nullopt;
  const ChainLink& link = chain_.link(*newest);
  absl::StatusOr<WindowRecords> records =
      link.checkpoint.revision == 0 ? Closing(link.checkpoint)
                                    : Revision(links->front(), *newest);
  if (!records.ok()) return records.status();
  return NewestRevision{link.checkpoint.revision, link.hash,
                        *std::move(records)};
}

absl::StatusOr<WindowRecords> ChainWindows::Closing(
    const Checkpoint& anchored) {
  WindowRecomputer recomputer(spec_, anchored, 0);
  log_.Seek(recomputer.begin());
  if (absl::Status read = log_.ReadTo(
          recomputer.end(),
          [&](const LogRecord& record) { return recomputer.Feed(record); });
      !read.ok()) {
    return read;
  }
  return recomputer.Finish();
}

absl::StatusOr<WindowRecords> ChainWindows::Revision(size_t first,
                                                     size_t link) {
  const std::optional<Moment> moment = MomentOf(chain_, first);
  if (!moment.has_value()) {
    return absl::NotFoundError(
        "the ledger lacks a checkpoint that an amendment needs");
  }
  const Checkpoint& from = chain_.link(moment->first).checkpoint;
  const Checkpoint& to = chain_.link(link).checkpoint;
  OneWindow written(to.window_start_ms);
  KeyReplay replay(spec_, to.topic, to.partition, to.key, written);
  if (from.seq == 0) {
    replay.Begin(from.scan_begin);
  } else {
    const std::optional<size_t> before = chain_.Before(moment->first);
    if (!before.has_value()) {
      return absl::NotFoundError(absl::StrCat(
          "the checkpoint with seq ", from.seq - 1,
          " is not on the ledger; an amendment needs what follows it"));
    }
    replay.BeginAfter(chain_.link(*before).checkpoint,
                      chain_.link(*before).hash);
  }
  WindowRecords records;
  EngineOutput output;
  log_.Seek(replay.next_offset());
  const absl::Status read =
      log_.ReadTo(to.scan_end, [&](const LogRecord& record) {
        absl::Status fed = replay.Feed(record, &output);
        for (WrittenWindow& window : output.windows) {
          written.Take(window);
          if (window.checkpoint.window_start_ms == to.window_start_ms &&
              window.checkpoint.revision == to.revision) {
            records = std::move(window.records);
          }
        }
        output.Clear();
        return fed;
      });
  if (!read.ok()) return read;
  return records;
}

}  // namespace windproof
