#include "services/anchor/embedded_ledger_tamper.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "services/anchor/embedded_ledger_store.h"
#include "services/anchor/ledger_entry.h"

namespace windproof {
namespace {

absl::StatusOr<std::string> Get(EmbeddedLedgerStore& store,
                                rocksdb::ColumnFamilyHandle* family,
                                absl::string_view key) {
  std::string value;
  const rocksdb::Status status =
      store.db().Get(rocksdb::ReadOptions(), family, SliceOf(key), &value);
  if (status.IsNotFound()) return absl::NotFoundError("the ledger has none");
  if (!status.ok()) return FromRocksStatus(status, "read the ledger");
  return value;
}

absl::Status Put(EmbeddedLedgerStore& store,
                 rocksdb::ColumnFamilyHandle* family, absl::string_view key,
                 absl::string_view value) {
  rocksdb::WriteBatch batch;
  batch.Put(family, SliceOf(key), SliceOf(value));
  return store.Commit(batch);
}

absl::Status Change(EmbeddedLedgerStore& store,
                    rocksdb::ColumnFamilyHandle* family, absl::string_view key,
                    absl::FunctionRef<void(std::string&)> change) {
  absl::StatusOr<std::string> value = Get(store, family, key);
  if (!value.ok()) return value.status();
  change(*value);
  return Put(store, family, key, *value);
}

}  // namespace

EmbeddedLedgerTamper::EmbeddedLedgerTamper(
    std::unique_ptr<EmbeddedLedgerStore> store)
    : store_(std::move(store)) {}

EmbeddedLedgerTamper::~EmbeddedLedgerTamper() = default;

absl::StatusOr<std::unique_ptr<EmbeddedLedgerTamper>>
EmbeddedLedgerTamper::Open(const std::string& path) {
  auto store =
      EmbeddedLedgerStore::Open(path, EmbeddedLedgerStore::Mode::kWrite);
  if (!store.ok()) return store.status();
  return absl::WrapUnique(new EmbeddedLedgerTamper(*std::move(store)));
}

absl::StatusOr<std::vector<int64_t>> EmbeddedLedgerTamper::Find(
    absl::string_view key) {
  std::vector<int64_t> positions;
  const std::string prefix = LedgerIndexPrefix(key);
  const std::unique_ptr<rocksdb::Iterator> index(
      store_->db().NewIterator(rocksdb::ReadOptions(), store_->index()));
  for (index->Seek(prefix); index->Valid(); index->Next()) {
    absl::string_view found;
    int64_t position = 0;
    if (!ParseLedgerIndexKey(ViewOf(index->key()), &found, &position) ||
        found != key) {
      break;
    }
    positions.push_back(position);
  }
  const absl::Status status =
      FromRocksStatus(index->status(), "read the ledger's index");
  if (!status.ok()) return status;
  return positions;
}

absl::StatusOr<std::string> EmbeddedLedgerTamper::Entry(int64_t position) {
  return Get(*store_, store_->entries(), LedgerPositionKey(position));
}

absl::Status EmbeddedLedgerTamper::ReplaceEntry(int64_t position,
                                                absl::string_view bytes) {
  return Put(*store_, store_->entries(), LedgerPositionKey(position), bytes);
}

absl::Status EmbeddedLedgerTamper::ReplaceEntryData(int64_t position,
                                                    absl::string_view data) {
  const absl::StatusOr<std::string> bytes = Entry(position);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<LedgerEntry> entry = ParseLedgerEntry(*bytes);
  if (!entry.ok()) return entry.status();
  entry->data = data;
  return ReplaceEntry(position, EncodeLedgerEntry(*entry));
}

absl::Status EmbeddedLedgerTamper::RemoveEntry(int64_t position) {
  rocksdb::WriteBatch batch;
  batch.Delete(store_->entries(), LedgerPositionKey(position));
  return store_->Commit(batch);
}

absl::Status EmbeddedLedgerTamper::SwapEntries(int64_t a, int64_t b) {
  const absl::StatusOr<std::string> first = Entry(a);
  if (!first.ok()) return first.status();
  const absl::StatusOr<std::string> second = Entry(b);
  if (!second.ok()) return second.status();
  const absl::Status status = ReplaceEntry(a, *second);
  if (!status.ok()) return status;
  return ReplaceEntry(b, *first);
}

absl::Status EmbeddedLedgerTamper::ChangeNodes(
    int64_t position, absl::FunctionRef<void(std::string&)> change) {
  return Change(*store_, store_->nodes(), LedgerPositionKey(position), change);
}

absl::Status EmbeddedLedgerTamper::ChangeHead(
    absl::FunctionRef<void(std::string&)> change) {
  return Change(*store_, store_->meta(), kLedgerMetaHead, change);
}

absl::Status EmbeddedLedgerTamper::RemoveFromIndex(absl::string_view key,
                                                   int64_t position) {
  rocksdb::WriteBatch batch;
  batch.Delete(store_->index(), LedgerIndexKey(key, position));
  return store_->Commit(batch);
}

absl::Status EmbeddedLedgerTamper::AddToIndex(absl::string_view key,
                                              int64_t position) {
  return Put(*store_, store_->index(), LedgerIndexKey(key, position), "");
}

}  // namespace windproof
