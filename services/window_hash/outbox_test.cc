#include "services/window_hash/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;

std::chrono::steady_clock::time_point InAMinute() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

// An anchor in memory that does what a test asks for.
class FakeAnchor final : public CheckpointSink {
 public:
  absl::StatusOr<std::vector<v1::Receipt>> Submit(
      absl::Span<const v1::SignedCheckpoint* const> checkpoints) override {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
    ++calls_;
    largest_ = std::max(largest_, checkpoints.size());
    while (calls_ >= hold_from_call_) changed_.Wait(mutex_);
    if (cancelled_) return absl::CancelledError("cancelled");
    if (away_ > 0) {
      --away_;
      return absl::UnavailableError("the anchor is away");
    }
    std::vector<v1::Receipt> receipts;
    for (const v1::SignedCheckpoint* signed_checkpoint : checkpoints) {
      const auto checkpoint = ParseCheckpoint(signed_checkpoint->checkpoint());
      EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
      const std::string name =
          absl::StrCat(checkpoint->key, "/", checkpoint->seq);
      if (refused_.contains(name)) return refused_[name];
    }
    for (const v1::SignedCheckpoint* signed_checkpoint : checkpoints) {
      const auto checkpoint = ParseCheckpoint(signed_checkpoint->checkpoint());
      int64_t& next = next_[checkpoint->key];
      // Seen before, or the next one: never a hole.
      EXPECT_LE(checkpoint->seq, next) << checkpoint->key;
      next = std::max(next, checkpoint->seq + 1);
      v1::Receipt& receipt = receipts.emplace_back();
      receipt.set_checkpoint_sha256(
          std::string(BytesOf(Sha256Of(signed_checkpoint->checkpoint()))));
      receipt.set_state(unconfirmed_.contains(checkpoint->seq)
                            ? v1::Receipt::PUBLISHED
                            : v1::Receipt::ANCHORED);
    }
    if (lost_replies_ > 0) {
      --lost_replies_;
      return absl::DeadlineExceededError("the reply was lost");
    }
    if (wrong_hash_) receipts.back().set_checkpoint_sha256("another's");
    if (short_answer_) receipts.pop_back();
    wrong_hash_ = short_answer_ = false;
    return receipts;
  }

  void Cancel() override {
    MutexLock lock(mutex_);
    cancelled_ = true;
  }

  void WaitForCalls(int calls) {
    MutexLock lock(mutex_);
    while (calls_ < calls) changed_.Wait(mutex_);
  }
  void WaitFor(const std::string& key, int64_t checkpoints) {
    MutexLock lock(mutex_);
    while (next_[key] < checkpoints || lost_replies_ > 0) {
      changed_.Wait(mutex_);
    }
  }
  void LetGo() {
    MutexLock lock(mutex_);
    hold_from_call_ = kNoCall;
    changed_.NotifyAll();
  }
  int calls() {
    MutexLock lock(mutex_);
    return calls_;
  }
  void Confirm() {
    MutexLock lock(mutex_);
    unconfirmed_.clear();
  }

  static constexpr int kNoCall = std::numeric_limits<int>::max();

  Mutex mutex_;
  CondVar changed_;
  int calls_ = 0;
  size_t largest_ = 0;
  bool cancelled_ = false;
  // What it is to do.
  int hold_from_call_ = kNoCall;  // does not answer from that one on
  int away_ = 0;
  int lost_replies_ = 0;
  bool wrong_hash_ = false;
  bool short_answer_ = false;
  std::map<std::string, absl::Status> refused_;  // by key/seq
  std::set<int64_t> unconfirmed_;                // by seq
  // What it has got: seqs of each key.
  std::map<std::string, int64_t> next_;
};

class OutboxTest : public ::testing::Test {
 protected:
  static constexpr int kWindows = 10;

  OutboxTest()
      : log_(WeatherLog({"00427", "00433", "a/b"}, kWindows)),
        run_(*BuiltInSpec("weather"), source_, 0, log_, {}, store_) {
    options_.batch_checkpoints = 8;
    options_.between_calls = milliseconds(1);
    options_.retry_first = milliseconds(1);
    options_.retry_last = milliseconds(4);
    options_.ask_again = milliseconds(1);
  }

  // Fills the store, without an outbox that runs.
  void Fill() { ASSERT_TRUE(run_.Run().ok()); }

  std::unique_ptr<Outbox> Start() {
    auto outbox = std::make_unique<Outbox>(options_, run_.store(), anchor_);
    EXPECT_TRUE(outbox->Load().ok());
    outbox->Start();
    return outbox;
  }

  int64_t StoredWaiting() {
    int64_t count = 0;
    const auto ranges = run_.store().LoadOutbox();
    EXPECT_TRUE(ranges.ok()) << ranges.status();
    for (const OutboxRange& range : *ranges) count += range.end - range.begin;
    return count;
  }

