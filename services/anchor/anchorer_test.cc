#include "services/anchor/anchorer.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/ed25519.h"
#include "gtest/gtest.h"
#include "services/anchor/embedded_ledger.h"
#include "services/anchor/embedded_ledger_tamper.h"
#include "services/anchor/faulty_ledger.h"
#include "services/anchor/testing/checkpoints.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

using State = AnchorReceipt::State;

std::vector<Submission> SubmissionsOf(
    const std::vector<Checkpoint>& checkpoints) {
  std::vector<Submission> submissions;
  for (const Checkpoint& checkpoint : checkpoints) {
    submissions.push_back({EncodeCheckpoint(checkpoint), std::string(64, 's'),
                           "windproof/producer-test"});
  }
  return submissions;
}

class AnchorerTest : public ::testing::Test {
 protected:
  AnchorerTest() { Restart(); }

  // As after a crash: nothing is left but the ledger.
  void Restart() {
    anchorer_.reset();
    faulty_.reset();
    ledger_.reset();
    auto ledger =
        EmbeddedLedger::Open(dir_.path(), "windproof/ledger-test", key_, {});
    ASSERT_TRUE(ledger.ok()) << ledger.status();
    ledger_ = *std::move(ledger);
    faulty_ = std::make_unique<FaultyLedger>(*ledger_);
    anchorer_ = std::make_unique<Anchorer>(options_, *faulty_);
  }

  absl::StatusOr<std::vector<AnchorReceipt>> Submit(
      const std::vector<Checkpoint>& checkpoints) {
    return anchorer_->Submit(SubmissionsOf(checkpoints));
  }

  int64_t LedgerSize() { return ledger_->State()->size; }

  TempDir dir_;
  const Ed25519PrivateKey key_ = *Ed25519PrivateKey::Generate();
  Anchorer::Options options_;
  std::unique_ptr<EmbeddedLedger> ledger_;
  std::unique_ptr<FaultyLedger> faulty_;
  std::unique_ptr<Anchorer> anchorer_;
};

TEST_F(AnchorerTest, ReceiptsSayWhatTheLedgerHolds) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 3);
  const auto receipts = Submit(chain);
  ASSERT_TRUE(receipts.ok()) << receipts.status();
  ASSERT_EQ(receipts->size(), 3u);
  const auto page = ledger_->Read({});
  for (int i = 0; i < 3; ++i) {
    const AnchorReceipt& receipt = (*receipts)[i];
    const LedgerItem& item = page->items[i];
    EXPECT_EQ(receipt.state, State::kAnchored);
    EXPECT_EQ(receipt.position, i);
    EXPECT_EQ(receipt.txid, item.txid);
    EXPECT_EQ(receipt.time_ms, item.time_ms);
    EXPECT_EQ(receipt.confirmations, 1);
    EXPECT_EQ(receipt.ledger, "windproof/ledger-test");
    EXPECT_EQ(receipt.checkpoint_sha256, Sha256Of(EncodeCheckpoint(chain[i])));
    EXPECT_EQ(item.data, EncodeCheckpoint(chain[i]));
    EXPECT_EQ(item.signer, "windproof/producer-test");
  }
  EXPECT_EQ(page->items[2].keys,
            (std::vector<std::string>{"weather/00433",
                                      "weather/00433/2026-01-25T02:00:00Z"}));
}

TEST_F(AnchorerTest, RepeatingACallPublishesNothing) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 4);
  const auto first = Submit({chain[0], chain[1]});
  ASSERT_TRUE(first.ok()) << first.status();
  for (const bool restart : {false, true}) {
    if (restart) Restart();
    const auto again = Submit({chain[0], chain[1], chain[1]});
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)[0].position, 0);
    EXPECT_EQ((*again)[1].position, 1);
    EXPECT_EQ((*again)[2].position, 1);
    EXPECT_EQ((*again)[1].txid, (*first)[1].txid);
    EXPECT_EQ(LedgerSize(), 2);
  }
  // Old and new ones together.
  const auto mixed = Submit(chain);
  ASSERT_TRUE(mixed.ok()) << mixed.status();
  EXPECT_EQ((*mixed)[3].position, 3);
  EXPECT_EQ(LedgerSize(), 4);
}

// Its submitter is asked to wait, not told that it is wrong.
TEST_F(AnchorerTest, WhatTheLedgerLostAndWillPublishIsNotRefused) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 4);
  ASSERT_TRUE(Submit({chain[0]}).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Submit({chain[2]}).status()));
  faulty_->SetWillPublish(true);
  EXPECT_TRUE(absl::IsUnavailable(Submit({chain[2]}).status()));
  EXPECT_TRUE(Submit({chain[1], chain[2], chain[3]}).ok());
}

