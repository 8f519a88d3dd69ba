#include "services/anchor/ledger_contract.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

steady_clock::time_point Soon() {
  return steady_clock::now() + std::chrono::milliseconds(1);
}
steady_clock::time_point Late() {
  return steady_clock::now() + std::chrono::minutes(5);
}

LedgerDraft Draft(const std::string& key, const std::string& data) {
  return {{key, key + "/" + data}, data, "signer", std::string(64, 's')};
}

// Positions of a page's items.
std::vector<int64_t> Positions(const absl::StatusOr<LedgerPage>& page) {
  EXPECT_TRUE(page.ok()) << page.status();
  std::vector<int64_t> positions;
  if (!page.ok()) return positions;
  for (const LedgerItem& item : page->items) positions.push_back(item.position);
  return positions;
}

TEST_P(LedgerContractTest, IsEmptyAtFirst) {
  const auto state = ledger().State();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->size, 0);
  EXPECT_EQ(state->broken, "");
  EXPECT_NE(state->kind, "");
  EXPECT_NE(state->name, "");
  const auto page = ledger().Read({});
  EXPECT_TRUE(Positions(page).empty());
  EXPECT_TRUE(page->at_end);
  EXPECT_EQ(page->next, 0);
  EXPECT_TRUE(Positions(ledger().Find("a", {})).empty());
}

TEST_P(LedgerContractTest, GivesBackWhatWasPublishedInOrder) {
  const auto first = ledger().Publish({Draft("a", "one"), Draft("b", "two")});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = ledger().Publish({Draft("a", "three")});
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_EQ(first->size(), 2u);
  ASSERT_EQ(second->size(), 1u);

  const auto page = ledger().Read({});
  ASSERT_EQ(Positions(page), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(page->next, 3);
  EXPECT_TRUE(page->at_end);
  std::set<std::pair<std::string, int64_t>> names;
  for (const LedgerItem& item : page->items) {
    EXPECT_GE(item.confirmations, 0);
    EXPECT_NE(item.publisher, "");
    EXPECT_GT(item.time_ms, 0);
    EXPECT_EQ(item.signer, "signer");
    EXPECT_EQ(item.signature, std::string(64, 's'));
    names.emplace(item.txid, item.vout);
  }
  EXPECT_EQ(names.size(), 3u);
  EXPECT_EQ(page->items[0].data, "one");
  EXPECT_EQ(page->items[1].data, "two");
  EXPECT_EQ(page->items[2].data, "three");
  EXPECT_EQ(page->items[0].txid, (*first)[0]);
  EXPECT_EQ(page->items[2].txid, (*second)[0]);
  EXPECT_EQ(std::set<std::string>(page->items[1].keys.begin(),
                                  page->items[1].keys.end()),
            (std::set<std::string>{"b", "b/two"}));
  EXPECT_EQ(ledger().State()->size, 3);
}

TEST_P(LedgerContractTest, KeepsBytesAsTheyAre) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  ASSERT_TRUE(ledger().Publish({{{"k"}, bytes, "", ""}}).ok());
  ASSERT_TRUE(ledger().Publish({{{"k"}, "", "", ""}}).ok());
  const auto page = ledger().Find("k", {});
  ASSERT_EQ(Positions(page), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(page->items[0].data, bytes);
  EXPECT_EQ(page->items[1].data, "");
}

TEST_P(LedgerContractTest, FindsByTheWholeKeyOnly) {
  ASSERT_TRUE(ledger()
                  .Publish({Draft("w/1", "x"), Draft("w/11", "x"),
                            Draft("w", "1/x"), Draft("w/1", "y")})
                  .ok());
  EXPECT_EQ(Positions(ledger().Find("w/1", {})), (std::vector<int64_t>{0, 3}));
  EXPECT_EQ(Positions(ledger().Find("w/11", {})), (std::vector<int64_t>{1}));
  EXPECT_EQ(Positions(ledger().Find("w", {})), (std::vector<int64_t>{2}));
  EXPECT_EQ(Positions(ledger().Find("w/1/x", {})),
            (std::vector<int64_t>{0, 2}));
  EXPECT_TRUE(Positions(ledger().Find("w/", {})).empty());
  EXPECT_TRUE(Positions(ledger().Find("", {})).empty());
}

TEST_P(LedgerContractTest, PagesJoinToTheWholeWithoutOverlap) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(ledger()
                    .Publish({Draft(i % 3 == 0 ? "a" : "b", absl::StrCat(i))})
                    .ok());
  }
  for (int64_t size = 1; size <= 11; ++size) {
    for (const bool find : {false, true}) {
      std::vector<int64_t> seen;
      LedgerQuery query;
      query.max_items = size;
      for (bool at_end = false; !at_end;) {
        const auto page =
            find ? ledger().Find("a", query) : ledger().Read(query);
        for (const int64_t position : Positions(page)) seen.push_back(position);
        ASSERT_TRUE(page.ok());
        ASSERT_LE(static_cast<int64_t>(page->items.size()), size);
        ASSERT_TRUE(page->at_end || page->next > query.first);
        query.first = page->next;
        at_end = page->at_end;
      }
      EXPECT_EQ(seen,
                find ? (std::vector<int64_t>{0, 3, 6, 9})
                     : (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}))
          << size;
    }
  }
}