  // States of a key's stored receipts, by start.
  std::vector<v1::Receipt::State> States(const std::string& key) {
    std::vector<v1::Receipt::State> states;
    const absl::Status listed = run_.store().ListWindows(
        {.pipeline = "weather", .key = key}, "",
        [&](const WindowKey& window,
            absl::string_view) -> absl::StatusOr<bool> {
          states.push_back(
              run_.store().ReadCheckpoint(window)->receipt().state());
          return true;
        });
    EXPECT_TRUE(listed.ok()) << listed;
    return states;
  }

  const PipelineSource source_{"weather", {"weather.00433", 0}};
  TestStore store_;
  std::vector<OwnedRecord> log_;
  WorkerRun run_;
  FakeAnchor anchor_;
  Outbox::Options options_;
};

TEST_F(OutboxTest, EmptiesByReceiptsAndStoresThem) {
  Fill();
  EXPECT_EQ(StoredWaiting(), 3 * kWindows);
  const auto outbox = Start();
  outbox->Stop(InAMinute());
  EXPECT_EQ(outbox->Waiting("weather"), 0);
  EXPECT_EQ(outbox->counters().anchored, 3 * kWindows);
  EXPECT_TRUE(outbox->Problem("weather").ok());
  EXPECT_EQ(StoredWaiting(), 0);
  for (const std::string key : {"00427", "00433", "a/b"}) {
    EXPECT_EQ(anchor_.next_[key], kWindows);
    EXPECT_EQ(States(key),
              std::vector<v1::Receipt::State>(kWindows, v1::Receipt::ANCHORED));
  }
  EXPECT_LE(anchor_.largest_, options_.batch_checkpoints);
}

TEST_F(OutboxTest, TakesWhatIsCommittedWhileItRuns) {
  std::unique_ptr<Outbox> outbox;
  PartitionWorker::Options options;
  options.on_windows = [&](const PipelineSource& source,
                           const CommittedWindows& committed) {
    outbox->Add(source, committed);
  };
  ASSERT_TRUE(store_.Open().ok());
  WorkerRun run(*BuiltInSpec("weather"), source_, 0, log_, options, store_);
  outbox = Start();
  ASSERT_TRUE(run.OpenWorker().ok());
  ASSERT_TRUE(run.FeedTo(log_.back().offset + 1, 7).ok());
  anchor_.WaitFor("a/b", kWindows);
  outbox->Stop(InAMinute());
  EXPECT_EQ(outbox->Waiting("weather"), 0);
  EXPECT_EQ(StoredWaiting(), 0);
}

TEST_F(OutboxTest, TriesAgainWhileTheAnchorIsAway) {
  Fill();
  anchor_.away_ = 5;
  const auto outbox = Start();
  for (const std::string key : {"00427", "00433", "a/b"}) {
    anchor_.WaitFor(key, kWindows);
  }
  outbox->Stop(InAMinute());
  EXPECT_EQ(outbox->Waiting("weather"), 0);
  EXPECT_EQ(outbox->counters().failed_calls, 5);
  EXPECT_EQ(StoredWaiting(), 0);
}

TEST_F(OutboxTest, KeepsEverythingWhenTheAnchorStaysAway) {
  Fill();
  anchor_.away_ = 1'000'000'000;
  {
    const auto outbox = Start();
    anchor_.WaitForCalls(3);
    outbox->Stop(InAMinute());
    EXPECT_EQ(outbox->Waiting("weather"), 3 * kWindows);
    EXPECT_TRUE(absl::IsUnavailable(outbox->Problem("weather")));
  }
  EXPECT_EQ(StoredWaiting(), 3 * kWindows);
  // The next process goes on.
  anchor_.away_ = 0;
  anchor_.cancelled_ = false;
  const auto outbox = Start();
  EXPECT_EQ(outbox->Waiting("weather"), 3 * kWindows);
  outbox->Stop(InAMinute());
  EXPECT_EQ(StoredWaiting(), 0);
}

TEST_F(OutboxTest, SubmitsAgainWhenAReplyIsLost) {
  Fill();
  anchor_.lost_replies_ = 3;
  const auto outbox = Start();
  for (const std::string key : {"00427", "00433", "a/b"}) {
    anchor_.WaitFor(key, kWindows);
  }
  outbox->Stop(InAMinute());
  EXPECT_EQ(StoredWaiting(), 0);
}

TEST_F(OutboxTest, AReceiptOfAnotherCheckpointIsNone) {
  Fill();
  anchor_.wrong_hash_ = true;
  auto outbox = Start();
  for (const std::string key : {"00427", "00433", "a/b"}) {
    anchor_.WaitFor(key, kWindows);
  }
  outbox->Stop(InAMinute());
  EXPECT_EQ(outbox->counters().failed_calls, 1);
  EXPECT_EQ(StoredWaiting(), 0);
}

