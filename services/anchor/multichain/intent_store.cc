#include "services/anchor/multichain/intent_store.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/options.h"
#include "rocksdb/write_batch.h"
#include "services/anchor/embedded_ledger_store.h"
#include "services/anchor/ledger_entry.h"

namespace windproof {
namespace {

constexpr char kIntent = 'i';
constexpr char kSignature = 's';
constexpr absl::string_view kNumber = "n";
constexpr absl::string_view kStream = "t";
constexpr size_t kLengthBytes = 2;
constexpr size_t kNumberBytes = 8;

std::string KeyOf(char kind, const Digest& data) {
  return absl::StrCat(absl::string_view(&kind, 1), BytesOf(data));
}

rocksdb::WriteOptions Synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

}  // namespace

IntentStore::IntentStore(std::unique_ptr<rocksdb::DB> db)
    : db_(std::move(db)) {}

absl::StatusOr<std::unique_ptr<IntentStore>> IntentStore::Open(
    const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make ", path, ": ", error.message()));
  }
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_background_jobs = 2;
  options.max_open_files = 64;
  options.keep_log_file_num = 2;
  options.write_buffer_size = 8 << 20;
  options.max_total_wal_size = 32 << 20;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
  if (!status.ok()) {
    return FromRocksStatus(status, absl::StrCat("open the intents ", path));
  }
  auto store =
      absl::WrapUnique(new IntentStore(std::unique_ptr<rocksdb::DB>(db)));
  std::string number;
  const rocksdb::Status read =
      db->Get(rocksdb::ReadOptions(), SliceOf(kNumber), &number);
  if (!read.ok() && !read.IsNotFound()) {
    return FromRocksStatus(read, absl::StrCat("read the intents ", path));
  }
  MutexLock lock(store->mutex_);
  if (number.size() == kNumberBytes) {
    store->next_number_ = LedgerPositionOf(number);
    store->first_number_ = store->next_number_;
  }
  return store;
}

absl::Status IntentStore::Add(absl::Span<const LedgerDraft> drafts) {
  if (drafts.empty()) return absl::OkStatus();
  rocksdb::WriteBatch batch;
  MutexLock lock(mutex_);
  for (const LedgerDraft& draft : drafts) {
    const Digest data = Sha256Of(draft.data);
    LedgerEntry entry;
    entry.position = next_number_++;
    entry.keys.assign(draft.keys.begin(), draft.keys.end());
    entry.data = draft.data;
    entry.signer = draft.signer;
    entry.signature = draft.signature;
    batch.Put(KeyOf(kIntent, data), EncodeLedgerEntry(entry));
    std::string signature;
    signature.push_back(static_cast<char>(draft.signer.size() >> 8));
    signature.push_back(static_cast<char>(draft.signer.size() & 0xFF));
    absl::StrAppend(&signature, draft.signer, draft.signature);
    batch.Put(KeyOf(kSignature, data), signature);
  }
  batch.Put(SliceOf(kNumber), LedgerPositionKey(next_number_));
  const rocksdb::Status status = db_->Write(Synced(), &batch);
  return status.ok() ? absl::OkStatus()
                     : FromRocksStatus(status, "write intents");
}

absl::Status IntentStore::Remove(absl::Span<const Digest> data) {
  rocksdb::WriteBatch batch;
  for (const Digest& hash : data) batch.Delete(KeyOf(kIntent, hash));
  // One that comes back after a crash is found done, and removed again.
  const rocksdb::Status status = db_->Write(rocksdb::WriteOptions(), &batch);
  return status.ok() ? absl::OkStatus()
                     : FromRocksStatus(status, "remove intents");
}

absl::StatusOr<IntentStore::Intent> IntentStore::Get(const Digest& data) {
  std::string bytes;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), KeyOf(kIntent, data), &bytes);
  if (status.IsNotFound()) {
    return absl::NotFoundError(
        absl::StrCat("there is no intent to publish ", HexOf(data)));
  }
  if (!status.ok()) return FromRocksStatus(status, "read an intent");
  const absl::StatusOr<LedgerEntry> entry = ParseLedgerEntry(bytes);
  if (!entry.ok() || Sha256Of(entry->data) != data) {
    return absl::DataLossError(
        absl::StrCat("the intent to publish ", HexOf(data), " is damaged"));
  }
  Intent intent;
  intent.number = entry->position;
  for (const absl::string_view key : entry->keys) {
    intent.draft.keys.emplace_back(key);
  }
  intent.draft.data = std::string(entry->data);
  intent.draft.signer = std::string(entry->signer);
  intent.draft.signature = std::string(entry->signature);
  return intent;
}

absl::StatusOr<bool> IntentStore::IsFromBefore(const Digest& data) {
  const absl::StatusOr<Intent> intent = Get(data);
  if (absl::IsNotFound(intent.status())) return false;
  if (!intent.ok()) return intent.status();
  return intent->number < first_number_;
}

absl::StatusOr<std::vector<Digest>> IntentStore::Some(const Digest* after,
                                                      size_t most) {
  std::vector<Digest> some;
  const std::unique_ptr<rocksdb::Iterator> it(
      db_->NewIterator(rocksdb::ReadOptions()));
  const rocksdb::Slice kind(&kIntent, 1);
  const std::string from = after == nullptr ? std::string(1, kIntent)
                                            : KeyOf(kIntent, *after) + '\0';
  for (it->Seek(from);
       it->Valid() && it->key().starts_with(kind) && some.size() < most;
       it->Next()) {
    const absl::StatusOr<Digest> data =
        DigestFromBytes(ViewOf(it->key()).substr(1));
    if (data.ok()) some.push_back(*data);
  }
  if (!it->status().ok()) return FromRocksStatus(it->status(), "read intents");
  return some;
}

absl::Status IntentStore::CheckStream(absl::string_view stream) {
  std::string is;
  rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), SliceOf(kStream), &is);
  if (status.IsNotFound()) {
    status = db_->Put(Synced(), SliceOf(kStream), SliceOf(stream));
    is = std::string(stream);
  }
  if (!status.ok()) return FromRocksStatus(status, "read whose intents it has");
  if (is == stream) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the data folder holds what was meant for ", is, ", and configured is ",
      stream, ". Use another data folder, or delete its multichain folder"));
}

ItemSignature IntentStore::Signature(const Digest& data) {
  ItemSignature result;
  std::string bytes;
  const rocksdb::Status status =
      db_->Get(rocksdb::ReadOptions(), KeyOf(kSignature, data), &bytes);
  if (!status.ok() || bytes.size() < kLengthBytes) return result;
  const size_t length = static_cast<size_t>(static_cast<uint8_t>(bytes[0]))
                            << 8 |
                        static_cast<uint8_t>(bytes[1]);
  if (bytes.size() < kLengthBytes + length) return result;
  result.signer = bytes.substr(kLengthBytes, length);
  result.signature = bytes.substr(kLengthBytes + length);
  return result;
}

}  // namespace windproof
