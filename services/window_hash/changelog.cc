#include "services/window_hash/changelog.h"

#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "services/window_hash/store_changes.h"

namespace windproof {
namespace {

constexpr absl::string_view kTopicPrefix = "windproof.";
constexpr absl::string_view kTopicSuffix = ".changelog";
constexpr size_t kPollRecords = 256;
constexpr std::chrono::milliseconds kPollTimeout{500};
constexpr size_t kWriterBytes = 16;
// A commit is bounded by the window that it closes; nothing honest is larger.
constexpr size_t kMaxCommitBytes = size_t{1} << 30;
// Appended at once. Kafka's client takes 64 MiB for all partitions together.
constexpr size_t kSliceParts = 16;

std::string RandomWriter() {
  std::string writer(kWriterBytes, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(writer.data()),
             static_cast<int>(writer.size()));
  return writer;
}

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string ChangelogTopic(absl::string_view pipeline,
                           absl::string_view topic) {
  return absl::StrCat(kTopicPrefix, pipeline, ".", topic, kTopicSuffix);
}

bool IsChangelogTopic(absl::string_view topic) {
  return absl::StartsWith(topic, kTopicPrefix) &&
         absl::EndsWith(topic, kTopicSuffix);
}

Changelog::Changelog(Options options, PipelineSource source, RecordLog& log,
                     PayloadStore& store)
    : options_(std::move(options)),
      source_(std::move(source)),
      place_{.topic = ChangelogTopic(source_.pipeline, source_.source.topic),
             .partition = source_.source.partition},
      writer_(RandomWriter()),
      log_(log),
      store_(store) {}

std::string Changelog::Where() const {
  return absl::StrCat("changelog ", place_.topic, "/", place_.partition, ": ");
}

absl::Status Changelog::EnsureTopic(int32_t partitions) {
  return log_.EnsureTopic(
      {.topic = place_.topic, .partitions = partitions, .keep_for_ever = true});
}

absl::Status Changelog::Restore() {
  const absl::StatusOr<LogBounds> bounds = log_.Bounds(place_);
  if (!bounds.ok()) return bounds.status();
  const absl::StatusOr<int64_t> stored = store_.ChangelogOffset(source_);
  if (!stored.ok()) return stored.status();
  if (bounds->end < *stored) {
    return absl::DataLossError(
        absl::StrCat(Where(), "it ends at offset ", bounds->end,
                     ", but was already used up to offset ", *stored,
                     " (truncated, or the topic was made anew)"));
  }
  next_offset_ = bounds->end;
  if (bounds->end == 0) {
    // Others could never build on what only we have.
    const absl::StatusOr<std::optional<PartitionState>> state =
        store_.LoadPartition(source_);
    if (!state.ok()) return state.status();
    if (!state->has_value()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        Where(), "it is empty, but the store has the partition up to offset ",
        (*state)->position,
        ": it was made by a process without --instance-id. A replica begins "
        "with an empty --data-dir"));
  }
  const absl::Status restored =
      RestoreFrom(std::max(*stored, bounds->begin), bounds->end);
  // Commits of two owners can lie so that what leads on from ours is before
  // our own last one.
  if (!absl::IsOutOfRange(restored)) return restored;
  const absl::Status whole = RestoreFrom(bounds->begin, bounds->end);
  if (!absl::IsOutOfRange(whole)) return whole;
  return absl::DataLossError(whole.message());
}

absl::Status Changelog::RestoreFrom(int64_t offset, int64_t end) {
  const absl::StatusOr<std::optional<PartitionState>> state =
      store_.LoadPartition(source_);
  if (!state.ok()) return state.status();
  position_.reset();
  if (state->has_value()) position_ = (*state)->position;
  partials_.clear();
  if (offset >= end) return absl::OkStatus();

  const std::unique_ptr<LogReader> reader = log_.NewReader();
  reader->Assign(place_, offset);
  while (offset < end) {
    if (options_.on_progress != nullptr && !options_.on_progress(offset, end)) {
      return absl::CancelledError(
          absl::StrCat(Where(), "reading it was ended"));
    }
    absl::StatusOr<std::optional<RecordBatch>> batch =
        reader->Poll(kPollRecords, kPollTimeout);
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) continue;
    if (!(*batch)->status.ok()) {
      return absl::DataLossError(
          absl::StrCat(Where(), (*batch)->status.message()));
    }
    for (const LogRecord& record : (*batch)->records) {
      const absl::Status taken = Take(record, record.offset + 1);
      if (!taken.ok()) return taken;
    }
    offset = (*batch)->next_offset;
  }
  if (options_.on_progress != nullptr) options_.on_progress(end, end);
  partials_.clear();
  return absl::OkStatus();
}