TEST_F(AnchorerTest, PublishesOnceWhenTheReplyIsLost) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 3);
  faulty_->LoseNextReply();
  EXPECT_TRUE(absl::IsUnavailable(Submit(chain).status()));
  const auto receipts = Submit(chain);
  ASSERT_TRUE(receipts.ok()) << receipts.status();
  EXPECT_EQ((*receipts)[2].state, State::kAnchored);
  EXPECT_EQ(LedgerSize(), 3);
  EXPECT_EQ(faulty_->published(), 3);
}

TEST_F(AnchorerTest, PublishesTheRestWhenOnlySomeArrived) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 5);
  for (const size_t arrived : {0, 2, 1}) {
    faulty_->CutNextPublish(arrived);
    EXPECT_TRUE(absl::IsUnavailable(Submit(chain).status()));
  }
  EXPECT_EQ(LedgerSize(), 3);
  const auto receipts = Submit(chain);
  ASSERT_TRUE(receipts.ok()) << receipts.status();
  EXPECT_EQ(LedgerSize(), 5);
  for (int i = 0; i < 5; ++i) EXPECT_EQ((*receipts)[i].position, i);
}

TEST_F(AnchorerTest, IsUnavailableWhileTheLedgerIs) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 1);
  faulty_->SetUnavailable(true);
  EXPECT_TRUE(absl::IsUnavailable(Submit(chain).status()));
  EXPECT_TRUE(absl::IsUnavailable(anchorer_->CatchUp()));
  faulty_->SetUnavailable(false);
  EXPECT_TRUE(Submit(chain).ok());
}

TEST_F(AnchorerTest, PublishedIsNotYetAnchored) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 2);
  faulty_->HoldConfirmationsFrom(1);
  auto receipts = Submit(chain);
  ASSERT_TRUE(receipts.ok()) << receipts.status();
  EXPECT_EQ((*receipts)[0].state, State::kAnchored);
  EXPECT_EQ((*receipts)[1].state, State::kPublished);
  EXPECT_EQ((*receipts)[1].confirmations, 0);
  faulty_->HoldConfirmationsFrom(-1);
  receipts = Submit(chain);
  EXPECT_EQ((*receipts)[1].state, State::kAnchored);
  EXPECT_EQ(LedgerSize(), 2);
}

TEST_F(AnchorerTest, EquivocationIsRefusedReportedAndNeverOverwrites) {
  std::vector<Equivocation> reported;
  options_.on_equivocation = [&](const Equivocation& found) {
    reported.push_back(found);
  };
  Restart();
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 2);
  ASSERT_TRUE(Submit(chain).ok());
  Checkpoint other = chain[1];
  other.root = Sha256Of("other");
  const absl::Status status = Submit({other}).status();
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  const Digest anchored = Sha256Of(EncodeCheckpoint(chain[1]));
  const Digest tried = Sha256Of(EncodeCheckpoint(other));
  EXPECT_TRUE(absl::StrContains(status.message(), HexOf(anchored))) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), HexOf(tried))) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "checkpoints[0]")) << status;
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_EQ(reported[0].window, "weather/00433/2026-01-25T01:00:00Z");
  EXPECT_EQ(reported[0].anchored, anchored);
  EXPECT_EQ(reported[0].other, tried);
  EXPECT_EQ(anchorer_->counters().equivocations, 1);

  // With a seq and prev that would follow, too.
  Checkpoint later = NextCheckpoint("00433", &chain[1]);
  later.window_start_ms = chain[0].window_start_ms;
  later.window_end_ms = chain[0].window_end_ms;
  EXPECT_TRUE(absl::IsAlreadyExists(Submit({later}).status()));
  EXPECT_EQ(LedgerSize(), 2);
  EXPECT_EQ(faulty_->published(), 2);
}

TEST_F(AnchorerTest, EquivocationWithinABatchIsRefusedWhole) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 1);
  Checkpoint other = chain[0];
  other.root = Sha256Of("other");
  EXPECT_TRUE(absl::IsAlreadyExists(Submit({chain[0], other}).status()));
  EXPECT_EQ(LedgerSize(), 0);
}

// Somebody else with access to the ledger published another one.
TEST_F(AnchorerTest, EquivocationOnTheLedgerIsReportedAndTheFirstCounts) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 2);
  const auto first = Submit({chain[0]});
  ASSERT_TRUE(first.ok());
  Checkpoint other = chain[0];
  other.root = Sha256Of("other");
  const std::string window = "weather/00433/2026-01-25T00:00:00Z";
  ASSERT_TRUE(
      ledger_
          ->Publish(
              {{{"weather/00433", window}, EncodeCheckpoint(other), "", ""},
               {{"weather/00433"}, "rubbish", "", ""}})
          .ok());
  const auto receipts = Submit(chain);
  ASSERT_TRUE(receipts.ok()) << receipts.status();
  EXPECT_EQ((*receipts)[0].txid, (*first)[0].txid);
  EXPECT_EQ((*receipts)[1].position, 3);
  EXPECT_EQ(anchorer_->counters().equivocations, 1);
  EXPECT_EQ(anchorer_->counters().foreign_items, 2);
  // The second of the two is there, but does not count.
  EXPECT_TRUE(absl::IsAlreadyExists(Submit({other}).status()));
}

