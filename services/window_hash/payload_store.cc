// Opening, pipelines, the engine's state, the outbox; what is asked about
// windows and dropped records is in payload_queries.cc, what a batch of records
// writes in payload_commit.cc.
#include "services/window_hash/payload_store.h"

#include <rocksdb/write_batch.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "services/window_hash/payload_codec.h"
#include "services/window_hash/receipt_merge.h"
#include "services/window_hash/state_codec.h"

namespace windproof {
namespace {

// Goes up when older programs could no longer read what is stored: since 2
// payloads are packed, since 3 receipts are merged to their checkpoints. What
// is in a store of an older format is read as it is.
constexpr int kStoreFormat = 3;
constexpr int kOldestFormat = 1;

absl::Status CheckFormat(Database& database) {
  const absl::StatusOr<std::optional<std::string>> stored =
      database.Get(Family::kState, FormatStateKey());
  if (!stored.ok()) return stored.status();
  if (stored->has_value()) {
    int format = 0;
    if (!absl::SimpleAtoi(**stored, &format) || format < kOldestFormat ||
        format > kStoreFormat) {
      return absl::FailedPreconditionError(
          absl::StrCat("window-hash store has format '", **stored,
                       "'; this program reads formats ", kOldestFormat, " to ",
                       kStoreFormat));
    }
    if (format == kStoreFormat) return absl::OkStatus();
  }
  if (database.read_only()) return absl::OkStatus();
  rocksdb::WriteBatch batch;
  batch.Put(database.family(Family::kState), SliceOf(FormatStateKey()),
            std::to_string(kStoreFormat));
  return database.Write(&batch);
}

absl::StatusOr<store::v1::StoredPipeline> ParsePipeline(
    absl::string_view bytes) {
  store::v1::StoredPipeline stored;
  if (!stored.ParseFromString(std::string(bytes))) {
    return absl::DataLossError("stored pipeline is no StoredPipeline message");
  }
  return stored;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PayloadStore>> PayloadStore::Open(
    const Options& options) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(options);
  if (!database.ok()) return database.status();
  const absl::Status format = CheckFormat(**database);
  if (!format.ok()) return format;
  return std::unique_ptr<PayloadStore>(new PayloadStore(*std::move(database)));
}

absl::Status PayloadStore::UsePipeline(const PipelineSpec& spec) {
  const std::string state_key = PipelineStateKey(spec.name);
  const absl::StatusOr<std::optional<std::string>> found =
      database_->Get(Family::kState, state_key);
  if (!found.ok()) return found.status();
  const std::string canonical = CanonicalSpec(spec);
  const Digest hash = SpecHash(spec);
  if (found->has_value()) {
    const absl::StatusOr<store::v1::StoredPipeline> stored =
        ParsePipeline(**found);
    if (!stored.ok()) return stored.status();
    const absl::StatusOr<Digest> stored_hash =
        DigestFromBytes(stored->spec_sha256());
    if (!stored_hash.ok()) {
      return absl::DataLossError(absl::StrCat(
          "stored pipeline ", spec.name, ": ", stored_hash.status().message()));
    }
    if (*stored_hash == hash) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "pipeline ", spec.name, " has rules ", HexOf(hash),
        ", but what is stored under this name was made with rules ",
        HexOf(*stored_hash), ": ", stored->canonical_spec(),
        "; other rules need another name"));
  }
  if (read_only()) return absl::OkStatus();
  store::v1::StoredPipeline stored;
  stored.set_canonical_spec(canonical);
  stored.set_spec_sha256(std::string(BytesOf(hash)));
  rocksdb::WriteBatch batch;
  batch.Put(database_->family(Family::kState), SliceOf(state_key),
            stored.SerializeAsString());
  return database_->Write(&batch);
}

absl::StatusOr<std::vector<PipelineSpec>> PayloadStore::StoredPipelines() {
  std::vector<PipelineSpec> specs;
  const absl::Status status = database_->Scan(
      Family::kState, "s", "s",
      [&](absl::string_view, absl::string_view value) -> absl::StatusOr<bool> {
        const absl::StatusOr<store::v1::StoredPipeline> stored =
            ParsePipeline(value);
        if (!stored.ok()) return stored.status();
        absl::StatusOr<PipelineSpec> spec =
            ParseCanonicalSpec(stored->canonical_spec());
        if (!spec.ok()) {
          return absl::DataLossError(
              absl::StrCat("stored pipeline: ", spec.status().message()));
        }
        specs.push_back(*std::move(spec));
        return true;
      });
  if (!status.ok()) return status;
  return specs;
}

absl::StatusOr<std::vector<PipelineSource>> PayloadStore::StoredPartitions(
    absl::string_view pipeline) {
  const std::string prefix = PartitionStatePrefix(pipeline);
  std::vector<PipelineSource> sources;
  const absl::Status status = database_->Scan(
      Family::kState, prefix, prefix,
      [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
        std::optional<PipelineSource> source = DecodePartitionStateKey(key);
        if (!source.has_value()) {
          return absl::DataLossError("stored partition state has a bad key");
        }
        sources.push_back(*std::move(source));
        return true;
      });
  if (!status.ok()) return status;
  return sources;
}

