// The changelog of a partition: what its owner commits, in a topic of its own,
// from which another replica brings its store to the same place.
//
// The owner appends a commit before it stores it, so a store is never ahead of
// its changelog. Records carry the positions that a commit goes from and to.
// Replay of the record log gives the same content whoever does it; only where
// commits begin and end differs. So whatever order the commits of two owners
// come in (one was paused, believed dead, and goes on): those that end at or
// before the store's position say nothing new, one that begins at or before it
// and ends behind it is applied whole, and one that begins behind it is a hole.
//
// Source: docs/formats/window-store.md ("The changelog").
// One thread at a time.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_CHANGELOG_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_CHANGELOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/record_log/record_log.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store.pb.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

// windproof.PIPELINE.TOPIC.changelog
std::string ChangelogTopic(absl::string_view pipeline, absl::string_view topic);
bool IsChangelogTopic(absl::string_view topic);

class Changelog {
 public:
  struct Options {
    // Of one record's piece of a commit.
    size_t part_bytes = size_t{512} << 10;
    // Told while Restore() reads: the next offset, and the end. False ends it.
    std::function<bool(int64_t position, int64_t end)> on_progress;
  };

  // `log` and `store` must outlive the changelog.
  Changelog(Options options, PipelineSource source, RecordLog& log,
            PayloadStore& store);

  // Makes the topic when missing, with as many partitions as its source has.
  absl::Status EnsureTopic(int32_t partitions);

  // Applies what the changelog has and the store has not. A changelog that was
  // never written to leaves the store without a partition state.
  //
  // FailedPrecondition: the store has what was never in a changelog. DataLoss:
  // a hole, a record that is none, or less than was there before; Cancelled: by
  // on_progress. Any error of the log.
  absl::Status Restore();

  // Appends a commit that takes the partition from position `begin` to `end`
  // (no `begin`: its first) and adds to it, for the store, where it stands.
  // Durable when it returns. After an error it may be there, or not, or in
  // part, which counts as not; appending it again does no harm.
  // FailedPrecondition: a commit above 1 GiB.
  absl::Status Append(std::optional<int64_t> begin, int64_t end,
                      PreparedCommit* commit);

 private:
  // A commit of some writer of which not all parts were read yet.
  struct Partial {
    store::v1::ChangelogRecord first;
    std::string data;
    int32_t parts = 0;  // so far
  };

  absl::Status RestoreFrom(int64_t offset, int64_t end);
  absl::Status Take(const LogRecord& record, int64_t next_offset);
  absl::Status Apply(const store::v1::ChangelogRecord& record,
                     absl::string_view data, int64_t next_offset);
  std::string Where() const;

  const Options options_;
  const PipelineSource source_;
  const TopicPartition place_;
  const std::string writer_;
  RecordLog& log_;
  PayloadStore& store_;
  int64_t next_offset_ = 0;          // as far as we know
  std::optional<int64_t> position_;  // of the store, while it is restored
  std::map<std::string, Partial> partials_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_CHANGELOG_H_
