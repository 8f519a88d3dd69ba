#include "services/verifier/log_records.h"

#include <chrono>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/verifier/recompute.h"

namespace windproof {
namespace {

constexpr size_t kBatch = 4096;
// The log has all of the range already, so a read never waits for new records.
constexpr std::chrono::milliseconds kPoll(1000);

}  // namespace

absl::StatusOr<WindowRecords> ReadWindowFromLog(
    RecordLog& log, const PipelineSpec& spec, const Checkpoint& anchored,
    int64_t origin, const std::function<bool()>& cancelled) {
  const TopicPartition source{anchored.topic, anchored.partition};
  WindowRecomputer recomputer(spec, anchored, origin);

  const absl::StatusOr<LogBounds> bounds = log.Bounds(source);
  if (!bounds.ok()) return bounds.status();
  if (bounds->begin > recomputer.begin() || bounds->end < recomputer.end()) {
    return absl::OutOfRangeError(absl::StrCat(
        "the log has offsets ", bounds->begin, " to ", bounds->end, " of ",
        source.topic, "/", source.partition, "; needed are ",
        recomputer.begin(), " to ", recomputer.end()));
  }
  const std::unique_ptr<LogReader> reader = log.NewReader();
  reader->Assign(source, recomputer.begin());
  int64_t position = recomputer.begin();
  while (position < recomputer.end()) {
    if (cancelled()) return absl::CancelledError("the request has ended");
    const absl::StatusOr<std::optional<RecordBatch>> batch =
        reader->Poll(kBatch, kPoll);
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) continue;
    if (!(*batch)->status.ok()) return (*batch)->status;
    for (const LogRecord& record : (*batch)->records) {
      if (absl::Status fed = recomputer.Feed(record); !fed.ok()) return fed;
    }
    position = (*batch)->next_offset;
  }
  return recomputer.Finish();
}

}  // namespace windproof
