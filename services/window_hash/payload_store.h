// What window-hash keeps: closed windows with their records and checkpoints,
// the outbox, dropped records, and the engine's state.
//
// RocksDB; the layout is drawn in docs/formats/window-store.md.
//
// Commits go to the write-ahead log but are not synced. A process that is
// killed loses nothing; a machine that loses power goes back to an earlier
// whole commit, from which the record log (which is synced) gives the same
// bytes again, and the anchor the same receipts. A checkpoint that left before
// is then submitted once more, which changes nothing.
//
// Thread-safe. Every method: DataLoss where what is stored cannot be read.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_STORE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_STORE_H_

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_engine.h"
#include "common/pipeline/window_records.h"
#include "proto/windproof/v1/window.pb.h"
#include "services/window_hash/database.h"
#include "services/window_hash/store.pb.h"
#include "services/window_hash/store_keys.h"

namespace windproof {

// What a batch of records caused in one partition: all or nothing.
struct PartitionCommit {
  const EngineOutput* output = nullptr;
  absl::Span<const std::string> signatures;  // for each window of `output`
  std::string signer;
  PartitionState state;
  int32_t topic_partitions = 1;
  std::vector<KeyState> keys;
  std::vector<Spill> spills;
  std::vector<std::pair<std::string, int64_t>> ended_spills;
};

// The windows of a commit that is stored, for who hands them on; may be moved
// from.
struct CommittedWindows {
  absl::Span<WrittenWindow> windows;
  absl::Span<std::string> signatures;  // one for each
  absl::string_view signer;
};

// A PartitionCommit as what it writes.
struct PreparedCommit {
  PipelineSource source;
  rocksdb::WriteBatch batch;
};

// Which windows of a pipeline to list.
struct WindowRange {
  std::string pipeline;
  std::string key;                    // empty: all
  std::optional<int64_t> start_from;  // start >= this
  std::optional<int64_t> start_to;    // start < this
};

// The seqs of a key that wait in the outbox: [begin, end), without holes.
struct OutboxRange {
  PipelineSource source;
  std::string key;
  int64_t begin = 0;
  int64_t end = 0;
};

// A checkpoint of the outbox.
struct OutboxItem {
  KeyedNumber place;  // number: seq
  WindowKey window;
  store::v1::StoredCheckpoint checkpoint;
  bool done = false;  // set by who has its receipt: it may leave the outbox
  // What the checkpoint says, and its SHA-256; nothing before it was looked at.
  struct Content {
    Checkpoint checkpoint;
    Digest hash{};
  };
  std::optional<Content> content;
};

class PayloadStore {
 public:
  using Options = Database::Options;

  static absl::StatusOr<std::unique_ptr<PayloadStore>> Open(
      const Options& options);

  // --- Pipelines ---

  // Says that `spec` is used under its name. FailedPrecondition where the name
  // stands for other rules already: names both hashes. Remembers a new one,
  // unless read-only.
  absl::Status UsePipeline(const PipelineSpec& spec);

  // The rules that are stored, in order of name; they have no topics.
  absl::StatusOr<std::vector<PipelineSpec>> StoredPipelines();

  // --- The engine's state ---

  // A commit in two steps, so that a changelog can have it first. No other
  // commit of the partition may come between.
  absl::StatusOr<PreparedCommit> Prepare(const PipelineSource& source,
                                         const PartitionCommit& commit);
  absl::Status Write(PreparedCommit* commit);

  // Both at once.
  absl::Status Commit(const PipelineSource& source,
                      const PartitionCommit& commit);

  // The offset of the partition's changelog up to which it is in the store; 0
  // where it never was.
  absl::StatusOr<int64_t> ChangelogOffset(const PipelineSource& source);

