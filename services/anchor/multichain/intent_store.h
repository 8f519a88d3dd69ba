// What the anchor means to publish, on disk before it does; and who signed what
// it published, which a stream item does not hold.
//
// RocksDB, default column family:
//   "i" | SHA-256 of the data (32) -> the draft, as an entry of docs/formats/
//   "s" | SHA-256 of the data (32) -> signer length (2) | signer | signature
// An intent is there until its item is buried so deep that no reorganisation is
// expected to take it away. Losing this store loses nothing that is on the
// chain; signatures are then known to window-hash alone. Thread-safe.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_INTENT_STORE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_INTENT_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "rocksdb/db.h"
#include "services/anchor/ledger.h"

namespace windproof {

struct ItemSignature {
  std::string signer;
  std::string signature;
};

class IntentStore {
 public:
  // Makes the folder if there is none. Unavailable: another process has it.
  static absl::StatusOr<std::unique_ptr<IntentStore>> Open(
      const std::string& path);

  // All of them, on disk when it returns.
  absl::Status Add(absl::Span<const LedgerDraft> drafts);
  absl::Status Remove(absl::Span<const Digest> data);

  // NotFound: there is no intent.
  absl::StatusOr<LedgerDraft> Get(const Digest& data);
  // The data's hashes of all.
  absl::StatusOr<std::vector<Digest>> All();

  // Both empty where they are not known.
  ItemSignature Signature(const Digest& data);

 private:
  explicit IntentStore(std::unique_ptr<rocksdb::DB> db);

  const std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_INTENT_STORE_H_