absl::Status Changelog::Take(const LogRecord& record, int64_t next_offset) {
  store::v1::ChangelogRecord part;
  if (!record.value.has_value() ||
      !part.ParseFromArray(record.value->data(),
                           static_cast<int>(record.value->size())) ||
      part.parts() < 1 || part.part() < 0 || part.part() >= part.parts()) {
    return absl::DataLossError(absl::StrCat(
        Where(), "the record at offset ", record.offset,
        " is no changelog record; nobody but window-hash may write there"));
  }
  if (part.parts() == 1) {
    const std::string data = std::move(*part.mutable_data());
    return Apply(part, data, next_offset);
  }
  Partial& partial = partials_[part.writer()];
  if (part.part() == 0) {
    // What a writer left unfinished it has appended again.
    partial.first = part;
    partial.data = std::move(*partial.first.mutable_data());
    partial.parts = 1;
    return absl::OkStatus();
  }
  const bool follows = partial.parts == part.part() &&
                       partial.first.end() == part.end() &&
                       partial.first.parts() == part.parts();
  // The rest of a commit whose beginning is behind us: it says nothing new, or
  // the next one that begins too late will tell.
  if (!follows) return absl::OkStatus();
  partial.data.append(part.data());
  ++partial.parts;
  if (partial.data.size() > kMaxCommitBytes) {
    return absl::DataLossError(absl::StrCat(
        Where(), "the commit that ends at offset ", record.offset,
        " has more than ", kMaxCommitBytes, " bytes; as many are accepted"));
  }
  if (partial.parts < part.parts()) return absl::OkStatus();
  const std::string data = std::move(partial.data);
  partials_.erase(part.writer());
  return Apply(part, data, next_offset);
}

absl::Status Changelog::Apply(const store::v1::ChangelogRecord& record,
                              absl::string_view data, int64_t next_offset) {
  if (position_.has_value()) {
    // The first one that says where the pipeline began counts.
    if (!record.has_begin() || record.end() <= *position_) {
      return absl::OkStatus();
    }
  }
  const bool follows = position_.has_value() ? record.begin() <= *position_
                                             : !record.has_begin();
  if (!follows) {
    return absl::OutOfRangeError(absl::StrCat(
        Where(), "the commit that ends at offset ", next_offset - 1,
        " goes on from position ", record.has_begin() ? record.begin() : -1,
        " of the partition, but what is before it leads only to ",
        position_.value_or(-1), ": commits between are missing"));
  }
  const Digest hash = Sha256Of(data);
  store::v1::Changes changes;
  if (record.sha256() != BytesOf(hash) ||
      !changes.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    return absl::DataLossError(
        absl::StrCat(Where(), "the commit that ends at offset ",
                     next_offset - 1, " does not have its hash"));
  }
  absl::StatusOr<PreparedCommit> commit =
      CommitOf(source_, changes, store_.database());
  if (!commit.ok()) {
    return absl::DataLossError(absl::StrCat(Where(), "offset ", next_offset - 1,
                                            ": ", commit.status().message()));
  }
  commit->batch.Put(store_.database().family(Family::kState),
                    ChangelogOffsetKey(source_), std::to_string(next_offset));
  const absl::Status written = store_.Write(&*commit);
  if (!written.ok()) return written;
  position_ = record.end();
  return absl::OkStatus();
}

absl::Status Changelog::Append(std::optional<int64_t> begin, int64_t end,
                               PreparedCommit* commit) {
  const absl::StatusOr<store::v1::Changes> changes =
      ChangesOf(*commit, store_.database());
  if (!changes.ok()) return changes.status();
  const size_t bytes = changes->ByteSizeLong();
  if (bytes > kMaxCommitBytes) {
    return absl::FailedPreconditionError(
        absl::StrCat(Where(), "the commit up to position ", end, " has ", bytes,
                     " bytes; ", kMaxCommitBytes, " are accepted"));
  }
  const std::string data = changes->SerializeAsString();
  const size_t parts = std::max<size_t>(
      1, (data.size() + options_.part_bytes - 1) / options_.part_bytes);
  store::v1::ChangelogRecord part;
  part.set_writer(writer_);
  if (begin.has_value()) part.set_begin(*begin);
  part.set_end(end);
  part.set_parts(static_cast<int32_t>(parts));
  int64_t offset = 0;
  for (size_t first = 0; first < parts; first += kSliceParts) {
    std::vector<NewRecord> records(std::min(kSliceParts, parts - first));
    for (size_t i = 0; i < records.size(); ++i) {
      const size_t number = first + i;
      part.set_part(static_cast<int32_t>(number));
      part.set_data(
          data.substr(number * options_.part_bytes, options_.part_bytes));
      if (number + 1 == parts) {
        part.set_sha256(std::string(BytesOf(Sha256Of(data))));
      }
      records[i].topic = place_.topic;
      records[i].partition = place_.partition;
      records[i].value = part.SerializeAsString();
      records[i].log_time_ms = NowMs();
    }
    const absl::StatusOr<std::vector<AppendedRecord>> appended =
        log_.Append(records);
    if (!appended.ok()) return appended.status();
    offset = appended->back().offset;
  }
  if (offset < next_offset_) {
    return absl::DataLossError(absl::StrCat(
        Where(), "a commit got offset ", offset, ", but offsets below ",
        next_offset_, " were given before: the topic was made anew"));
  }
  next_offset_ = offset + 1;
  commit->batch.Put(store_.database().family(Family::kState),
                    ChangelogOffsetKey(source_), std::to_string(next_offset_));
  return absl::OkStatus();
}

}  // namespace windproof
