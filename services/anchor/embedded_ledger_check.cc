#include "services/anchor/embedded_ledger_check.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/merkle/tree_head.h"
#include "services/anchor/ledger_entry.h"
#include "services/anchor/ledger_head.h"

namespace windproof {
namespace {

constexpr size_t kMaxProblems = 5;

// A set of (key, position) pairs in 16 bytes: two sets are equal when these are
// (absl's hash has another seed in each process, so none can be made to fit).
struct PairSum {
  uint64_t count = 0;
  uint64_t sum = 0;

  void Add(absl::string_view key, int64_t position) {
    ++count;
    sum += absl::HashOf(key, position);
  }
  friend bool operator==(const PairSum&, const PairSum&) = default;
};

rocksdb::ReadOptions ScanOptions() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 1 << 20;
  return options;
}

class Checker {
 public:
  Checker(EmbeddedLedgerStore& store, const VerifierKey* key)
      : store_(store), key_(key) {}

  LedgerFindings Run() {
    CheckEntries();
    CheckHead();
    CheckIndex();
    return std::move(findings_);
  }

 private:
  // An entry whose hash is settled by what comes after it.
  struct Pending {
    int64_t position = -1;
    Digest computed{};   // of the stored bytes
    std::string beside;  // stored tree nodes
  };

  void Problem(std::string text) {
    if (findings_.problems.size() < kMaxProblems) {
      findings_.problems.push_back(std::move(text));
    } else {
      ++findings_.more_problems;
    }
  }

  void CheckEntries() {
    std::unique_ptr<rocksdb::Iterator> entries(
        store_.db().NewIterator(ScanOptions(), store_.entries()));
    std::unique_ptr<rocksdb::Iterator> nodes(
        store_.db().NewIterator(ScanOptions(), store_.nodes()));
    nodes->SeekToFirst();
    int64_t expected = 0;
    Pending previous;
    for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
      const absl::string_view key = ViewOf(entries->key());
      if (key.size() != 8) {
        Problem(absl::StrCat("an entry is stored under a key of ", key.size(),
                             " bytes; positions have 8"));
        continue;
      }
      const int64_t position = LedgerPositionOf(key);
      if (position != expected) {
        Problem(position - expected == 1
                    ? absl::StrCat("entry ", expected, " is missing")
                    : absl::StrCat("entries ", expected, " to ", position - 1,
                                   " are missing"));
        gap_ = true;
      }
      const absl::string_view bytes = ViewOf(entries->value());
      const Digest computed = LedgerEntryHash(bytes);
      const absl::StatusOr<LedgerEntry> entry = ParseLedgerEntry(bytes);
      if (!entry.ok()) {
        Problem(absl::StrCat("entry ", position,
                             " cannot be read: ", entry.status().message()));
        unreadable_.insert(position);
      } else {
        if (entry->position != position) {
          Problem(absl::StrCat("entry ", position,
                               " says that its position is ", entry->position));
        }
        for (const absl::string_view k : entry->keys) keys_.Add(k, position);
      }
      const bool follows = position == expected;
      Settle(previous, follows && entry.ok() ? &entry->prev : nullptr);
      if (position == 0 && entry.ok() && entry->prev != kZeroDigest) {
        Problem("entry 0 names an entry before it");
      }
      previous.position = position;
      previous.computed = computed;
      previous.beside = NodesAt(*nodes, position);
      expected = position + 1;
    }
    last_ = previous;
    if (previous.position >= 0) Settle(previous, nullptr);
    findings_.last_hash = previous.computed;
    findings_.size = expected;
    ReportScan(entries->status(), "entries");
    for (; nodes->Valid(); nodes->Next()) {
      Problem("the tree has nodes for an entry that is not there");
    }
    ReportScan(nodes->status(), "nodes");
  }

  void ReportScan(const rocksdb::Status& status, absl::string_view what) {
    if (status.ok()) return;
    Problem(absl::StrCat("the ledger's ", what,
                         " cannot be read to the end: ", status.ToString()));
    gap_ = true;
  }

  // Moves `nodes` to `position` and returns what is stored there.
  std::string NodesAt(rocksdb::Iterator& nodes, int64_t position) {
    while (nodes.Valid()) {
      const absl::string_view key = ViewOf(nodes.key());
      const int64_t at = key.size() == 8 ? LedgerPositionOf(key) : -1;
      if (at > position) break;
      if (at == position) {
        std::string value(ViewOf(nodes.value()));
        nodes.Next();
        return value;
      }
      Problem("the tree has nodes for an entry that is not there");
      nodes.Next();
    }
    return std::string();
  }

