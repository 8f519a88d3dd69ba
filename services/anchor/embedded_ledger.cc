#include "services/anchor/embedded_ledger.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "services/anchor/ledger_entry.h"
#include "services/anchor/ledger_head.h"

namespace windproof {
namespace {

constexpr size_t kMaxKeys = 16;
constexpr size_t kMaxText = 1024;  // of a key, a signer, a signature
constexpr size_t kMaxData = 1 << 20;
constexpr int64_t kConfirmed = 1;  // by the head that covers the item

int64_t SystemNowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

absl::Status CheckText(absl::string_view text, size_t least, size_t most,
                       absl::string_view name, size_t item) {
  if (text.size() >= least && text.size() <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("ledger item ", item, ": ", name, " has ", text.size(),
                   " bytes; ", least, " to ", most, " are accepted"));
}

absl::Status CheckDraft(const LedgerDraft& draft, size_t item) {
  if (draft.keys.empty() || draft.keys.size() > kMaxKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat("ledger item ", item, " has ", draft.keys.size(),
                     " keys; 1 to ", kMaxKeys, " are accepted"));
  }
  absl::Status status = CheckText(draft.data, 0, kMaxData, "data", item);
  status.Update(CheckText(draft.signer, 0, kMaxText, "signer", item));
  status.Update(CheckText(draft.signature, 0, kMaxText, "signature", item));
  for (const std::string& key : draft.keys) {
    status.Update(CheckText(key, 1, kMaxText, "key", item));
  }
  return status;
}

}  // namespace

EmbeddedLedger::EmbeddedLedger(std::unique_ptr<EmbeddedLedgerStore> store,
                               std::unique_ptr<const Ed25519PrivateKey> key,
                               std::string name, Options options)
    : store_(std::move(store)),
      key_(std::move(key)),
      name_(std::move(name)),
      options_(std::move(options)) {}

absl::StatusOr<std::unique_ptr<EmbeddedLedger>> EmbeddedLedger::Open(
    const std::string& path, const std::string& name,
    const Ed25519PrivateKey& key, Options options) {
  const VerifierKey verifier = MakeVerifierKey(name, key.PublicKey());
  const std::string vkey = FormatVerifierKey(verifier);
  if (const absl::StatusOr<VerifierKey> parsed = ParseVerifierKey(vkey);
      !parsed.ok()) {
    return parsed.status();
  }
  absl::StatusOr<std::unique_ptr<EmbeddedLedgerStore>> store =
      EmbeddedLedgerStore::Open(path, EmbeddedLedgerStore::Mode::kCreate);
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::string> stored = (*store)->Meta(kLedgerMetaVkey);
  if (!stored.ok()) return stored.status();
  if (stored->empty()) {
    rocksdb::WriteBatch batch;
    batch.Put((*store)->meta(), SliceOf(kLedgerMetaVkey), SliceOf(vkey));
    const absl::Status status = (*store)->Commit(batch);
    if (!status.ok()) return status;
  } else if (*stored != vkey) {
    return absl::FailedPreconditionError(
        absl::StrCat("the ledger in ", path, " belongs to ", *stored,
                     "; the key given is ", vkey));
  }
  if (!options.now_ms) options.now_ms = SystemNowMs;
  auto ledger = absl::WrapUnique(new EmbeddedLedger(
      *std::move(store), std::make_unique<const Ed25519PrivateKey>(key), name,
      std::move(options)));
  ledger->Adopt(CheckEmbeddedLedger(*ledger->store_, &verifier));
  return ledger;
}

absl::StatusOr<std::unique_ptr<EmbeddedLedger>> EmbeddedLedger::OpenReadOnly(
    const std::string& path, const VerifierKey* key) {
  absl::StatusOr<std::unique_ptr<EmbeddedLedgerStore>> store =
      EmbeddedLedgerStore::Open(path, EmbeddedLedgerStore::Mode::kReadOnly);
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::string> stored = (*store)->Meta(kLedgerMetaVkey);
  if (!stored.ok()) return stored.status();
  // What the store says of itself is shown, not believed.
  const absl::StatusOr<VerifierKey> claimed = ParseVerifierKey(*stored);
  auto ledger = absl::WrapUnique(new EmbeddedLedger(
      *std::move(store), nullptr, claimed.ok() ? claimed->name : std::string(),
      Options()));
  ledger->Adopt(CheckEmbeddedLedger(*ledger->store_, key));
  return ledger;
}

