#include "services/anchor/embedded_ledger.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/signed_note.h"
#include "gtest/gtest.h"
#include "services/anchor/embedded_ledger_tamper.h"
#include "services/anchor/ledger_entry.h"
#include "services/anchor/ledger_head.h"
#include "services/anchor/testing/temp_dir.h"

namespace windproof {
namespace {

constexpr char kName[] = "windproof/ledger-test";

class EmbeddedLedgerTest : public ::testing::Test {
 protected:
  std::unique_ptr<EmbeddedLedger> Open(const std::string& path) {
    EmbeddedLedger::Options options;
    options.now_ms = [this] { return ++now_ms_; };
    auto ledger = EmbeddedLedger::Open(path, kName, key_, options);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    return ledger.ok() ? *std::move(ledger) : nullptr;
  }

  static LedgerDraft Draft(int i) {
    return {{absl::StrCat("k", i % 3), absl::StrCat("k", i % 3, "/", i)},
            absl::StrCat("data ", i),
            "producer",
            std::string(64, 's')};
  }

  // Fills a new ledger with `count` items in batches of 1, 2, 3, …
  void Fill(const std::string& path, int count) {
    const auto ledger = Open(path);
    int next = 0;
    for (int batch = 1; next < count; ++batch) {
      std::vector<LedgerDraft> drafts;
      for (int i = 0; i < batch && next < count; ++i) {
        drafts.push_back(Draft(next++));
      }
      ASSERT_TRUE(ledger->Publish(drafts).ok());
    }
  }

  // What an auditor with the ledger's key can check of an item.
  absl::Status Verify(const LedgerPage& page, const LedgerItem& item) {
    if (!page.head.has_value()) return absl::NotFoundError("no head");
    const auto head = OpenLedgerHead(page.head->note, verifier_);
    if (!head.ok()) return head.status();
    if (!item.inclusion.has_value()) return absl::NotFoundError("no proof");
    return CheckLedgerInclusion(item.entry, *item.inclusion, *head);
  }