  // Compares `entry` with the tree and with what the next one says of it
  // (`next_prev`; null: it says nothing), and adds it to the tree.
  void Settle(const Pending& entry, const Digest* next_prev) {
    if (entry.position < 0) return;
    const int64_t position = entry.position;
    Digest leaf = entry.computed;
    const absl::StatusOr<Digest> stored =
        DigestFromBytes(absl::string_view(entry.beside).substr(0, leaf.size()));
    const bool node_differs = !stored.ok() || *stored != entry.computed;
    if (next_prev != nullptr && *next_prev != entry.computed) {
      if (stored.ok() && *stored == *next_prev) {
        Problem(absl::StrCat("entry ", position, " was altered: it hashes to ",
                             HexOf(entry.computed), ", but the tree and entry ",
                             position + 1, " say ", HexOf(*stored)));
        leaf = *stored;
      } else {
        Problem(absl::StrCat("the chain is broken: entry ", position + 1,
                             " follows ", HexOf(*next_prev), ", but entry ",
                             position, " hashes to ", HexOf(entry.computed)));
      }
    } else if (node_differs) {
      // The last entry has no successor to bear witness; the head does.
      if (next_prev == nullptr && stored.ok()) {
        Problem(absl::StrCat("entry ", position, " hashes to ",
                             HexOf(entry.computed), ", but the tree says ",
                             HexOf(*stored)));
        leaf = *stored;
      } else {
        Problem(absl::StrCat("tree node of entry ", position, " was altered"));
      }
    }
    if (gap_) return;  // no tree to compare with
    const absl::Span<const Digest> beside = findings_.tree.Append(leaf);
    std::string expected;
    for (const Digest& node : beside) absl::StrAppend(&expected, BytesOf(node));
    // The leaf hash itself was dealt with above.
    if (entry.beside.size() != expected.size() ||
        !std::equal(entry.beside.begin() + 32, entry.beside.end(),
                    expected.begin() + 32)) {
      Problem(absl::StrCat("tree nodes above entry ", position,
                           " are not those of the entries"));
    }
  }

  void CheckHead() {
    const absl::StatusOr<std::string> note = store_.Meta(kLedgerMetaHead);
    if (!note.ok()) return Problem(std::string(note.status().message()));
    if (note->empty()) {
      if (findings_.size > 0) Problem("the head is missing");
      return;
    }
    const absl::StatusOr<SignedNote> parsed = ParseSignedNote(*note);
    absl::StatusOr<TreeHead> head =
        parsed.ok() ? ParseTreeHead(parsed->text) : parsed.status();
    if (key_ != nullptr && head.ok()) head = OpenLedgerHead(*note, *key_);
    if (!head.ok()) {
      Problem(absl::StrCat("head: ", head.status().message()));
      if (!parsed.ok() || !ParseTreeHead(parsed->text).ok()) return;
      head = ParseTreeHead(parsed->text);
    }
    findings_.head =
        LedgerHead{*note, static_cast<int64_t>(head->size), head->root};
    const uint64_t size = static_cast<uint64_t>(findings_.size);
    if (head->size != size) {
      Problem(absl::StrCat("the head is of ", head->size, " entries; ", size,
                           " are there"));
    } else if (!gap_ && head->root != findings_.tree.Root()) {
      Problem(absl::StrCat("the head's root is ", HexOf(head->root),
                           "; that of the entries is ",
                           HexOf(findings_.tree.Root())));
    }
  }

  void CheckIndex() {
    PairSum found;
    std::unique_ptr<rocksdb::Iterator> index(
        store_.db().NewIterator(ScanOptions(), store_.index()));
    bool malformed = false;
    for (index->SeekToFirst(); index->Valid(); index->Next()) {
      absl::string_view key;
      int64_t position = 0;
      if (!ParseLedgerIndexKey(ViewOf(index->key()), &key, &position)) {
        malformed = true;
      } else if (unreadable_.count(position) == 0) {
        found.Add(key, position);
      }
    }
    ReportScan(index->status(), "index");
    if (malformed || !index->status().ok() || found != keys_) {
      findings_.index_ok = false;
      Problem(absl::StrCat("the index does not lead to the entries: it has ",
                           found.count, " keys, the entries have ",
                           keys_.count));
    }
  }

  EmbeddedLedgerStore& store_;
  const VerifierKey* const key_;
  LedgerFindings findings_;
  Pending last_;
  bool gap_ = false;  // entries are missing, so the tree cannot be computed
  PairSum keys_;      // of the entries that can be read
  std::set<int64_t> unreadable_;
};

}  // namespace

std::string LedgerFindings::ToString() const {
  std::string text = absl::StrJoin(problems, "; ");
  if (more_problems > 0)
    absl::StrAppend(&text, "; and ", more_problems, " more");
  return text;
}

LedgerFindings CheckEmbeddedLedger(EmbeddedLedgerStore& store,
                                   const VerifierKey* key) {
  return Checker(store, key).Run();
}

}  // namespace windproof
