#include "services/window_hash/payload_store.h"

#include <gtest/gtest.h>
#include <rocksdb/write_batch.h>

#include <map>
#include <string>
#include <vector>

#include "common/crypto/sha256.h"
#include "common/pipeline/spec.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

const PipelineSource& Source() {
  static const auto* source = new PipelineSource{"weather", {"topic", 3}};
  return *source;
}

DroppedRecord Dropped(int64_t offset, DropReason reason) {
  const std::string raw = "raw record " + std::to_string(offset);
  return {.change = DroppedRecord::Change::kDropped,
          .key = "00433",
          .offset = offset,
          .reason = reason,
          .waiting = reason == DropReason::kLate,
          .record_hash = Sha256Of(raw),
          .raw = raw};
}

DroppedRecord Changed(DroppedRecord::Change change, int64_t offset,
                      DropReason reason) {
  DroppedRecord record = Dropped(offset, reason);
  record.change = change;
  record.waiting = false;
  record.raw.clear();
  return record;
}

class PayloadStoreTest : public ::testing::Test {
 protected:
  PayloadStoreTest() { EXPECT_TRUE(test_store_.Open().ok()); }

  PayloadStore& store() { return *test_store_.store; }

  absl::Status Commit(std::vector<DroppedRecord> dropped) {
    EngineOutput output;
    output.dropped = std::move(dropped);
    PartitionCommit commit;
    commit.output = &output;
    return store().Commit(Source(), commit);
  }

  // Reasons by offset, as stored.
  std::map<int64_t, DropReason> Drops() {
    const auto drops = store().LoadDrops(Source(), "00433", 0);
    EXPECT_TRUE(drops.ok()) << drops.status();
    std::map<int64_t, DropReason> reasons;
    for (const PendingDrop& drop : *drops) reasons[drop.offset] = drop.reason;
    return reasons;
  }

  TestStore test_store_;
};

using Reasons = std::map<int64_t, DropReason>;
using Change = DroppedRecord::Change;

TEST_F(PayloadStoreTest, AReasonChangesInTheSameBatchOrALaterOne) {
  ASSERT_TRUE(
      Commit({Dropped(1, DropReason::kLate), Dropped(2, DropReason::kLate),
              Dropped(3, DropReason::kLate),
              Changed(Change::kReasonChanged, 1, DropReason::kDuplicate),
              Changed(Change::kAcceptedAfterAll, 2, DropReason::kLate)})
          .ok());
  EXPECT_EQ(Drops(),
            (Reasons{{1, DropReason::kDuplicate}, {3, DropReason::kLate}}));
  ASSERT_TRUE(Commit({Dropped(4, DropReason::kInvalid),
                      Changed(Change::kReasonChanged, 3, DropReason::kConflict),
                      Changed(Change::kAcceptedAfterAll, 1, DropReason::kLate)})
                  .ok());
  EXPECT_EQ(Drops(),
            (Reasons{{3, DropReason::kConflict}, {4, DropReason::kInvalid}}));
  // What it was stays.
  const absl::Status listed = store().ListDrops(
      Source(), "00433", 3, 4,
      [](int64_t, const store::v1::StoredDrop& drop) -> absl::StatusOr<bool> {
        EXPECT_EQ(drop.raw(), "raw record 3");
        EXPECT_FALSE(drop.waiting());
        return true;
      });
  EXPECT_TRUE(listed.ok());
}

TEST_F(PayloadStoreTest, AReasonOfARecordThatIsNotThereIsDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(
      Commit({Dropped(1, DropReason::kInvalid),
              Changed(Change::kReasonChanged, 9, DropReason::kDuplicate)})));
  // All or nothing.
  EXPECT_TRUE(Drops().empty());
}

TEST_F(PayloadStoreTest, DropsOfOtherSourcesAndKeysAreApart) {
  ASSERT_TRUE(Commit({Dropped(1, DropReason::kInvalid)}).ok());
  EngineOutput output;
  output.dropped = {Dropped(5, DropReason::kDuplicate)};
  PartitionCommit commit;
  commit.output = &output;
  ASSERT_TRUE(store().Commit({"weather", {"another", 3}}, commit).ok());
  EXPECT_EQ(Drops(), (Reasons{{1, DropReason::kInvalid}}));
  EXPECT_TRUE(store().LoadDrops(Source(), "0043", 0)->empty());
  const auto sources = store().DropSources("weather", "00433");
  ASSERT_TRUE(sources.ok());
  EXPECT_EQ(*sources,
            (std::vector<TopicPartition>{{"another", 3}, {"topic", 3}}));
}