void EmbeddedLedger::Adopt(LedgerFindings findings) {
  if (!findings.index_ok) RebuildIndex();
  {
    MutexLock lock(publish_mutex_);
    tree_ = std::move(findings.tree);
    last_hash_ = findings.last_hash;
  }
  MutexLock lock(mutex_);
  view_.size = findings.size;
  view_.head = findings.head;
  broken_ = findings.ToString();
}

void EmbeddedLedger::RebuildIndex() {
  use_rebuilt_index_ = true;
  std::set<int64_t> unreadable;
  const rocksdb::ReadOptions options;
  std::unique_ptr<rocksdb::Iterator> entries(
      store_->db().NewIterator(options, store_->entries()));
  for (entries->SeekToFirst(); entries->Valid(); entries->Next()) {
    if (entries->key().size() != 8) continue;
    const int64_t position = LedgerPositionOf(ViewOf(entries->key()));
    const absl::StatusOr<LedgerEntry> entry =
        ParseLedgerEntry(ViewOf(entries->value()));
    if (!entry.ok()) {
      unreadable.insert(position);
      continue;
    }
    for (const absl::string_view key : entry->keys) {
      rebuilt_index_[std::string(key)].push_back(position);
    }
  }
  std::unique_ptr<rocksdb::Iterator> index(
      store_->db().NewIterator(options, store_->index()));
  for (index->SeekToFirst(); index->Valid(); index->Next()) {
    absl::string_view key;
    int64_t position = 0;
    if (ParseLedgerIndexKey(ViewOf(index->key()), &key, &position) &&
        unreadable.count(position) > 0) {
      rebuilt_index_[std::string(key)].push_back(position);
    }
  }
  for (auto& [key, positions] : rebuilt_index_) {
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()),
                    positions.end());
  }
}

absl::StatusOr<std::vector<std::string>> EmbeddedLedger::Publish(
    absl::Span<const LedgerDraft> items) {
  if (key_ == nullptr) {
    return absl::FailedPreconditionError("the ledger is open for reading only");
  }
  for (size_t i = 0; i < items.size(); ++i) {
    const absl::Status status = CheckDraft(items[i], i);
    if (!status.ok()) return status;
  }
  if (items.empty()) return std::vector<std::string>();

  MutexLock publish_lock(publish_mutex_);
  {
    MutexLock lock(mutex_);
    if (!broken_.empty()) {
      return absl::DataLossError(
          absl::StrCat("the ledger takes no more items: ", broken_));
    }
    if (!write_failure_.ok()) return write_failure_;
  }
  LedgerTree tree = tree_;
  Digest last_hash = last_hash_;
  const int64_t now_ms = std::max<int64_t>(0, options_.now_ms());
  rocksdb::WriteBatch batch;
  std::vector<std::string> txids;
  LedgerEntry entry;
  std::string beside;
  for (const LedgerDraft& item : items) {
    entry.prev = last_hash;
    entry.position = static_cast<int64_t>(tree.size());
    entry.time_ms = now_ms;
    entry.publisher = name_;
    entry.keys.assign(item.keys.begin(), item.keys.end());
    // A key twice would be one entry of the index and two of the entries'.
    std::sort(entry.keys.begin(), entry.keys.end());
    entry.keys.erase(std::unique(entry.keys.begin(), entry.keys.end()),
                     entry.keys.end());
    entry.data = item.data;
    entry.signer = item.signer;
    entry.signature = item.signature;
    const std::string bytes = EncodeLedgerEntry(entry);
    last_hash = LedgerEntryHash(bytes);
    beside.clear();
    for (const Digest& node : tree.Append(last_hash)) {
      beside.append(BytesOf(node).data(), node.size());
    }
    const std::string position = LedgerPositionKey(entry.position);
    batch.Put(store_->entries(), position, bytes);
    batch.Put(store_->nodes(), position, beside);
    for (const absl::string_view key : entry.keys) {
      batch.Put(store_->index(), LedgerIndexKey(key, entry.position),
                rocksdb::Slice());
    }
    txids.push_back(HexOf(last_hash));
  }
  LedgerHead head;
  head.size = static_cast<int64_t>(tree.size());
  head.root = tree.Root();
  head.note = SignLedgerHead(name_, tree.size(), head.root, *key_);
  batch.Put(store_->meta(), SliceOf(kLedgerMetaHead), SliceOf(head.note));
  const absl::Status status = store_->Commit(batch);

  MutexLock lock(mutex_);
  if (!status.ok()) {
    // Whether the batch will be there after a restart is not known, so no other
    // may take its positions before.
    write_failure_ = absl::UnavailableError(absl::StrCat(
        "a write to the ledger failed; it takes items again after a restart: ",
        status.message()));
    return write_failure_;
  }
  tree_ = std::move(tree);
  last_hash_ = last_hash;
  view_.size = head.size;
  view_.head = std::move(head);
  changed_.NotifyAll();
  return txids;
}

