// What is asked about closed windows and dropped records.
#include <limits>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/proto/convert.h"
#include "services/window_hash/payload_codec.h"
#include "services/window_hash/payload_packing.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/state_codec.h"

namespace windproof {
namespace {

std::string TextOf(const WindowKey& window) {
  return absl::StrCat(WindowText({.pipeline = window.pipeline,
                                  .key = window.key,
                                  .start_ms = window.start_ms}),
                      " revision ", window.revision);
}

}  // namespace

absl::StatusOr<std::vector<WindowKey>> PayloadStore::Revisions(
    absl::string_view pipeline, absl::string_view key, int64_t start_ms) {
  std::vector<WindowKey> revisions;
  if (!IsStorableName(pipeline) || !IsStorableName(key)) return revisions;
  const std::string prefix = WindowPrefix(pipeline, key, start_ms);
  const absl::Status status = database_->Scan(
      Family::kCheckpoints, prefix, prefix,
      [&](absl::string_view bytes, absl::string_view) -> absl::StatusOr<bool> {
        std::optional<WindowKey> window = DecodeWindowKey(bytes);
        // What has no proper key is no window; replay and ledger tell whether
        // one is missing.
        if (window.has_value()) revisions.push_back(*std::move(window));
        return true;
      });
  if (!status.ok()) return status;
  return revisions;
}

absl::StatusOr<store::v1::StoredCheckpoint> PayloadStore::ReadCheckpoint(
    const WindowKey& window) {
  const absl::StatusOr<std::optional<std::string>> found =
      database_->Get(Family::kCheckpoints, EncodeWindowKey(window));
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    return absl::NotFoundError(
        absl::StrCat("no checkpoint of window ", TextOf(window)));
  }
  store::v1::StoredCheckpoint stored;
  if (!stored.ParseFromString(**found)) {
    return absl::DataLossError(absl::StrCat("stored checkpoint of window ",
                                            TextOf(window),
                                            " is no StoredCheckpoint message"));
  }
  return stored;
}

absl::Status PayloadStore::UsePayload(
    const WindowKey& window,
    absl::FunctionRef<absl::Status(absl::string_view message)> use) {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = database_->db().Get(
      rocksdb::ReadOptions(), database_->family(Family::kPayloads),
      SliceOf(EncodeWindowKey(window)), &value);
  if (status.IsNotFound()) {
    return absl::DataLossError(
        absl::StrCat("no payload of window ", TextOf(window)));
  }
  if (!status.ok()) {
    return FromRocks(status,
                     absl::StrCat("payload of window ", TextOf(window)));
  }
  std::string scratch;
  const absl::StatusOr<absl::string_view> message =
      UnpackPayload(ViewOf(value), &scratch);
  const absl::Status used = message.ok() ? use(*message) : message.status();
  if (used.ok()) return used;
  return absl::DataLossError(
      absl::StrCat("window ", TextOf(window), ": ", used.message()));
}

absl::StatusOr<v1::WindowPayload> PayloadStore::ReadPayload(
    const WindowKey& window) {
  absl::StatusOr<v1::WindowPayload> payload;
  const absl::Status status =
      UsePayload(window, [&](absl::string_view message) {
        payload = ParseWindowPayload(message);
        return payload.status();
      });
  if (!status.ok()) return status;
  return payload;
}