TEST_F(PayloadStoreTest, ASpillIsReplacedAndEnds) {
  EngineOutput output;
  PartitionCommit commit;
  commit.output = &output;
  Spill spill;
  spill.key = "00433";
  spill.window_start_ms = -3'600'000;
  spill.position = 10;
  spill.records.bytes = "{}";
  spill.records.entries = {{.offset = 4, .begin = 0, .size = 2}};
  commit.spills = {spill};
  ASSERT_TRUE(store().Commit(Source(), commit).ok());
  spill.position = 20;
  commit.spills = {spill};
  ASSERT_TRUE(store().Commit(Source(), commit).ok());
  std::vector<Spill> found;
  const auto collect = [&](const Spill& entry) { found.push_back(entry); };
  ASSERT_TRUE(store().LoadSpills(Source(), collect).ok());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].position, 20);
  EXPECT_EQ(found[0].window_start_ms, -3'600'000);
  ASSERT_EQ(found[0].records.entries.size(), 1u);
  EXPECT_EQ(found[0].records.entries[0].offset, 4);
  EXPECT_EQ(found[0].records.Canonical(found[0].records.entries[0]), "{}");

  commit.spills.clear();
  commit.ended_spills = {{"00433", -3'600'000}};
  ASSERT_TRUE(store().Commit(Source(), commit).ok());
  found.clear();
  ASSERT_TRUE(store().LoadSpills(Source(), collect).ok());
  EXPECT_TRUE(found.empty());
}

TEST_F(PayloadStoreTest, AHoleInTheOutboxIsDataLoss) {
  const auto put = [&](int64_t seq) {
    rocksdb::WriteBatch batch;
    batch.Put(store().database().family(Family::kOutbox),
              SliceOf(EncodeKeyedNumber(Source(), "00433", seq)),
              store::v1::OutboxEntry().SerializeAsString());
    ASSERT_TRUE(store().database().Write(&batch).ok());
  };
  put(5);
  put(6);
  const auto ranges = store().LoadOutbox();
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  ASSERT_EQ(ranges->size(), 1u);
  EXPECT_EQ((*ranges)[0].begin, 5);
  EXPECT_EQ((*ranges)[0].end, 7);
  put(8);
  EXPECT_TRUE(absl::IsDataLoss(store().LoadOutbox().status()));
}

TEST_F(PayloadStoreTest, ReadingOnlyWritesNothing) {
  ASSERT_TRUE(Commit({Dropped(1, DropReason::kInvalid)}).ok());
  test_store_.store.reset();
  auto reader =
      PayloadStore::Open({.path = test_store_.dir, .read_only = true});
  ASSERT_TRUE(reader.ok()) << reader.status();
  test_store_.store = *std::move(reader);
  EXPECT_EQ(Drops().size(), 1u);
  EXPECT_TRUE(
      absl::IsFailedPrecondition(Commit({Dropped(2, DropReason::kInvalid)})));
  // A pipeline that is not stored is used, and not remembered.
  EXPECT_TRUE(store().UsePipeline(*BuiltInSpec("weather")).ok());
  EXPECT_TRUE(store().StoredPipelines()->empty());
}

TEST_F(PayloadStoreTest, AStoreBelongsToOneProcess) {
  EXPECT_TRUE(absl::IsUnavailable(
      PayloadStore::Open({.path = test_store_.dir}).status()));
}

TEST_F(PayloadStoreTest, ALaterFormatIsRefused) {
  rocksdb::WriteBatch batch;
  batch.Put(store().database().family(Family::kState), FormatStateKey(), "4");
  ASSERT_TRUE(store().database().Write(&batch).ok());
  test_store_.store.reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(
      PayloadStore::Open({.path = test_store_.dir}).status()));
}

TEST_F(PayloadStoreTest, AnEarlierFormatIsReadAndBecomesThisOne) {
  for (const std::string format : {"1", "2"}) {
    rocksdb::WriteBatch batch;
    batch.Put(store().database().family(Family::kState), FormatStateKey(),
              format);
    ASSERT_TRUE(store().database().Write(&batch).ok());
    test_store_.store.reset();
    EXPECT_TRUE(
        PayloadStore::Open({.path = test_store_.dir, .read_only = true}).ok());
    ASSERT_TRUE(test_store_.Open().ok()) << format;
    EXPECT_EQ(**store().database().Get(Family::kState, FormatStateKey()), "3");
  }
}

}  // namespace
}  // namespace windproof
