// BatchedLedger on a chain in memory: the contract, then what becomes of heads.
#include "services/anchor/multichain/batched_ledger.h"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/ed25519.h"
#include "common/merkle/proof.h"
#include "common/sync/mutex.h"
#include "gtest/gtest.h"
#include "services/anchor/ledger_contract.h"
#include "services/anchor/ledger_head.h"
#include "services/anchor/ledger_keys.h"
#include "services/anchor/multichain/testing/memory_chain.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

constexpr char kName[] = "windproof/ledger-test";

class BatchedFixture : public LedgerFixture {
 public:
  BatchedFixture() { Open(); }
  ~BatchedFixture() override { ledger_.reset(); }

  void Open() { OpenAt("log"); }
  void OpenAt(const std::string& log_dir) {
    ledger_.reset();
    auto log = EmbeddedLedger::Open(absl::StrCat(dir_.path(), "/", log_dir),
                                    kName, key_, {});
    ASSERT_TRUE(log.ok()) << log.status();
    BatchedLedger::Options options{.key = vkey()};
    options.confirmations = confirmations;
    options.flush_interval_ms = flush_interval_ms;
    options.flush_count = flush_count;
    options.poll_ms = 20;
    options.cancel = [this] { ++cancelled; };
    options.warn = [this](absl::string_view line) {
      MutexLock lock(mutex_);
      warnings_.emplace_back(line);
    };
    ledger_ = std::make_unique<BatchedLedger>(
        std::move(options), *std::move(log),
        std::make_unique<MemoryChainLedger>(chain_));
  }
  void Close() { ledger_.reset(); }

  Ledger& ledger() override {
    if (!ready_) {
      const auto state = ledger_->State();
      EXPECT_TRUE(state.ok()) << state.status();
      ready_ = true;
    }
    return *ledger_;
  }
  void Confirm() override { chain_.Mine(); }

  MemoryChain& chain() { return chain_; }
  VerifierKey vkey() const { return MakeVerifierKey(kName, key_.PublicKey()); }
  const Ed25519PrivateKey& key() const { return key_; }
  const std::string& dir() const { return dir_.path(); }

  bool Warned(absl::string_view text) {
    MutexLock lock(mutex_);
    for (const std::string& line : warnings_) {
      if (absl::StrContains(line, text)) return true;
    }
    return false;
  }

  int cancelled = 0;  // chains
  int64_t confirmations = 1;
  int64_t flush_interval_ms = 5;
  int64_t flush_count = 1000;

 private:
  const Ed25519PrivateKey key_ = *Ed25519PrivateKey::Generate();
  TempDir dir_;
  MemoryChain chain_;
  Mutex mutex_;
  std::vector<std::string> warnings_ ABSL_GUARDED_BY(mutex_);
  bool ready_ = false;
  std::unique_ptr<BatchedLedger> ledger_;
};

INSTANTIATE_TEST_SUITE_P(
    Batched, LedgerContractTest,
    ::testing::Values(LedgerFixtureFactory{
        "Batched", [] { return std::make_unique<BatchedFixture>(); }}),
    [](const auto& info) { return info.param.name; });

class BatchedLedgerTest : public ::testing::Test {
 protected:
  static LedgerDraft Draft(int i) {
    const std::string data = absl::StrCat("data ", i);
    return {{"p/k", "p/k/" + data}, data, "signer", std::string(64, 's')};
  }
  void Publish(int from, int to) {
    std::vector<LedgerDraft> drafts;
    for (int i = from; i < to; ++i) drafts.push_back(Draft(i));
    const auto txids = ledger().Publish(drafts);
    ASSERT_TRUE(txids.ok()) << txids.status();
  }

  Ledger& ledger() { return fixture_.ledger(); }
  MemoryChain& chain() { return fixture_.chain(); }

  LedgerPage Page(int64_t min_confirmations = 0) {
    LedgerQuery query;
    query.with_inclusion = true;
    query.min_confirmations = min_confirmations;
    auto page = ledger().Read(query);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : LedgerPage();
  }
  int64_t Published() {
    const auto state = ledger().State();
    return state.ok() ? state->size - state->chain->unpublished : -1;
  }