// Collects the items of one page, all as of one view.
class EmbeddedLedger::PageBuilder {
 public:
  PageBuilder(EmbeddedLedger& ledger, const LedgerQuery& query)
      : ledger_(ledger), query_(query), view_(ledger.CurrentView()) {
    page_.next = query.first;
  }

  int64_t size() const { return view_.size; }

  // False: the page is full, `position` belongs to the next one.
  bool HasRoom() {
    const bool full =
        !page_.items.empty() &&
        (static_cast<int64_t>(page_.items.size()) >= query_.max_items ||
         bytes_ >= query_.max_bytes);
    if (full) page_.at_end = false;
    return !full;
  }

  absl::Status Add(int64_t position, absl::string_view bytes) {
    LedgerItem item;
    item.position = position;
    item.txid = HexOf(LedgerEntryHash(bytes));
    item.entry = std::string(bytes);
    item.confirmations =
        view_.head.has_value() && position < view_.head->size ? kConfirmed : 0;
    const absl::StatusOr<LedgerEntry> entry = ParseLedgerEntry(bytes);
    if (entry.ok()) {
      for (const absl::string_view key : entry->keys) {
        item.keys.emplace_back(key);
      }
      item.data = std::string(entry->data);
      item.signer = std::string(entry->signer);
      item.signature = std::string(entry->signature);
      item.publisher = std::string(entry->publisher);
      item.time_ms = entry->time_ms;
    }
    bytes_ += static_cast<int64_t>(2 * bytes.size());
    if (query_.with_inclusion && item.confirmations > 0) {
      absl::StatusOr<InclusionProof> proof =
          prover_.Inclusion(position, view_.head->size);
      // A proof that the stored nodes do not give is left out: the item itself
      // can still be shown.
      if (proof.ok()) {
        bytes_ += static_cast<int64_t>(34 * proof->siblings.size());
        item.inclusion = *std::move(proof);
      } else if (!absl::IsDataLoss(proof.status())) {
        return proof.status();
      }
    }
    page_.next = position + 1;
    page_.items.push_back(std::move(item));
    return absl::OkStatus();
  }

  absl::StatusOr<LedgerPage> Finish() {
    if (page_.at_end) page_.next = std::max(page_.next, view_.size);
    page_.head = std::move(view_.head);
    return std::move(page_);
  }

 private:
  EmbeddedLedger& ledger_;
  const LedgerQuery query_;
  View view_;
  LedgerPage page_;
  int64_t bytes_ = 0;
  LedgerProver prover_{*ledger_.store_};
};

