// What the anchor means to publish, on disk before it does; and who signed what
// it published, which a stream item does not hold.
//
// RocksDB, default column family:
//   "i" | SHA-256 of the data (32) -> the draft, as an entry of docs/formats/,
//                                     whose position is the intent's number
//   "s" | SHA-256 of the data (32) -> signer length (2) | signer | signature
//   "n" -> the next number (8)
//   "t" -> whose stream it is
// An intent is there until its item is buried so deep that no reorganisation is
// expected to take it away. Losing this store loses nothing that is on the
// chain; signatures are then known to window-hash alone. Thread-safe.
#ifndef WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_INTENT_STORE_H_
#define WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_INTENT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/sync/mutex.h"
#include "rocksdb/db.h"
#include "services/anchor/ledger.h"

namespace windproof {

struct ItemSignature {
  std::string signer;
  std::string signature;
};

class IntentStore {
 public:
  struct Intent {
    LedgerDraft draft;
    int64_t number = 0;  // grows in the order in which they were added
  };

  // Makes the folder if there is none. Unavailable: another process has it.
  static absl::StatusOr<std::unique_ptr<IntentStore>> Open(
      const std::string& path);

  // All of them, on disk when it returns.
  absl::Status Add(absl::Span<const LedgerDraft> drafts);
  absl::Status Remove(absl::Span<const Digest> data);

  // NotFound: there is no intent.
  absl::StatusOr<Intent> Get(const Digest& data);
  // Whether there is one that was added before this store was opened.
  absl::StatusOr<bool> IsFromBefore(const Digest& data);
  // The data's hashes of up to `most` intents behind that of `after`; from the
  // first one on without it.
  absl::StatusOr<std::vector<Digest>> Some(const Digest* after, size_t most);

  // FailedPrecondition: what is here was meant for another stream than
  // `stream`, a text for people. The first call says which it is.
  absl::Status CheckStream(absl::string_view stream);

  // Both empty where they are not known.
  ItemSignature Signature(const Digest& data);

 private:
  explicit IntentStore(std::unique_ptr<rocksdb::DB> db);

  const std::unique_ptr<rocksdb::DB> db_;
  int64_t first_number_ = 0;  // of this process
  Mutex mutex_;
  int64_t next_number_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_MULTICHAIN_INTENT_STORE_H_
