// Reads what the ledger has of one key, checks each item, and keeps of it what
// the other checks need: the bytes themselves are not kept.
#ifndef WINDPROOF_SERVICES_VERIFIER_KEY_LEDGER_H_
#define WINDPROOF_SERVICES_VERIFIER_KEY_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "common/crypto/signed_note.h"
#include "common/pipeline/checkpoint.h"
#include "common/proto/convert.h"
#include "services/verifier/anchor_check.h"
#include "services/verifier/chain_check.h"
#include "services/verifier/finding.h"
#include "services/verifier/head_book.h"
#include "services/verifier/ledger_trust.h"
#include "services/verifier/peers.h"
#include "services/verifier/served_heads.h"

namespace windproof {

// Nanoseconds that only rise.
using MonotonicClock = std::function<std::chrono::nanoseconds()>;

// One revision of a window, as it stands on the ledger.
struct AnchoredRevision {
  int64_t revision = -1;  // -1: cannot be read
  int64_t position = 0;
  Digest hash{};           // SHA-256 of the item's data
  CheckOutcome anchor;     // of the item; equivocation too
  CheckOutcome signature;  // of the entry's, where it was asked for
  std::string signature_bytes;
  // The ledger cannot hold a signature, and none came beside the item: the one
  // that window-hash serves has to be checked.
  bool signature_elsewhere = false;
  // Its index in the chain; nothing where the item is not believed, not
  // confirmed or not of a version that is known.
  std::optional<size_t> link;
  bool unsupported = false;
  std::string unusable;  // why there is no link
  std::chrono::nanoseconds anchor_time{};
  std::chrono::nanoseconds signature_time{};
};

struct KeyLedger {
  KeyChain chain{{}, {}};
  // By start of the window, in order of revision.
  std::map<int64_t, std::vector<AnchoredRevision>> windows;
};

class KeyLedgerReader {
 public:
  // All must outlive the reader. Belongs to one thread and one request.
  KeyLedgerReader(const Peers& peers, HeadBook& head_book,
                  const LedgerTrust& ledger,
                  const std::vector<VerifierKey>& producers,
                  const MonotonicClock& now);

  // Everything of one key. `is_asked` tells of a window's start whether its
  // signatures shall be checked. Errors: what the anchor answered.
  absl::StatusOr<KeyLedger> ReadKey(
      absl::string_view pipeline, absl::string_view key,
      const std::function<bool(int64_t start_ms)>& is_asked);

  // The keys of a pipeline that the ledger's index names, with the number of
  // their items in windows that are asked for.
  absl::StatusOr<std::map<std::string, int64_t>> ReadKeys(
      absl::string_view pipeline,
      const std::function<bool(int64_t start_ms)>& is_asked);

  // The data of the item at `position`, which is of `window`; and where
  // `served` is given, the finding that tells how the entry was altered.
  struct Refetched {
    std::string data;
    std::optional<Finding> altered;
  };
  absl::StatusOr<Refetched> Refetch(const WindowName& window, int64_t position,
                                    absl::string_view served);

  // Whether the ledger, asked now, has an item of the window.
  absl::StatusOr<bool> HasWindow(const WindowName& window);

 private:
  struct KeyState;

  // An item by the rules of the ledger that is trusted.
  CheckedItem Check(const v1::LedgerItem& item, const ServedItem& served,
                    const CheckedHead& head) const;
  void TakeItem(const v1::LedgerItem& item, const CheckedHead& head,
                KeyState* state);

  const Peers& peers_;
  ServedHeads heads_;
  const LedgerTrust& ledger_;
  const std::vector<VerifierKey>& producers_;
  const MonotonicClock& now_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_KEY_LEDGER_H_