  TempDir dir_;
  const Ed25519PrivateKey key_ = *Ed25519PrivateKey::Generate();
  const VerifierKey verifier_ = MakeVerifierKey(kName, key_.PublicKey());
  int64_t now_ms_ = 1'769'904'000'000;
};

LedgerQuery WithInclusion() {
  LedgerQuery query;
  query.with_inclusion = true;
  return query;
}

TEST_F(EmbeddedLedgerTest, EveryItemIsProvedToTheSignedHead) {
  const auto ledger = Open(dir_.path());
  Digest last = kZeroDigest;
  for (int size = 1; size <= 40; ++size) {
    ASSERT_TRUE(ledger->Publish({Draft(size - 1)}).ok());
    const auto page = ledger->Read(WithInclusion());
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_EQ(page->items.size(), static_cast<size_t>(size));
    EXPECT_EQ(page->head->size, size);
    for (const LedgerItem& item : page->items) {
      const absl::Status status = Verify(*page, item);
      ASSERT_TRUE(status.ok()) << item.position << " of " << size << status;
      EXPECT_EQ(item.confirmations, 1);
      EXPECT_EQ(item.publisher, kName);
    }
    const LedgerItem& newest = page->items.back();
    const auto entry = ParseLedgerEntry(newest.entry);
    ASSERT_TRUE(entry.ok()) << entry.status();
    EXPECT_EQ(entry->prev, last);
    EXPECT_EQ(entry->position, size - 1);
    EXPECT_EQ(entry->time_ms, now_ms_);
    EXPECT_EQ(newest.txid, HexOf(LedgerEntryHash(newest.entry)));
    last = LedgerEntryHash(newest.entry);
  }
  const auto found = ledger->Find("k1", WithInclusion());
  ASSERT_TRUE(found.ok());
  for (const LedgerItem& item : found->items) {
    EXPECT_TRUE(Verify(*found, item).ok());
  }
}

TEST_F(EmbeddedLedgerTest, AnswersAsBeforeAfterEachReopening) {
  for (int batch = 0; batch < 12; ++batch) {
    const auto ledger = Open(dir_.path());
    ASSERT_NE(ledger, nullptr);
    EXPECT_EQ(ledger->State()->broken, "");
    EXPECT_EQ(ledger->State()->size, 3 * batch);
    ASSERT_TRUE(ledger
                    ->Publish({Draft(3 * batch), Draft(3 * batch + 1),
                               Draft(3 * batch + 2)})
                    .ok());
  }
  const auto page = Open(dir_.path())->Read(WithInclusion());
  ASSERT_EQ(page->items.size(), 36u);
  for (int i = 0; i < 36; ++i) {
    EXPECT_EQ(page->items[i].data, Draft(i).data);
    EXPECT_TRUE(Verify(*page, page->items[i]).ok());
  }
}

// A copy of the folder while the ledger is open is what a kill leaves behind.
TEST_F(EmbeddedLedgerTest, WhatWasAcknowledgedSurvivesAKillAtAnyBatch) {
  const auto ledger = Open(dir_.path());
  for (int batch = 0; batch < 8; ++batch) {
    ASSERT_TRUE(ledger->Publish({Draft(2 * batch), Draft(2 * batch + 1)}).ok());
    TempDir crash;
    std::filesystem::copy(dir_.path(), crash.path(),
                          std::filesystem::copy_options::recursive);
    const auto survivor = Open(crash.path());
    ASSERT_NE(survivor, nullptr);
    EXPECT_EQ(survivor->State()->broken, "");
    EXPECT_EQ(survivor->State()->size, 2 * batch + 2);
    EXPECT_TRUE(survivor->Publish({Draft(99)}).ok());
  }
}

// A write-ahead log with a hole in it must not pass for a shorter one.
TEST_F(EmbeddedLedgerTest, ADamagedLogIsNoShorterLedger) {
  Fill(dir_.path(), 20);
  std::filesystem::path log;
  for (const auto& file : std::filesystem::directory_iterator(dir_.path())) {
    if (file.path().extension() == ".log" &&
        (log.empty() ||
         std::filesystem::file_size(file) > std::filesystem::file_size(log))) {
      log = file.path();
    }
  }
  const uintmax_t size = std::filesystem::file_size(log);
  ASSERT_GT(size, 5000u);
  for (uintmax_t at = 100; at < size / 2; at += size / 16) {
    TempDir copy;
    std::filesystem::copy(dir_.path(), copy.path(),
                          std::filesystem::copy_options::recursive);
    std::fstream file(copy.path() + "/" + log.filename().string(),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.close();
    const auto ledger = EmbeddedLedger::Open(copy.path(), kName, key_, {});
    EXPECT_TRUE(!ledger.ok() || (*ledger)->State()->broken != "" ||
                (*ledger)->State()->size == 20)
        << at << " of " << size;
    if (!ledger.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(ledger.status())) << ledger.status();
    }
  }
}

TEST_F(EmbeddedLedgerTest, RefusesAnotherKeyAndASecondProcess) {
  const auto ledger = Open(dir_.path());
  EXPECT_TRUE(absl::IsUnavailable(
      EmbeddedLedger::Open(dir_.path(), kName, key_, {}).status()));
  TempDir other;
  Fill(other.path(), 1);
  const auto opened = EmbeddedLedger::Open(other.path(), kName,
                                           *Ed25519PrivateKey::Generate(), {});
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status())) << opened.status();
  EXPECT_TRUE(absl::IsInvalidArgument(
      EmbeddedLedger::Open(other.path(), "a name", key_, {}).status()));
}

