// Alters a stopped embedded ledger as somebody with access to its disk would:
// the bytes in place, with nothing made to fit. For tests and for the tamper
// drill; what it leaves behind must be found by whoever checks the ledger.
//
// No other process may have the ledger open.
#ifndef WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_TAMPER_H_
#define WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_TAMPER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

class EmbeddedLedgerStore;

// Thread-compatible.
class EmbeddedLedgerTamper {
 public:
  // NotFound: there is no ledger in `path`.
  static absl::StatusOr<std::unique_ptr<EmbeddedLedgerTamper>> Open(
      const std::string& path);

  ~EmbeddedLedgerTamper();

  // Positions that the index has for `key`, rising.
  absl::StatusOr<std::vector<int64_t>> Find(absl::string_view key);

  // NotFound: there is no such entry.
  absl::StatusOr<std::string> Entry(int64_t position);

  // Replaces the bytes of an entry; chain, tree, head and index stay.
  absl::Status ReplaceEntry(int64_t position, absl::string_view bytes);

  // Replaces the data (the checkpoint) in an entry and leaves all else of it.
  absl::Status ReplaceEntryData(int64_t position, absl::string_view data);

  absl::Status RemoveEntry(int64_t position);
  absl::Status SwapEntries(int64_t a, int64_t b);

  // The tree nodes beside a leaf, the head's note: read, changed by `change`,
  // written back.
  absl::Status ChangeNodes(int64_t position,
                           absl::FunctionRef<void(std::string&)> change);
  absl::Status ChangeHead(absl::FunctionRef<void(std::string&)> change);

  absl::Status RemoveFromIndex(absl::string_view key, int64_t position);
  absl::Status AddToIndex(absl::string_view key, int64_t position);

 private:
  explicit EmbeddedLedgerTamper(std::unique_ptr<EmbeddedLedgerStore> store);

  const std::unique_ptr<EmbeddedLedgerStore> store_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_TAMPER_H_