  static bool Eventually(const std::function<bool()>& is_so) {
    const auto deadline = steady_clock::now() + std::chrono::minutes(2);
    while (!is_so()) {
      if (steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  // What an auditor checks of an item, but for the chain.
  absl::Status Verify(const LedgerPage& page, const LedgerItem& item) {
    if (!page.head.has_value()) return absl::NotFoundError("no head");
    if (!page.head->item.has_value() ||
        page.head->item->data != page.head->note) {
      return absl::InternalError("the head is no item");
    }
    const auto head = OpenLedgerHead(page.head->note, fixture_.vkey());
    if (!head.ok()) return head.status();
    if (!item.inclusion.has_value()) return absl::NotFoundError("no proof");
    return CheckLedgerInclusion(item.entry, *item.inclusion, *head);
  }

  BatchedFixture fixture_;
};

TEST_F(BatchedLedgerTest, OneHeadForManyItemsAndProofsToIt) {
  Publish(0, 100);
  ASSERT_TRUE(Eventually([&] { return Published() == 100; }));
  EXPECT_EQ(chain().items().size(), 1u);
  EXPECT_EQ(chain().items()[0].draft.keys,
            std::vector<std::string>{LedgerHeadsKey(kName)});
  LedgerPage page = Page();
  ASSERT_EQ(page.items.size(), 100u);
  EXPECT_EQ(page.items[99].confirmations, 0);
  EXPECT_EQ(page.head->item->confirmations, 0);
  chain().Mine();
  ASSERT_TRUE(Eventually([&] { return Page().items[99].confirmations == 1; }));
  page = Page();
  for (const LedgerItem& item : page.items) {
    EXPECT_TRUE(Verify(page, item).ok()) << Verify(page, item);
    EXPECT_EQ(item.confirmations, 1);
  }
  EXPECT_EQ(page.head->item->confirmations, 1);
  EXPECT_TRUE(page.head->item->chain.has_value());
}

TEST_F(BatchedLedgerTest, HeadsComeByCountOrByTime) {
  fixture_.flush_interval_ms = 3'600'000;
  fixture_.flush_count = 10;
  fixture_.Open();
  // At the start, what waits is not made to wait longer.
  Publish(0, 9);
  EXPECT_FALSE(ledger().WaitForGrowth(
      9, steady_clock::now() + std::chrono::milliseconds(50)));
  EXPECT_TRUE(chain().items().empty());
  EXPECT_EQ(ledger().State()->chain->unpublished, 9);
  EXPECT_FALSE(Page().head.has_value());
  EXPECT_FALSE(Page().items[0].inclusion.has_value());
  Publish(9, 10);
  ASSERT_TRUE(Eventually([&] { return Published() == 10; }));
  EXPECT_EQ(chain().items().size(), 1u);
  Publish(10, 12);
  EXPECT_EQ(Published(), 10);
  fixture_.Open();
  ASSERT_TRUE(Eventually([&] { return Published() == 12; }));
  EXPECT_EQ(chain().items().size(), 2u);
}

TEST_F(BatchedLedgerTest, AnItemHasTheConfirmationsOfTheFirstHeadOverIt) {
  for (int i = 0; i < 3; ++i) {
    Publish(2 * i, 2 * i + 2);
    ASSERT_TRUE(Eventually([&] { return Published() == 2 * i + 2; }));
    chain().Mine();
  }
  LedgerPage page = Page();
  ASSERT_EQ(page.items.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(page.items[i].confirmations, 3 - i / 2) << i;
  }
  // The head is the largest that has what was asked for.
  for (int64_t k = 1; k <= 3; ++k) {
    page = Page(k);
    ASSERT_TRUE(page.head.has_value());
    EXPECT_EQ(page.head->size, 8 - 2 * k);
    EXPECT_EQ(page.head->item->confirmations, k);
    for (const LedgerItem& item : page.items) {
      EXPECT_EQ(item.inclusion.has_value(), item.position < page.head->size);
      if (item.inclusion.has_value()) {
        EXPECT_TRUE(Verify(page, item).ok());
      }
    }
  }
  EXPECT_EQ(Page(4).head->size, 6);
}

TEST_F(BatchedLedgerTest, HeadsAreConsistentWithEachOther) {
  std::vector<LedgerHead> heads;
  for (int i = 0; i < 5; ++i) {
    Publish(3 * i, 3 * i + 3);
    ASSERT_TRUE(Eventually([&] { return Published() == 3 * i + 3; }));
    heads.push_back(*Page().head);
  }
  for (size_t i = 1; i < heads.size(); ++i) {
    const auto proof =
        ledger().ProveConsistency(heads[i - 1].size, heads[i].size);
    ASSERT_TRUE(proof.ok()) << proof.status();
    EXPECT_TRUE(
        CheckConsistency(*proof, heads[i - 1].root, heads[i].root).ok());
  }
  for (const auto& [first, second] :
       std::vector<std::pair<int, int>>{{0, 3}, {4, 3}, {3, 16}, {-1, 3}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        ledger().ProveConsistency(first, second).status()));
  }
}

TEST_F(BatchedLedgerTest, AReorganisationTakesConfirmationsAndGivesThemBack) {
  Publish(0, 2);
  ASSERT_TRUE(Eventually([&] { return Published() == 2; }));
  chain().Mine();
  chain().Mine();
  ASSERT_TRUE(Eventually([&] { return Page().items[0].confirmations == 2; }));
  chain().Reorganise(2);
  EXPECT_EQ(Page().items[0].confirmations, 0);
  chain().Mine();
  EXPECT_EQ(Page().items[0].confirmations, 1);
  EXPECT_EQ(ledger().State()->broken, "");
}

TEST_F(BatchedLedgerTest, AHeadThatTheChainLostCountsNoMore) {
  Publish(0, 2);
  ASSERT_TRUE(Eventually([&] { return Published() == 2; }));
  Publish(2, 4);
  ASSERT_TRUE(Eventually([&] { return Published() == 4; }));
  chain().Mine();
  chain().Mine();
  chain().Lose(0);
  // The next one covers its items, too.
  ASSERT_TRUE(Eventually([&] { return Page().items[0].confirmations == 2; }));
  chain().Lose(1);
  ASSERT_TRUE(Eventually([&] { return Published() == 0; }));
  EXPECT_FALSE(Page().head.has_value());
  Publish(4, 5);
  ASSERT_TRUE(Eventually([&] { return Published() == 5; }));
}

TEST_F(BatchedLedgerTest, AnUnknownOutcomeIsAskedForWithTheSameHead) {
  chain().LoseReplies(1);
  Publish(0, 2);
  ASSERT_TRUE(Eventually([&] { return Published() == 2; }));
  Publish(2, 3);
  ASSERT_TRUE(Eventually([&] { return Published() == 3; }));
  EXPECT_EQ(chain().items().size(), 2u);
  EXPECT_TRUE(fixture_.Warned("the reply was lost"));
}

TEST_F(BatchedLedgerTest, ItsEndEndsWhatTheChainWaitsFor) {
  ASSERT_TRUE(ledger().State().ok());
  EXPECT_EQ(fixture_.cancelled, 0);
  fixture_.Close();
  EXPECT_EQ(fixture_.cancelled, 1);
}

TEST_F(BatchedLedgerTest, WhileTheChainIsAwayNothingIsTakenAndAllCanBeRead) {
  Publish(0, 2);
  ASSERT_TRUE(Eventually([&] { return Published() == 2; }));
  chain().SetAway(true);
  ASSERT_TRUE(Eventually(
      [&] { return absl::IsUnavailable(ledger().State().status()); }));
  EXPECT_TRUE(absl::IsUnavailable(ledger().Publish({Draft(2)}).status()));
  EXPECT_EQ(Page().items.size(), 2u);
  chain().SetAway(false);
  Publish(2, 3);
  ASSERT_TRUE(Eventually([&] { return Published() == 3; }));
}

TEST_F(BatchedLedgerTest, BeforeTheChainWasReadNothingIsTaken) {
  Publish(0, 2);
  ASSERT_TRUE(Eventually([&] { return Published() == 2; }));
  fixture_.Close();
  chain().SetAway(true);
  fixture_.Open();
  EXPECT_TRUE(absl::IsUnavailable(ledger().Publish({Draft(2)}).status()));
  EXPECT_TRUE(absl::IsUnavailable(ledger().Read({}).status()));
}

TEST_F(BatchedLedgerTest, ALogThatIsNotThatOfTheChainIsBroken) {
  Publish(0, 4);
  ASSERT_TRUE(Eventually([&] { return Published() == 4; }));
  // Lost: the key alone is left.
  fixture_.OpenAt("other");
  auto state = ledger().State();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(absl::StrContains(state->broken, "a head of 4 entries"));
  EXPECT_TRUE(absl::StrContains(state->broken, "it was lost"));
  EXPECT_TRUE(absl::IsDataLoss(ledger().Publish({Draft(9)}).status()));
  EXPECT_TRUE(fixture_.Warned("it was lost"));
  LedgerPage page = Page();
  ASSERT_EQ(page.conflicts.size(), 1u);
  EXPECT_EQ(page.conflicts[0].size, 4);
  EXPECT_TRUE(page.conflicts[0].item->chain.has_value());
  // What the chain says does not depend on the log: put back, it is whole.
  fixture_.Open();
  EXPECT_EQ(ledger().State()->broken, "");
}

TEST_F(BatchedLedgerTest, TwoLogsWithOneKeyAreAnEquivocation) {
  Publish(0, 4);
  ASSERT_TRUE(Eventually([&] { return Published() == 4; }));
  const auto signed_by_us = [&](int64_t size, const Digest& root) {
    return SignLedgerHead(kName, size, root, fixture_.key());
  };
  const std::string key = LedgerHeadsKey(kName);
  // What is no head of this log's key is nothing to us.
  chain().Put({{key}, "no head", "", ""});
  chain().Put(
      {{key},
       SignLedgerHead(kName, 2, Sha256Of("x"), *Ed25519PrivateKey::Generate()),
       "",
       ""});
  ASSERT_TRUE(
      Eventually([&] { return ledger().State()->chain->foreign == 2; }));
  EXPECT_EQ(ledger().State()->broken, "");
  // A double of ours is none either.
  chain().Put({{key}, Page().head->note, "", ""});
  chain().Put({{key}, signed_by_us(3, Sha256Of("x")), "", ""});
  ASSERT_TRUE(Eventually([&] { return !ledger().State()->broken.empty(); }));
  EXPECT_TRUE(fixture_.Warned("equivocation"));
  EXPECT_TRUE(absl::IsDataLoss(ledger().Publish({Draft(9)}).status()));
  const LedgerPage page = Page();
  ASSERT_EQ(page.conflicts.size(), 1u);
  EXPECT_EQ(page.conflicts[0].root, Sha256Of("x"));
  EXPECT_EQ(page.head->size, 4);
  EXPECT_TRUE(Verify(page, page.items[3]).ok());
}

}  // namespace
}  // namespace windproof