TEST_F(EmbeddedLedgerTest, ReadOnlyShowsAllAndWritesNothing) {
  EXPECT_TRUE(absl::IsNotFound(
      EmbeddedLedger::OpenReadOnly(dir_.path(), nullptr).status()));
  Fill(dir_.path(), 7);
  const auto ledger = EmbeddedLedger::OpenReadOnly(dir_.path(), &verifier_);
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  EXPECT_EQ((*ledger)->State()->broken, "");
  EXPECT_EQ((*ledger)->State()->name, kName);
  const auto page = (*ledger)->Read(WithInclusion());
  ASSERT_EQ(page->items.size(), 7u);
  EXPECT_TRUE(Verify(*page, page->items[3]).ok());
  EXPECT_TRUE(
      absl::IsFailedPrecondition((*ledger)->Publish({Draft(1)}).status()));

  // Signed by another key than the one that is trusted.
  const VerifierKey stranger =
      MakeVerifierKey(kName, Ed25519PrivateKey::Generate()->PublicKey());
  const auto distrusted = EmbeddedLedger::OpenReadOnly(dir_.path(), &stranger);
  ASSERT_TRUE(distrusted.ok()) << distrusted.status();
  EXPECT_TRUE(absl::StrContains((*distrusted)->State()->broken, "head:"));
}

TEST_F(EmbeddedLedgerTest, AKeyGivenTwiceIsOne) {
  ASSERT_TRUE(Open(dir_.path())->Publish({{{"k", "k"}, "d", "", ""}}).ok());
  const auto ledger = Open(dir_.path());
  EXPECT_EQ(ledger->State()->broken, "");
  EXPECT_EQ(ledger->Find("k", {})->items.size(), 1u);
}

// Each way to alter a stopped ledger: the next opening names it, writes are
// refused, reads go on, and no altered item passes an auditor's check.
struct TamperCase {
  const char* name;
  std::function<absl::Status(EmbeddedLedgerTamper&)> tamper;
  std::vector<std::string> broken;    // what State().broken must contain
  std::vector<int64_t> unverifiable;  // positions that must not pass
  // How many items are found by the key of item i, where that is not one.
  std::map<int, size_t> found = {};
};

void PrintTo(const TamperCase& test, std::ostream* out) { *out << test.name; }

class TamperTest : public EmbeddedLedgerTest,
                   public ::testing::WithParamInterface<TamperCase> {};

TEST_P(TamperTest, IsNamedAndStopsWrites) {
  constexpr int kItems = 13;
  Fill(dir_.path(), kItems);
  {
    const auto tamper = EmbeddedLedgerTamper::Open(dir_.path());
    ASSERT_TRUE(tamper.ok()) << tamper.status();
    const absl::Status status = GetParam().tamper(**tamper);
    ASSERT_TRUE(status.ok()) << status;
  }
  const auto ledger = Open(dir_.path());
  ASSERT_NE(ledger, nullptr);
  const std::string broken = ledger->State()->broken;
  for (const std::string& part : GetParam().broken) {
    EXPECT_TRUE(absl::StrContains(broken, part)) << broken;
  }
  const absl::Status refused = ledger->Publish({Draft(99)}).status();
  EXPECT_TRUE(absl::IsDataLoss(refused)) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), broken)) << refused;

  const auto page = ledger->Read(WithInclusion());
  ASSERT_TRUE(page.ok()) << page.status();
  std::vector<int64_t> unverifiable;
  for (const LedgerItem& item : page->items) {
    if (!Verify(*page, item).ok()) unverifiable.push_back(item.position);
  }
  EXPECT_EQ(unverifiable, GetParam().unverifiable);

  // By key too, whatever became of the index.
  for (int i = 0; i < kItems; ++i) {
    const auto found = ledger->Find(Draft(i).keys[1], {});
    ASSERT_TRUE(found.ok()) << found.status();
    const auto expected = GetParam().found.find(i);
    EXPECT_EQ(found->items.size(),
              expected == GetParam().found.end() ? 1 : expected->second)
        << i;
  }
}

void FlipLast(std::string& bytes) { bytes.back() ^= 1; }

// All positions from `first` to `last`.
std::vector<int64_t> All(int64_t first, int64_t last) {
  std::vector<int64_t> positions;
  for (int64_t i = first; i <= last; ++i) positions.push_back(i);
  return positions;
}