absl::StatusOr<LedgerPage> EmbeddedLedger::Find(absl::string_view key,
                                                const LedgerQuery& query) {
  PageBuilder page(*this, query);
  std::string bytes;
  // Adds the item at `position`; false ends the page.
  const auto add = [&](int64_t position) -> absl::StatusOr<bool> {
    if (position >= page.size()) return false;
    if (!page.HasRoom()) return false;
    const rocksdb::Status status =
        store_->db().Get(rocksdb::ReadOptions(), store_->entries(),
                         LedgerPositionKey(position), &bytes);
    if (status.IsNotFound()) return true;  // State().broken tells
    if (!status.ok()) return FromRocksStatus(status, "read a ledger entry");
    const absl::Status added = page.Add(position, bytes);
    if (!added.ok()) return added;
    return true;
  };
  if (use_rebuilt_index_) {
    const auto found = rebuilt_index_.find(key);
    if (found != rebuilt_index_.end()) {
      const std::vector<int64_t>& positions = found->second;
      for (auto it = std::lower_bound(positions.begin(), positions.end(),
                                      query.first);
           it != positions.end(); ++it) {
        const absl::StatusOr<bool> more = add(*it);
        if (!more.ok()) return more.status();
        if (!*more) break;
      }
    }
    return page.Finish();
  }
  if (key.size() > kMaxText) return page.Finish();
  const std::string prefix = LedgerIndexPrefix(key);
  std::unique_ptr<rocksdb::Iterator> index(
      store_->db().NewIterator(rocksdb::ReadOptions(), store_->index()));
  for (index->Seek(LedgerIndexKey(key, std::max<int64_t>(0, query.first)));
       index->Valid() && index->key().starts_with(prefix); index->Next()) {
    const absl::StatusOr<bool> more =
        add(LedgerPositionOf(ViewOf(index->key()).substr(prefix.size())));
    if (!more.ok()) return more.status();
    if (!*more) break;
  }
  if (!index->status().ok()) {
    return FromRocksStatus(index->status(), "read the ledger's index");
  }
  return page.Finish();
}

absl::StatusOr<LedgerPage> EmbeddedLedger::Read(const LedgerQuery& query) {
  PageBuilder page(*this, query);
  std::unique_ptr<rocksdb::Iterator> entries(
      store_->db().NewIterator(rocksdb::ReadOptions(), store_->entries()));
  for (entries->Seek(LedgerPositionKey(std::max<int64_t>(0, query.first)));
       entries->Valid(); entries->Next()) {
    if (entries->key().size() != 8) continue;
    const int64_t position = LedgerPositionOf(ViewOf(entries->key()));
    if (position >= page.size() || !page.HasRoom()) break;
    const absl::Status added = page.Add(position, ViewOf(entries->value()));
    if (!added.ok()) return added;
  }
  if (!entries->status().ok()) {
    return FromRocksStatus(entries->status(), "read the ledger's entries");
  }
  return page.Finish();
}

EmbeddedLedger::View EmbeddedLedger::CurrentView() {
  MutexLock lock(mutex_);
  return view_;
}

absl::StatusOr<ConsistencyProof> EmbeddedLedger::ProveConsistency(
    int64_t old_size, int64_t new_size) {
  const int64_t size = CurrentView().size;
  if (old_size < 1 || old_size > new_size || new_size > size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the sizes are ", old_size, " and ", new_size,
                     "; 0 < first <= second <= ", size, " is accepted"));
  }
  return NewProver()->Consistency(old_size, new_size);
}

std::unique_ptr<LedgerProver> EmbeddedLedger::NewProver() {
  return std::make_unique<LedgerProver>(*store_);
}

absl::StatusOr<LedgerState> EmbeddedLedger::State() {
  MutexLock lock(mutex_);
  if (!write_failure_.ok()) return write_failure_;
  return KnownState();
}

LedgerState EmbeddedLedger::LastState() {
  MutexLock lock(mutex_);
  LedgerState state = KnownState();
  state.problem = std::string(write_failure_.message());
  return state;
}

LedgerState EmbeddedLedger::KnownState() const {
  LedgerState state;
  state.kind = "embedded";
  state.name = name_;
  state.size = view_.size;
  state.head = view_.head;
  state.broken = broken_;
  return state;
}

bool EmbeddedLedger::WaitForGrowth(
    int64_t size, std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (view_.size <= size && !stopped_) {
    if (!changed_.WaitUntil(mutex_, deadline)) break;
  }
  return view_.size > size;
}

void EmbeddedLedger::StopWaiting() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

}  // namespace windproof