absl::StatusOr<std::optional<PartitionState>> PayloadStore::LoadPartition(
    const PipelineSource& source) {
  const absl::StatusOr<std::optional<std::string>> found =
      database_->Get(Family::kState, PartitionStateKey(source));
  if (!found.ok()) return found.status();
  if (!found->has_value()) return std::nullopt;
  absl::StatusOr<PartitionState> state = DecodePartitionState(**found);
  if (!state.ok()) return state.status();
  return *std::move(state);
}

absl::StatusOr<std::optional<int32_t>> PayloadStore::TopicPartitions(
    const PipelineSource& source) {
  const absl::StatusOr<std::optional<std::string>> found =
      database_->Get(Family::kState, PartitionStateKey(source));
  if (!found.ok()) return found.status();
  if (!found->has_value()) return std::nullopt;
  return DecodeTopicPartitions(**found);
}

absl::Status PayloadStore::LoadKeys(const PipelineSource& source,
                                    absl::FunctionRef<void(KeyState)> visit) {
  const std::string prefix = KeyStatePrefix(source);
  return database_->Scan(
      Family::kState, prefix, prefix,
      [&](absl::string_view state_key,
          absl::string_view value) -> absl::StatusOr<bool> {
        const std::optional<std::string> key =
            DecodeKeyStateKey(prefix, state_key);
        if (!key.has_value()) {
          return absl::DataLossError("stored key state has a bad key");
        }
        absl::StatusOr<KeyState> state = DecodeKeyState(*key, value);
        if (!state.ok()) return state.status();
        visit(*std::move(state));
        return true;
      });
}

absl::StatusOr<std::optional<KeyState>> PayloadStore::LoadKey(
    const PipelineSource& source, absl::string_view key) {
  const absl::StatusOr<std::optional<std::string>> found =
      database_->Get(Family::kState, KeyStateKey(source, key));
  if (!found.ok()) return found.status();
  if (!found->has_value()) return std::nullopt;
  absl::StatusOr<KeyState> state = DecodeKeyState(key, **found);
  if (!state.ok()) return state.status();
  return *std::move(state);
}

absl::Status PayloadStore::LoadSpills(
    const PipelineSource& source, absl::FunctionRef<void(const Spill&)> visit) {
  const std::string prefix = SourcePrefix(source);
  return database_->Scan(
      Family::kOpen, prefix, prefix,
      [&](absl::string_view key,
          absl::string_view value) -> absl::StatusOr<bool> {
        const std::optional<OpenWindowKey> window = DecodeOpenWindowKey(key);
        if (!window.has_value()) {
          return absl::DataLossError("stored open window has a bad key");
        }
        const absl::StatusOr<Spill> spill = DecodeSpill(*window, value);
        if (!spill.ok()) return spill.status();
        visit(*spill);
        return true;
      });
}

absl::StatusOr<std::optional<NewestRevision>> PayloadStore::Newest(
    const PipelineSource& source, absl::string_view key, int64_t start_ms) {
  const absl::StatusOr<std::vector<WindowKey>> revisions =
      Revisions(source.pipeline, key, start_ms);
  if (!revisions.ok()) return revisions.status();
  const WindowKey* newest = nullptr;
  for (const WindowKey& window : *revisions) {
    if (window.source == source.source) newest = &window;
  }
  if (newest == nullptr) return std::nullopt;

  const absl::StatusOr<store::v1::StoredCheckpoint> stored =
      ReadCheckpoint(*newest);
  if (!stored.ok()) return stored.status();
  const absl::StatusOr<Checkpoint> checkpoint =
      ParseCheckpoint(stored->checkpoint().checkpoint());
  if (!checkpoint.ok()) {
    return absl::DataLossError(
        absl::StrCat("stored checkpoint of a window to amend: ",
                     checkpoint.status().message()));
  }
  absl::StatusOr<WindowRecords> records = ReadRecords(*newest);
  if (!records.ok()) return records.status();
  const absl::Status same = CheckRecords(*checkpoint, &*records);
  if (!same.ok()) return same;

  NewestRevision result;
  result.revision = newest->revision;
  result.checkpoint_hash = Sha256Of(stored->checkpoint().checkpoint());
  result.records = *std::move(records);
  return result;
}

absl::StatusOr<int64_t> PayloadStore::ChangelogOffset(
    const PipelineSource& source) {
  const absl::StatusOr<std::optional<std::string>> found =
      database_->Get(Family::kState, ChangelogOffsetKey(source));
  if (!found.ok()) return found.status();
  int64_t offset = 0;
  if (found->has_value() && !absl::SimpleAtoi(**found, &offset)) {
    return absl::DataLossError(
        absl::StrCat("stored changelog offset of pipeline ", source.pipeline,
                     ", ", source.source.topic, "/", source.source.partition,
                     " is '", **found, "', not a number"));
  }
  return offset;
}