TEST_F(OutboxTest, FewerReceiptsThanCheckpointsAreNone) {
  Fill();
  anchor_.short_answer_ = true;
  auto outbox = Start();
  for (const std::string key : {"00427", "00433", "a/b"}) {
    anchor_.WaitFor(key, kWindows);
  }
  outbox->Stop(InAMinute());
  EXPECT_EQ(outbox->counters().failed_calls, 1);
  EXPECT_EQ(StoredWaiting(), 0);
}

TEST_F(OutboxTest, PublishedStaysAndIsAskedAboutAgain) {
  Fill();
  anchor_.unconfirmed_ = {2, 3};
  auto outbox = Start();
  // Each of three keys, ten windows, at eight a call: more calls only when it
  // asks again.
  anchor_.WaitForCalls(20);
  EXPECT_EQ(outbox->Waiting("weather"), 3 * (kWindows - 2));
  EXPECT_EQ(States("00433")[2], v1::Receipt::PUBLISHED);
  EXPECT_EQ(States("00433")[1], v1::Receipt::ANCHORED);
  anchor_.Confirm();
  while (outbox->Waiting("weather") > 0) std::this_thread::yield();
  outbox->Stop(InAMinute());
  EXPECT_EQ(StoredWaiting(), 0);
  EXPECT_EQ(States("00433")[2], v1::Receipt::ANCHORED);
}

TEST_F(OutboxTest, EquivocationStopsItsKeyAlone) {
  Fill();
  anchor_.refused_["00433/4"] =
      absl::AlreadyExistsError("window is anchored with another root");
  auto outbox = Start();
  outbox->Stop(InAMinute());
  EXPECT_EQ(anchor_.next_["00427"], kWindows);
  EXPECT_EQ(anchor_.next_["a/b"], kWindows);
  EXPECT_EQ(anchor_.next_["00433"], 4);
  EXPECT_EQ(outbox->Waiting("weather"), kWindows - 4);
  EXPECT_EQ(outbox->counters().stopped_keys, 1);
  EXPECT_TRUE(absl::IsAlreadyExists(outbox->Problem("weather")));
  const auto states = States("00433");
  EXPECT_EQ(states[3], v1::Receipt::ANCHORED);
  EXPECT_EQ(states[4], v1::Receipt::EQUIVOCATION);
  EXPECT_EQ(states[5], v1::Receipt::STATE_UNSPECIFIED);
  EXPECT_EQ(StoredWaiting(), kWindows - 4);
}

TEST_F(OutboxTest, ASeqThatDoesNotFollowStopsItsKeyAlone) {
  Fill();
  anchor_.refused_["a/b/0"] = absl::FailedPreconditionError("seq");
  auto outbox = Start();
  outbox->Stop(InAMinute());
  EXPECT_EQ(outbox->Waiting("weather"), kWindows);
  EXPECT_TRUE(absl::IsFailedPrecondition(outbox->Problem("weather")));
  EXPECT_EQ(States("a/b")[0], v1::Receipt::STATE_UNSPECIFIED);
}

TEST_F(OutboxTest, RecordsThatDoNotLeadToTheRootNeverLeave) {
  Fill();
  const WindowKey window{.pipeline = "weather",
                         .key = "00433",
                         .start_ms = 1'767'225'600'000 + 3'600'000,
                         .revision = 0,
                         .source = source_.source};
  auto payload = run_.store().ReadPayload(window);
  ASSERT_TRUE(payload.ok());
  payload->mutable_records(2)->set_canonical("{}");
  ASSERT_TRUE(run_.store().OverwritePayload(window, *payload).ok());
  std::vector<absl::Status> damage;
  options_.on_damage = [&](const PipelineSource& source,
                           const absl::Status& status) {
    EXPECT_EQ(source, source_);
    damage.push_back(status);
  };
  auto outbox = Start();
  outbox->Stop(InAMinute());
  EXPECT_EQ(anchor_.next_["00433"], 1);
  EXPECT_EQ(anchor_.next_["00427"], kWindows);
  EXPECT_EQ(outbox->Waiting("weather"), kWindows - 1);
  ASSERT_EQ(damage.size(), 1u);
  EXPECT_TRUE(absl::IsDataLoss(damage[0])) << damage[0];
  EXPECT_NE(damage[0].message().find("root"), absl::string_view::npos);
}