// An item that a chain lost comes again behind its successors: what follows is
// for seq and prev to say, not for the order on the ledger.
TEST_F(AnchorerTest, AKeyGoesOnWhenOneOfItsItemsComesBehindItsSuccessors) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 8);
  const auto publish = [&](int i) {
    ASSERT_TRUE(
        ledger_
            ->Publish({{{"weather/00433"}, EncodeCheckpoint(chain[i]), "", ""}})
            .ok());
  };
  for (const int i : {0, 2, 3}) publish(i);
  const auto before = Submit({chain[4]});
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ((*before)[0].position, 3);
  EXPECT_EQ(anchorer_->counters().ahead, 3);
  // Not so what follows none that is there.
  EXPECT_TRUE(absl::IsFailedPrecondition(Submit({chain[6]}).status()));
  for (const bool restart : {false, true}) {
    if (restart) Restart();
    publish(1);
    const auto after = Submit({chain[4], chain[5]});
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ((*after)[1].position, 5);
    EXPECT_EQ(anchorer_->counters().ahead, 0);
    EXPECT_EQ(anchorer_->counters().equivocations, 0);
  }
  const auto last = Submit({chain[6], chain[7]});
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_EQ((*last)[1].state, State::kAnchored);
}

// What does not follow its key's last is not forgotten: its window is taken.
TEST_F(AnchorerTest, AWindowThatIsOnTheLedgerOutOfOrderIsTaken) {
  std::vector<Checkpoint> chain = CheckpointChain("00433", 3);
  Checkpoint other = chain[2];
  other.root = Sha256Of("other");
  ASSERT_TRUE(ledger_
                  ->Publish({{{"weather/00433/2026-01-25T02:00:00Z"},
                              EncodeCheckpoint(other),
                              "",
                              ""}})
                  .ok());
  ASSERT_TRUE(Submit({chain[0], chain[1]}).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Submit({chain[2]}).status()));
  EXPECT_EQ(LedgerSize(), 3);
}

TEST_F(AnchorerTest, SeqMustFollow) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 4);
  const auto expect_refused = [&](const std::vector<Checkpoint>& batch,
                                  const std::string& what) {
    const absl::Status status = Submit(batch).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), what)) << status;
  };
  expect_refused({chain[1]},
                 "checkpoints[0]: key weather/00433: seq is 1; 0 is accepted");
  expect_refused({chain[0], chain[2]},
                 "checkpoints[1]: key weather/00433: seq is 2; 1 is accepted");
  EXPECT_EQ(LedgerSize(), 0) << "a batch is taken whole or not at all";
  ASSERT_TRUE(Submit({chain[0], chain[1]}).ok());
  expect_refused({chain[3]}, "seq is 3; 2 is accepted next");
  // An old seq with a window that was never there.
  Checkpoint old = chain[0];
  old.window_start_ms += 100 * kTestHourMs;
  old.window_end_ms += 100 * kTestHourMs;
  expect_refused({old}, "seq is 0; 2 is accepted next");
  Restart();
  expect_refused({chain[3]}, "seq is 3; 2 is accepted next");
  EXPECT_TRUE(Submit({chain[2], chain[3]}).ok());
}

TEST_F(AnchorerTest, PrevMustBeTheHashOfTheLast) {
  std::vector<Checkpoint> chain = CheckpointChain("00433", 2);
  ASSERT_TRUE(Submit({chain[0]}).ok());
  chain[1].prev = Sha256Of("another");
  const absl::Status status = Submit({chain[1]}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(),
                                HexOf(Sha256Of(EncodeCheckpoint(chain[0])))))
      << status;
  Checkpoint first = NextCheckpoint("00427", nullptr);
  first.prev = Sha256Of("something");
  EXPECT_TRUE(absl::IsFailedPrecondition(Submit({first}).status()));
  EXPECT_EQ(LedgerSize(), 1);
}