  absl::StatusOr<std::vector<PipelineSource>> StoredPartitions(
      absl::string_view pipeline);
  absl::StatusOr<std::optional<PartitionState>> LoadPartition(
      const PipelineSource& source);
  // How many partitions its topic had then; nothing where none is stored.
  absl::StatusOr<std::optional<int32_t>> TopicPartitions(
      const PipelineSource& source);
  absl::Status LoadKeys(const PipelineSource& source,
                        absl::FunctionRef<void(KeyState)> visit);
  absl::StatusOr<std::optional<KeyState>> LoadKey(const PipelineSource& source,
                                                  absl::string_view key);
  // Dropped records of a key from `begin` on, without what they were.
  absl::StatusOr<std::vector<PendingDrop>> LoadDrops(
      const PipelineSource& source, absl::string_view key, int64_t begin);
  absl::Status LoadSpills(const PipelineSource& source,
                          absl::FunctionRef<void(const Spill&)> visit);

  // The newest revision of a window of this source, its records checked against
  // its checkpoint.
  absl::StatusOr<std::optional<NewestRevision>> Newest(
      const PipelineSource& source, absl::string_view key, int64_t start_ms);

  // --- Closed windows ---

  // All stored revisions of a window, in order of revision.
  absl::StatusOr<std::vector<WindowKey>> Revisions(absl::string_view pipeline,
                                                   absl::string_view key,
                                                   int64_t start_ms);

  // NotFound where there is none.
  absl::StatusOr<store::v1::StoredCheckpoint> ReadCheckpoint(
      const WindowKey& window);
  absl::StatusOr<v1::WindowPayload> ReadPayload(const WindowKey& window);
  // The same as the message's bytes.
  absl::StatusOr<std::string> ReadPayloadBytes(const WindowKey& window);
  // The same in parts of at most `part_bytes` bytes, each a WindowPayload of
  // whole records and not looked at further, as long as `visit` returns true.
  // What is no record is found when it is reached.
  absl::Status VisitPayload(
      const WindowKey& window, size_t part_bytes,
      absl::FunctionRef<absl::StatusOr<bool>(absl::string_view part)> visit);
  // The same without the message.
  absl::StatusOr<WindowRecords> ReadRecords(const WindowKey& window);

  // Windows in order of key, start and revision, as long as `visit` returns
  // true; only those after the store key `after`, if it is not empty. `stored`
  // is the message's bytes, not looked at.
  absl::Status ListWindows(
      const WindowRange& range, absl::string_view after,
      absl::FunctionRef<absl::StatusOr<bool>(const WindowKey& window,
                                             absl::string_view stored)>
          visit);

  // --- Dropped records ---

  // The partitions that a key's dropped records come from.
  absl::StatusOr<std::vector<TopicPartition>> DropSources(
      absl::string_view pipeline, absl::string_view key);

  // Dropped records with offset in [begin, end), as long as `visit` returns
  // true.
  absl::Status ListDrops(const PipelineSource& source, absl::string_view key,
                         int64_t begin, int64_t end,
                         absl::FunctionRef<absl::StatusOr<bool>(
                             int64_t offset, const store::v1::StoredDrop&)>
                             visit);

  // --- The outbox ---

  // Of one partition, or of all.
  absl::StatusOr<std::vector<OutboxRange>> LoadOutbox(
      const std::optional<PipelineSource>& source = std::nullopt);
  absl::StatusOr<OutboxItem> ReadOutbox(const KeyedNumber& place);

  // Stores the items with their receipts; those that are done leave the outbox.
  absl::Status StoreReceipts(absl::Span<const OutboxItem* const> items);

  // --- Tampering, as an insider would, for drills and tests ---

  // Replace what is stored of a window, whatever it then says. NotFound where
  // there is no such window.
  absl::Status OverwritePayload(const WindowKey& window,
                                const v1::WindowPayload& payload);
  absl::Status OverwriteCheckpoint(const WindowKey& window,
                                   const store::v1::StoredCheckpoint& stored);

  // --- The whole ---

  // Makes what was written so far survive a power loss.
  absl::Status Sync();

  bool read_only() const { return database_->read_only(); }
  Database& database() { return *database_; }

 private:
  explicit PayloadStore(std::unique_ptr<Database> database)
      : database_(std::move(database)) {}

  // Calls `use` with the bytes of the window's WindowPayload message.
  absl::Status UsePayload(
      const WindowKey& window,
      absl::FunctionRef<absl::Status(absl::string_view message)> use);

  const std::unique_ptr<Database> database_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_PAYLOAD_STORE_H_