TEST_P(LedgerContractTest, APageIsBoundedInBytesButNeverEmpty) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(
        ledger().Publish({{{"a"}, std::string(5000, 'x'), "", ""}}).ok());
  }
  LedgerQuery query;
  query.max_bytes = 1;
  const auto page = ledger().Read(query);
  EXPECT_EQ(Positions(page), (std::vector<int64_t>{0}));
  EXPECT_FALSE(page->at_end);
}

TEST_P(LedgerContractTest, RefusesWhatItCannotKeepAndWritesNothing) {
  const std::vector<LedgerDraft> bad = {
      {{}, "no key", "", ""},
      {{""}, "empty key", "", ""},
      {{std::string(1025, 'k')}, "long key", "", ""},
      {{"k"}, std::string((1 << 20) + 1, 'x'), "", ""},
      {{"k"}, "long signature", "", std::string(1025, 's')},
      {std::vector<std::string>(17, "k"), "many keys", "", ""},
  };
  for (const LedgerDraft& draft : bad) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        ledger().Publish({Draft("a", "good"), draft}).status()));
  }
  EXPECT_EQ(ledger().State()->size, 0);
  EXPECT_TRUE(ledger().Publish({}).ok());
  EXPECT_EQ(ledger().State()->size, 0);
}

TEST_P(LedgerContractTest, WaitEndsWithGrowth) {
  EXPECT_FALSE(ledger().WaitForGrowth(0, Soon()));
  std::thread publisher(
      [this] { EXPECT_TRUE(ledger().Publish({Draft("a", "x")}).ok()); });
  EXPECT_TRUE(ledger().WaitForGrowth(0, Late()));
  publisher.join();
  EXPECT_TRUE(ledger().WaitForGrowth(0, Late()));
  EXPECT_FALSE(ledger().WaitForGrowth(1, Soon()));
}

TEST_P(LedgerContractTest, WaitEndsWithStop) {
  std::thread stopper([this] { ledger().StopWaiting(); });
  EXPECT_FALSE(ledger().WaitForGrowth(0, Late()));
  stopper.join();
  EXPECT_FALSE(ledger().WaitForGrowth(0, Late()));
}

TEST_P(LedgerContractTest, EveryItemIsConfirmedAndWakesWhoWaits) {
  ASSERT_TRUE(ledger().Publish({Draft("a", "x"), Draft("b", "y")}).ok());
  ASSERT_TRUE(ledger().Publish({Draft("a", "z")}).ok());
  const auto confirmed = [](const absl::StatusOr<LedgerPage>& page,
                            size_t count) {
    EXPECT_TRUE(page.ok()) << page.status();
    size_t found = 0;
    for (const LedgerItem& item : page->items) found += item.confirmations > 0;
    return found == count;
  };
  const auto deadline = Late();
  while (!confirmed(ledger().Read({}), 3) && steady_clock::now() < deadline) {
    fixture().Confirm();
    ledger().WaitForGrowth(
        3, std::min(deadline, steady_clock::now() + std::chrono::seconds(1)));
  }
  EXPECT_TRUE(confirmed(ledger().Read({}), 3));
  EXPECT_TRUE(confirmed(ledger().Find("a", {}), 2));
  LedgerQuery query;
  query.with_inclusion = true;
  const auto page = ledger().Read(query);
  ASSERT_TRUE(page.ok()) << page.status();
  for (const LedgerItem& item : page->items) {
    // A way to a head, or a block of a chain.
    EXPECT_TRUE(item.inclusion.has_value() || item.chain.has_value());
    EXPECT_EQ(item.inclusion.has_value(), page->head.has_value());
  }
}

TEST_P(LedgerContractTest, ManyPublishersAndReaders) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kBatches; ++i) {
        const std::string key = absl::StrCat("t", t);
        EXPECT_TRUE(ledger()
                        .Publish({Draft(key, absl::StrCat(2 * i)),
                                  Draft(key, absl::StrCat(2 * i + 1))})
                        .ok());
        const auto page = ledger().Find(key, {});
        EXPECT_EQ(Positions(page).size(), 2u * (i + 1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ledger().State()->size, 2 * kThreads * kBatches);
  for (int t = 0; t < kThreads; ++t) {
    const auto page = ledger().Find(absl::StrCat("t", t), {});
    ASSERT_TRUE(page.ok());
    for (size_t i = 0; i < page->items.size(); ++i) {
      EXPECT_EQ(page->items[i].data, absl::StrCat(i));
    }
  }
}

}  // namespace
}  // namespace windproof
