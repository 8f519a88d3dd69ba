// What a batch of records writes, in one RocksDB batch.
#include <rocksdb/write_batch.h>

#include <string>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "services/window_hash/payload_codec.h"
#include "services/window_hash/payload_packing.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/state_codec.h"

namespace windproof {
namespace {

// Memory that the windows of a commit use in turn.
struct Scratch {
  std::string payload;
  std::string packed;
};

void PutWindow(const PipelineSource& source, const WrittenWindow& window,
               absl::string_view signature, absl::string_view signer,
               Database& database, Scratch* scratch,
               rocksdb::WriteBatch* batch) {
  const Checkpoint& checkpoint = window.checkpoint;
  const std::string key =
      EncodeWindowKey({.pipeline = source.pipeline,
                       .key = checkpoint.key,
                       .start_ms = checkpoint.window_start_ms,
                       .revision = checkpoint.revision,
                       .source = source.source});
  scratch->payload.clear();
  AppendWindowPayload(window.records, &scratch->payload);
  batch->Put(database.family(Family::kPayloads), SliceOf(key),
             SliceOf(PackPayload(scratch->payload, &scratch->packed)));

  store::v1::StoredCheckpoint stored;
  stored.mutable_checkpoint()->set_checkpoint(window.bytes);
  stored.mutable_checkpoint()->set_signature(std::string(signature));
  stored.mutable_checkpoint()->set_signer(std::string(signer));
  batch->Put(database.family(Family::kCheckpoints), SliceOf(key),
             stored.SerializeAsString());

  store::v1::OutboxEntry entry;
  entry.set_window_start_ms(checkpoint.window_start_ms);
  entry.set_revision(checkpoint.revision);
  batch->Put(database.family(Family::kOutbox),
             SliceOf(EncodeKeyedNumber(source, checkpoint.key, checkpoint.seq)),
             entry.SerializeAsString());
}

// Dropped records by store key, in their last state; nothing: accepted after
// all. A record can be dropped and change within one batch.
using Drops =
    absl::btree_map<std::string, std::optional<store::v1::StoredDrop>>;

absl::Status AddDrop(const PipelineSource& source, const DroppedRecord& record,
                     Database& database, Drops* drops) {
  std::string key = EncodeKeyedNumber(source, record.key, record.offset);
  switch (record.change) {
    case DroppedRecord::Change::kDropped: {
      store::v1::StoredDrop drop;
      drop.set_reason(ToProto(record.reason));
      drop.set_waiting(record.waiting);
      drop.set_record_sha256(std::string(BytesOf(record.record_hash)));
      drop.set_raw(record.raw);
      drops->insert_or_assign(std::move(key), std::move(drop));
      return absl::OkStatus();
    }
    case DroppedRecord::Change::kAcceptedAfterAll:
      drops->insert_or_assign(std::move(key), std::nullopt);
      return absl::OkStatus();
    case DroppedRecord::Change::kReasonChanged:
      break;
  }
  auto it = drops->find(key);
  if (it == drops->end()) {
    const absl::StatusOr<std::optional<std::string>> found =
        database.Get(Family::kDropped, key);
    if (!found.ok()) return found.status();
    store::v1::StoredDrop drop;
    if (!found->has_value() || !drop.ParseFromString(**found)) {
      return absl::DataLossError(absl::StrCat(
          "stored dropped record at offset ", record.offset, " of key ",
          record.key, " is missing or no message; it was to become ",
          DropReasonName(record.reason)));
    }
    it = drops->insert_or_assign(std::move(key), std::move(drop)).first;
  }
  if (it->second.has_value()) {
    it->second->set_reason(ToProto(record.reason));
    it->second->set_waiting(record.waiting);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PreparedCommit> PayloadStore::Prepare(
    const PipelineSource& source, const PartitionCommit& commit) {
  Database& database = *database_;
  PreparedCommit prepared;
  prepared.source = source;
  rocksdb::WriteBatch& batch = prepared.batch;
  Scratch scratch;
  for (size_t i = 0; i < commit.output->windows.size(); ++i) {
    PutWindow(source, commit.output->windows[i], commit.signatures.at(i),
              commit.signer, database, &scratch, &batch);
  }

  Drops drops;
  for (const DroppedRecord& record : commit.output->dropped) {
    const absl::Status added = AddDrop(source, record, database, &drops);
    if (!added.ok()) return added;
  }
  for (const auto& [key, drop] : drops) {
    if (drop.has_value()) {
      batch.Put(database.family(Family::kDropped), SliceOf(key),
                drop->SerializeAsString());
    } else {
      batch.Delete(database.family(Family::kDropped), SliceOf(key));
    }
  }

  for (const auto& [key, start_ms] : commit.ended_spills) {
    batch.Delete(database.family(Family::kOpen),
                 SliceOf(EncodeOpenWindowKey(source, key, start_ms)));
  }
  for (const Spill& spill : commit.spills) {
    batch.Put(
        database.family(Family::kOpen),
        SliceOf(EncodeOpenWindowKey(source, spill.key, spill.window_start_ms)),
        EncodeSpill(spill));
  }
  for (const KeyState& key : commit.keys) {
    batch.Put(database.family(Family::kState),
              SliceOf(KeyStateKey(source, key.key)), EncodeKeyState(key));
  }
  batch.Put(database.family(Family::kState), SliceOf(PartitionStateKey(source)),
            EncodePartitionState(commit.state, commit.topic_partitions));
  return prepared;
}

absl::Status PayloadStore::Write(PreparedCommit* commit) {
  return database_->Write(&commit->batch);
}

absl::Status PayloadStore::Commit(const PipelineSource& source,
                                  const PartitionCommit& commit) {
  absl::StatusOr<PreparedCommit> prepared = Prepare(source, commit);
  if (!prepared.ok()) return prepared.status();
  return Write(&*prepared);
}

}  // namespace windproof