absl::StatusOr<std::vector<OutboxRange>> PayloadStore::LoadOutbox(
    const std::optional<PipelineSource>& source) {
  std::vector<OutboxRange> ranges;
  const std::string prefix =
      source.has_value() ? PipelinePrefix(source->pipeline) : "";
  const absl::Status status = database_->Scan(
      Family::kOutbox, prefix, prefix,
      [&](absl::string_view key, absl::string_view) -> absl::StatusOr<bool> {
        std::optional<KeyedNumber> place = DecodeKeyedNumber(key);
        if (!place.has_value()) {
          return absl::DataLossError("stored outbox entry has a bad key");
        }
        if (source.has_value() && place->source != *source) return true;
        OutboxRange* last = ranges.empty() ? nullptr : &ranges.back();
        if (last != nullptr && last->source == place->source &&
            last->key == place->key) {
          if (place->number != last->end) {
            return absl::DataLossError(absl::StrCat(
                "outbox of key ", place->key, " in pipeline ",
                place->source.pipeline, " goes from seq ", last->end - 1,
                " to ", place->number, "; one after the other is accepted"));
          }
          ++last->end;
        } else {
          ranges.push_back({.source = place->source,
                            .key = place->key,
                            .begin = place->number,
                            .end = place->number + 1});
        }
        return true;
      });
  if (!status.ok()) return status;
  return ranges;
}

absl::StatusOr<OutboxItem> PayloadStore::ReadOutbox(const KeyedNumber& place) {
  const absl::StatusOr<std::optional<std::string>> found =
      database_->Get(Family::kOutbox,
                     EncodeKeyedNumber(place.source, place.key, place.number));
  if (!found.ok()) return found.status();
  store::v1::OutboxEntry entry;
  if (!found->has_value() || !entry.ParseFromString(**found) ||
      !IsWindowStart(entry.window_start_ms())) {
    return absl::DataLossError(absl::StrCat(
        "outbox entry of key ", place.key, ", seq ", place.number,
        " in pipeline ", place.source.pipeline, " is missing or no message"));
  }
  OutboxItem item;
  item.place = place;
  item.window = {.pipeline = place.source.pipeline,
                 .key = place.key,
                 .start_ms = entry.window_start_ms(),
                 .revision = entry.revision(),
                 .source = place.source.source};
  absl::StatusOr<store::v1::StoredCheckpoint> checkpoint =
      ReadCheckpoint(item.window);
  if (!checkpoint.ok()) {
    return absl::DataLossError(absl::StrCat("checkpoint of an outbox entry: ",
                                            checkpoint.status().message()));
  }
  item.checkpoint = *std::move(checkpoint);
  return item;
}

absl::Status PayloadStore::StoreReceipts(
    absl::Span<const OutboxItem* const> items) {
  rocksdb::WriteBatch batch;
  std::string value;
  for (const OutboxItem* item : items) {
    const std::string key = EncodeWindowKey(item->window);
    value.clear();
    if (!item->done) {
      item->checkpoint.AppendToString(&value);
      batch.Put(database_->family(Family::kCheckpoints), SliceOf(key), value);
    } else {
      // The last one, without writing the checkpoint once more.
      AppendReceipt(item->checkpoint.receipt(), &value);
      batch.Merge(database_->family(Family::kCheckpoints), SliceOf(key), value);
      batch.Delete(
          database_->family(Family::kOutbox),
          SliceOf(EncodeKeyedNumber(item->place.source, item->place.key,
                                    item->place.number)));
    }
  }
  return database_->Write(&batch);
}

absl::Status PayloadStore::OverwritePayload(const WindowKey& window,
                                            const v1::WindowPayload& payload) {
  const absl::Status found = ReadCheckpoint(window).status();
  if (absl::IsNotFound(found)) return found;
  rocksdb::WriteBatch batch;
  batch.Put(database_->family(Family::kPayloads),
            SliceOf(EncodeWindowKey(window)), payload.SerializeAsString());
  return database_->Write(&batch);
}

absl::Status PayloadStore::OverwriteCheckpoint(
    const WindowKey& window, const store::v1::StoredCheckpoint& stored) {
  const absl::Status found = ReadCheckpoint(window).status();
  if (absl::IsNotFound(found)) return found;
  rocksdb::WriteBatch batch;
  batch.Put(database_->family(Family::kCheckpoints),
            SliceOf(EncodeWindowKey(window)), stored.SerializeAsString());
  return database_->Write(&batch);
}

absl::Status PayloadStore::Sync() {
  if (read_only()) return absl::OkStatus();
  return FromRocks(database_->db().SyncWAL(), "window-hash store, sync");
}

}  // namespace windproof