absl::StatusOr<std::string> PayloadStore::ReadPayloadBytes(
    const WindowKey& window) {
  std::string bytes;
  const absl::Status status =
      UsePayload(window, [&](absl::string_view message) {
        if (!IsWindowPayload(message)) {
          return absl::DataLossError(
              absl::StrCat("stored payload of ", message.size(),
                           " bytes is no windproof.v1.WindowPayload message"));
        }
        bytes = std::string(message);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return bytes;
}

absl::Status PayloadStore::VisitPayload(
    const WindowKey& window, size_t part_bytes,
    absl::FunctionRef<absl::StatusOr<bool>(absl::string_view)> visit) {
  return UsePayload(window, [&](absl::string_view message) -> absl::Status {
    absl::string_view rest = message;
    while (!rest.empty()) {
      const std::optional<absl::string_view> part =
          TakeWholeRecords(part_bytes, &rest);
      if (!part.has_value()) {
        return absl::DataLossError(absl::StrCat(
            "stored payload of ", message.size(),
            " bytes has no record at byte ", message.size() - rest.size()));
      }
      const absl::StatusOr<bool> more = visit(*part);
      if (!more.ok()) return more.status();
      if (!*more) break;
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<WindowRecords> PayloadStore::ReadRecords(
    const WindowKey& window) {
  absl::StatusOr<WindowRecords> records;
  const absl::Status status =
      UsePayload(window, [&](absl::string_view message) {
        records = ParseWindowRecords(message);
        return records.status();
      });
  if (!status.ok()) return status;
  return records;
}

absl::Status PayloadStore::ListWindows(
    const WindowRange& range, absl::string_view after,
    absl::FunctionRef<absl::StatusOr<bool>(const WindowKey&, absl::string_view)>
        visit) {
  if (!IsStorableName(range.pipeline)) return absl::OkStatus();
  if (!range.key.empty() && !IsStorableName(range.key)) return absl::OkStatus();
  const std::string prefix = range.key.empty()
                                 ? PipelinePrefix(range.pipeline)
                                 : KeyPrefix(range.pipeline, range.key);
  const std::unique_ptr<rocksdb::Iterator> it(database_->db().NewIterator(
      rocksdb::ReadOptions(), database_->family(Family::kCheckpoints)));
  if (after.empty()) {
    it->Seek(SliceOf(prefix));
  } else {
    it->Seek(SliceOf(absl::StrCat(after, absl::string_view("\0", 1))));
  }
  while (it->Valid()) {
    if (!absl::StartsWith(ViewOf(it->key()), prefix)) break;
    const std::optional<WindowKey> window = DecodeWindowKey(ViewOf(it->key()));
    if (!window.has_value()) {
      it->Next();
      continue;
    }
    if (range.start_from.has_value() && window->start_ms < *range.start_from) {
      it->Seek(SliceOf(
          WindowPrefix(window->pipeline, window->key, *range.start_from)));
      continue;
    }
    if (range.start_to.has_value() && window->start_ms >= *range.start_to) {
      it->Seek(SliceOf(PrefixEnd(KeyPrefix(window->pipeline, window->key))));
      continue;
    }
    const absl::StatusOr<bool> more = visit(*window, ViewOf(it->value()));
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    it->Next();
  }
  return FromRocks(it->status(), "window-hash store, list of windows");
}

absl::StatusOr<std::vector<TopicPartition>> PayloadStore::DropSources(
    absl::string_view pipeline, absl::string_view key) {
  std::vector<TopicPartition> sources;
  if (!IsStorableName(pipeline) || !IsStorableName(key)) return sources;
  const std::string prefix = KeyPrefix(pipeline, key);
  const std::unique_ptr<rocksdb::Iterator> it(database_->db().NewIterator(
      rocksdb::ReadOptions(), database_->family(Family::kDropped)));
  it->Seek(SliceOf(prefix));
  while (it->Valid() && absl::StartsWith(ViewOf(it->key()), prefix)) {
    const std::optional<KeyedNumber> place =
        DecodeKeyedNumber(ViewOf(it->key()));
    if (!place.has_value()) {
      it->Next();
      continue;
    }
    sources.push_back(place->source.source);
    // Past all of this source.
    it->Seek(SliceOf(
        absl::StrCat(EncodeKeyedNumber(place->source, key,
                                       std::numeric_limits<int64_t>::max()),
                     absl::string_view("\0", 1))));
  }
  const absl::Status status =
      FromRocks(it->status(), "window-hash store, dropped records");
  if (!status.ok()) return status;
  return sources;
}

absl::Status PayloadStore::ListDrops(const PipelineSource& source,
                                     absl::string_view key, int64_t begin,
                                     int64_t end,
                                     absl::FunctionRef<absl::StatusOr<bool>(
                                         int64_t, const store::v1::StoredDrop&)>
                                         visit) {
  const std::string from = EncodeKeyedNumber(source, key, begin);
  const absl::string_view prefix =
      absl::string_view(from).substr(0, from.size() - sizeof(int64_t));
  return database_->Scan(
      Family::kDropped, prefix, from,
      [&](absl::string_view bytes,
          absl::string_view value) -> absl::StatusOr<bool> {
        const std::optional<KeyedNumber> place = DecodeKeyedNumber(bytes);
        if (!place.has_value()) return true;
        if (place->number >= end) return false;
        store::v1::StoredDrop drop;
        if (!drop.ParseFromString(std::string(value))) {
          return absl::DataLossError(
              absl::StrCat("stored dropped record at offset ", place->number,
                           " of key ", key, " in pipeline ", source.pipeline,
                           " is no StoredDrop message"));
        }
        return visit(place->number, drop);
      });
}

absl::StatusOr<std::vector<PendingDrop>> PayloadStore::LoadDrops(
    const PipelineSource& source, absl::string_view key, int64_t begin) {
  std::vector<PendingDrop> drops;
  const absl::Status status = ListDrops(
      source, key, begin, std::numeric_limits<int64_t>::max(),
      [&](int64_t offset,
          const store::v1::StoredDrop& drop) -> absl::StatusOr<bool> {
        const absl::StatusOr<DropReason> reason =
            DropReasonFromStored(drop.reason());
        if (!reason.ok()) return reason.status();
        const absl::StatusOr<Digest> hash =
            DigestFromBytes(drop.record_sha256());
        if (!hash.ok()) {
          return absl::DataLossError(
              absl::StrCat("stored dropped record at offset ", offset,
                           ": record_sha256: ", hash.status().message()));
        }
        drops.push_back(
            {.offset = offset, .reason = *reason, .record_hash = *hash});
        return true;
      });
  if (!status.ok()) return status;
  return drops;
}

}  // namespace windproof