INSTANTIATE_TEST_SUITE_P(
    EachWay, TamperTest,
    ::testing::Values(
        TamperCase{"AlteredData",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ReplaceEntryData(4, "other");
                   },
                   {"entry 4 was altered: it hashes to "},
                   {4}},
        TamperCase{"AlteredFirst",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ReplaceEntryData(0, "other");
                   },
                   {"entry 0 was altered"},
                   {0}},
        TamperCase{"AlteredLast",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ReplaceEntryData(12, "other");
                   },
                   {"entry 12 hashes to ", "but the tree says"},
                   {12}},
        TamperCase{"UnreadableEntry",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ReplaceEntry(5, "rubbish");
                   },
                   {"entry 5 cannot be read", "entry 5 was altered"},
                   {5}},
        TamperCase{"FlippedByteInEntry",
                   [](EmbeddedLedgerTamper& t) {
                     std::string bytes = *t.Entry(7);
                     FlipLast(bytes);
                     return t.ReplaceEntry(7, bytes);
                   },
                   {"entry 7 was altered"},
                   {7}},
        TamperCase{"SwappedEntries",
                   [](EmbeddedLedgerTamper& t) { return t.SwapEntries(2, 9); },
                   {"entry 2 says that its position is 9"},
                   {2, 9}},
        TamperCase{"RemovedEntry",
                   [](EmbeddedLedgerTamper& t) { return t.RemoveEntry(6); },
                   {"entry 6 is missing", "index"},
                   {},
                   {{6, 0}}},
        TamperCase{"TruncatedTail",
                   [](EmbeddedLedgerTamper& t) {
                     absl::Status status = t.RemoveEntry(12);
                     status.Update(t.RemoveEntry(11));
                     return status;
                   },
                   {"the head is of 13 entries; 11 are there"},
                   {},
                   {{11, 0}, {12, 0}}},
        TamperCase{"AddedEntry",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ReplaceEntry(13, *t.Entry(12));
                   },
                   {"the head is of 13 entries; 14 are there"},
                   {13},
                   {{12, 2}}},
        TamperCase{"LeafNode",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ChangeNodes(
                         4, [](std::string& bytes) { bytes[0] ^= 1; });
                   },
                   {"tree node of entry 4 was altered"},
                   {5}},
        TamperCase{
            "InnerNode",
            [](EmbeddedLedgerTamper& t) { return t.ChangeNodes(3, FlipLast); },
            {"tree nodes above entry 3 are not those of the entries"},
            All(4, 7)},
        TamperCase{"MissingNodes",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ChangeNodes(
                         3, [](std::string& bytes) { bytes.clear(); });
                   },
                   {"tree node of entry 3 was altered"},
                   {0, 1, 2, 4, 5, 6, 7}},
        TamperCase{"HeadSignature",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ChangeHead([](std::string& note) {
                       note[note.size() - 10] ^= 1;
                     });
                   },
                   {"head: "},
                   All(0, 12)},
        TamperCase{"HeadText",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ChangeHead([](std::string& note) {
                       note.replace(note.find("\n13\n"), 4, "\n12\n");
                     });
                   },
                   {"head: ", "the head is of 12 entries; 13 are there"},
                   All(0, 12)},
        TamperCase{"HeadIsRubbish",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ChangeHead(
                         [](std::string& note) { note = "rubbish"; });
                   },
                   {"head: "},
                   All(0, 12)},
        TamperCase{"HeadIsMissing",
                   [](EmbeddedLedgerTamper& t) {
                     return t.ChangeHead(
                         [](std::string& note) { note.clear(); });
                   },
                   {"the head is missing"},
                   All(0, 12)},
        TamperCase{"RemovedFromIndex",
                   [](EmbeddedLedgerTamper& t) {
                     return t.RemoveFromIndex("k1/4", 4);
                   },
                   {"the index does not lead to the entries"},
                   {}},
        TamperCase{"MovedInIndex",
                   [](EmbeddedLedgerTamper& t) {
                     absl::Status status = t.RemoveFromIndex("k1/4", 4);
                     status.Update(t.AddToIndex("k1/4", 5));
                     return status;
                   },
                   {"the index does not lead to the entries"},
                   {}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace windproof