TEST_F(AnchorerTest, AKeyComesFromOneSource) {
  std::vector<Checkpoint> chain = CheckpointChain("00433", 2);
  ASSERT_TRUE(Submit({chain[0]}).ok());
  for (const bool restart : {false, true}) {
    if (restart) Restart();
    Checkpoint topic = chain[1];
    topic.topic = "weather.other";
    Checkpoint partition = chain[1];
    partition.partition = 7;
    for (const Checkpoint& moved : {topic, partition}) {
      const absl::Status status = Submit({moved}).status();
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(),
                                    "known from topic weather.00433 partition "
                                    "0"))
          << status;
    }
  }
  // Another pipeline shares nothing with this one.
  Checkpoint other = NextCheckpoint("00433", nullptr);
  other.pipeline = "other";
  other.topic = "elsewhere";
  EXPECT_TRUE(Submit({other}).ok());
}

TEST_F(AnchorerTest, RevisionsAreAnchoredBesideTheClosing) {
  std::vector<Checkpoint> chain = CheckpointChain("00433", 1);
  Checkpoint amended = NextCheckpoint("00433", &chain[0]);
  amended.window_start_ms = chain[0].window_start_ms;
  amended.window_end_ms = chain[0].window_end_ms;
  amended.revision = 1;
  amended.supersedes = Sha256Of(EncodeCheckpoint(chain[0]));
  const auto receipts = Submit({chain[0], amended});
  ASSERT_TRUE(receipts.ok()) << receipts.status();
  EXPECT_EQ(
      ledger_->Find("weather/00433/2026-01-25T00:00:00Z", {})->items.size(),
      2u);
}

TEST_F(AnchorerTest, RefusesWhatIsNoCheckpoint) {
  const std::vector<Submission> good =
      SubmissionsOf(CheckpointChain("00433", 1));
  for (const std::string& bytes :
       {std::string(), std::string("{}"), good[0].checkpoint + " ",
        good[0].checkpoint.substr(1)}) {
    const absl::Status status =
        anchorer_->Submit({good[0], {bytes, "", ""}}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "checkpoints[1]"));
  }
  // Texts that would make another's ledger keys.
  Checkpoint slash = NextCheckpoint("00433", nullptr);
  slash.pipeline = "weather/a";
  Checkpoint no_pipeline = NextCheckpoint("00433", nullptr);
  no_pipeline.pipeline = "";
  Checkpoint no_key = NextCheckpoint("", nullptr);
  Checkpoint long_key = NextCheckpoint(std::string(129, 'k'), nullptr);
  for (const Checkpoint& bad : {slash, no_pipeline, no_key, long_key}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Submit({bad}).status()));
  }
  EXPECT_EQ(LedgerSize(), 0);
  EXPECT_EQ(anchorer_->counters().refused, 8);
}

TEST_F(AnchorerTest, KeysWithSlashesAreKeptApart) {
  Checkpoint plain = NextCheckpoint("a", nullptr);
  // Its stream key is the window key of `plain`.
  Checkpoint nested = NextCheckpoint("a/2026-01-25T00:00:00Z", nullptr);
  EXPECT_TRUE(Submit({plain, nested}).ok());
  EXPECT_TRUE(Submit({nested, plain}).ok());
  EXPECT_EQ(LedgerSize(), 2);
}

TEST_F(AnchorerTest, TooManyWaitingIsUnavailable) {
  options_.pending_max = 2;
  Restart();
  EXPECT_TRUE(
      absl::IsUnavailable(Submit(CheckpointChain("00433", 3)).status()));
  EXPECT_TRUE(Submit(CheckpointChain("00433", 2)).ok());
  EXPECT_EQ(anchorer_->counters().pending, 0);
}

TEST_F(AnchorerTest, ABrokenLedgerIsDataLoss) {
  const std::vector<Checkpoint> chain = CheckpointChain("00433", 3);
  ASSERT_TRUE(Submit({chain[0], chain[1]}).ok());
  anchorer_.reset();
  faulty_.reset();
  ledger_.reset();
  {
    auto tamper = EmbeddedLedgerTamper::Open(dir_.path());
    ASSERT_TRUE(tamper.ok());
    ASSERT_TRUE((*tamper)->ReplaceEntryData(0, "other").ok());
  }
  Restart();
  const absl::Status status = Submit({chain[2]}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "entry 0 was altered"));
}

TEST_F(AnchorerTest, ManySubmittersOfTheSameChains) {
  constexpr int kKeys = 4;
  constexpr int kLength = 20;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2 * kKeys; ++t) {
    threads.emplace_back([this, t] {
      // Two of them send each key.
      const std::vector<Checkpoint> chain =
          CheckpointChain(absl::StrCat("key", t % kKeys), kLength);
      for (int i = 0; i + 4 <= kLength; i += 2) {
        const auto receipts =
            Submit({chain.begin() + i, chain.begin() + i + 4});
        EXPECT_TRUE(receipts.ok()) << receipts.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(LedgerSize(), kKeys * kLength);
  EXPECT_EQ(anchorer_->counters().keys, kKeys);
}

}  // namespace
}  // namespace windproof