TEST_F(OutboxTest, WhatWasJustCommittedIsCheckedAgainstTheStore) {
  std::unique_ptr<Outbox> outbox;
  PartitionWorker::Options worker;
  worker.on_windows = [&](const PipelineSource& source,
                          const CommittedWindows& committed) {
    for (const WrittenWindow& written : committed.windows) {
      if (written.checkpoint.key != "00433" || written.checkpoint.seq != 2) {
        continue;
      }
      const WindowKey window{.pipeline = source.pipeline,
                             .key = written.checkpoint.key,
                             .start_ms = written.checkpoint.window_start_ms,
                             .revision = 0,
                             .source = source.source};
      auto payload = store_.store->ReadPayload(window);
      ASSERT_TRUE(payload.ok()) << payload.status();
      payload->mutable_records(0)->set_offset(7);
      ASSERT_TRUE(store_.store->OverwritePayload(window, *payload).ok());
    }
    outbox->Add(source, committed);
  };
  int damaged = 0;
  options_.on_damage = [&](const PipelineSource&, const absl::Status& status) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    ++damaged;
  };
  ASSERT_TRUE(store_.Open().ok());
  WorkerRun run(*BuiltInSpec("weather"), source_, 0, log_, worker, store_);
  outbox = Start();
  ASSERT_TRUE(run.OpenWorker().ok());
  ASSERT_TRUE(run.FeedTo(log_.back().offset + 1, 7).ok());
  outbox->Stop(InAMinute());
  EXPECT_EQ(anchor_.next_["00433"], 2);
  EXPECT_EQ(anchor_.next_["00427"], kWindows);
  EXPECT_EQ(StoredWaiting(), kWindows - 2);
  EXPECT_EQ(damaged, 1);
}

// However much of what was just committed there is room for, all of it leaves
// in order, with its receipts, also where calls fail in between.
TEST_F(OutboxTest, FreshCheckpointsAndStoredOnesLeaveInOrder) {
  for (const size_t room : {0, 5000, 1 << 20}) {
    TestStore store;
    FakeAnchor anchor;
    anchor.away_ = 2;
    anchor.lost_replies_ = 2;
    std::unique_ptr<Outbox> outbox;
    PartitionWorker::Options worker;
    worker.on_windows = [&](const PipelineSource& source,
                            const CommittedWindows& committed) {
      outbox->Add(source, committed);
    };
    ASSERT_TRUE(store.Open().ok());
    WorkerRun run(*BuiltInSpec("weather"), source_, 0, log_, worker, store);
    options_.fresh_bytes = room;
    outbox = std::make_unique<Outbox>(options_, *store.store, anchor);
    outbox->Start();
    ASSERT_TRUE(run.OpenWorker().ok());
    ASSERT_TRUE(run.FeedTo(log_.back().offset + 1, 7).ok());
    for (const std::string key : {"00427", "00433", "a/b"}) {
      anchor.WaitFor(key, kWindows);
    }
    outbox->Stop(InAMinute());
    EXPECT_EQ(outbox->Waiting("weather"), 0) << room;
    EXPECT_EQ(outbox->counters().anchored, 3 * kWindows) << room;
    EXPECT_EQ(outbox->counters().failed_calls, 4) << room;
    const auto ranges = store.store->LoadOutbox();
    ASSERT_TRUE(ranges.ok()) << ranges.status();
    EXPECT_TRUE(ranges->empty()) << room;
    // The checkpoints as they were written, each with its receipt.
    std::set<std::string> stored;
    const absl::Status listed = store.store->ListWindows(
        {.pipeline = "weather"}, "",
        [&](const WindowKey& window,
            absl::string_view) -> absl::StatusOr<bool> {
          const auto checkpoint = store.store->ReadCheckpoint(window);
          if (!checkpoint.ok()) return checkpoint.status();
          EXPECT_EQ(checkpoint->receipt().state(), v1::Receipt::ANCHORED);
          stored.insert(checkpoint->checkpoint().checkpoint());
          return true;
        });
    ASSERT_TRUE(listed.ok()) << listed;
    EXPECT_EQ(stored, std::set<std::string>(run.written().begin(),
                                            run.written().end()));
  }
}

// Of two keys the first is ready to go on, and the second in a call that lasts,
// while they are released: what is released stays so.
TEST_F(OutboxTest, NothingReleasedIsSubmittedAgain) {
  Fill();
  options_.batch_checkpoints = 1;
  anchor_.unconfirmed_ = {0};  // so that it wants to ask again, too
  anchor_.hold_from_call_ = 2;
  const auto outbox = Start();
  anchor_.WaitForCalls(2);
  std::thread release([&] { outbox->Release(source_); });
  while (outbox->Waiting("weather") > 0) std::this_thread::yield();
  anchor_.LetGo();
  release.join();
  EXPECT_EQ(anchor_.calls(), 2);
  EXPECT_EQ(outbox->Waiting("weather"), 0);

  // Taken up again: all of it leaves.
  anchor_.Confirm();
  ASSERT_TRUE(outbox->Load(source_).ok());
  outbox->Stop(InAMinute());
  EXPECT_EQ(StoredWaiting(), 0);
}

}  // namespace
}  // namespace windproof
