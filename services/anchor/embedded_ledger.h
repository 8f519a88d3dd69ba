// A ledger in RocksDB on this machine: append-only, hash-chained, a tree over
// its entries, and a head signed with the ledger's Ed25519 key for each batch.
//
// Source: docs/formats/ledger.md. A batch, its tree nodes, its index and the
// new head are one write, synced: after a crash all of it is there or nothing.
// Every item is confirmed at once, by its head.
#ifndef WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_H_
#define WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/signed_note.h"
#include "common/sync/mutex.h"
#include "services/anchor/embedded_ledger_check.h"
#include "services/anchor/embedded_ledger_store.h"
#include "services/anchor/ledger.h"
#include "services/anchor/ledger_prover.h"

namespace windproof {

// Thread-safe.
class EmbeddedLedger : public Ledger {
 public:
  struct Options {
    // Milliseconds since the epoch; the system's clock if not given.
    std::function<int64_t()> now_ms;
  };

  // Opens the ledger in the folder `path`, which is made where there is none,
  // and checks all of it. One that does not hold together is opened all the
  // same: State() says what is wrong, reads go on, Publish() is DataLoss.
  // `name` and `key` are the ledger's identity and sign its heads.
  //
  // InvalidArgument: no such name can sign. FailedPrecondition: it is another
  // key's ledger. Unavailable: another
  // process has it open, or the disk fails. DataLoss: RocksDB cannot open it.
  static absl::StatusOr<std::unique_ptr<EmbeddedLedger>> Open(
      const std::string& path, const std::string& name,
      const Ed25519PrivateKey& key, Options options);

  // For audits of a stopped store: takes no lock, writes nothing, and checks
  // the ledger as Open() does. `key` is the one that the auditor trusts; null
  // leaves the head's signature unchecked. Publish() is FailedPrecondition.
  // NotFound: there is no ledger.
  static absl::StatusOr<std::unique_ptr<EmbeddedLedger>> OpenReadOnly(
      const std::string& path, const VerifierKey* key);

  absl::StatusOr<std::vector<std::string>> Publish(
      absl::Span<const LedgerDraft> items) override;
  absl::StatusOr<LedgerPage> Find(absl::string_view key,
                                  const LedgerQuery& query) override;
  absl::StatusOr<LedgerPage> Read(const LedgerQuery& query) override;
  absl::StatusOr<ConsistencyProof> ProveConsistency(int64_t old_size,
                                                    int64_t new_size) override;
  absl::StatusOr<LedgerState> State() override;
  LedgerState LastState() override;
  bool WaitForGrowth(int64_t size,
                     std::chrono::steady_clock::time_point deadline) override;
  void StopWaiting() override;

  // For proofs that lead to another head than the newest. The ledger must
  // outlive it.
  std::unique_ptr<LedgerProver> NewProver();

 private:
  class PageBuilder;

  EmbeddedLedger(std::unique_ptr<EmbeddedLedgerStore> store,
                 std::unique_ptr<const Ed25519PrivateKey> key, std::string name,
                 Options options);

  // Takes over what CheckEmbeddedLedger() found.
  void Adopt(LedgerFindings findings);

  // Reads the entries for their keys, for when the stored index is wrong. An
  // entry that cannot be read keeps what the stored index says of it.
  void RebuildIndex();

  // What readers see of the ledger at one moment.
  struct View {
    int64_t size = 0;
    std::optional<LedgerHead> head;
  };
  View CurrentView();
  LedgerState KnownState() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<EmbeddedLedgerStore> store_;
  const std::unique_ptr<const Ed25519PrivateKey> key_;  // null: read-only
  const std::string name_;
  const Options options_;

  // Positions by key, where the stored index is wrong; else empty.
  std::map<std::string, std::vector<int64_t>, std::less<>> rebuilt_index_;
  bool use_rebuilt_index_ = false;

  Mutex publish_mutex_;  // one batch at a time
  LedgerTree tree_ ABSL_GUARDED_BY(publish_mutex_);
  Digest last_hash_ ABSL_GUARDED_BY(publish_mutex_){};

  Mutex mutex_;
  CondVar changed_;
  View view_ ABSL_GUARDED_BY(mutex_);
  std::string broken_ ABSL_GUARDED_BY(mutex_);
  absl::Status write_failure_ ABSL_GUARDED_BY(mutex_);  // until a restart
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_EMBEDDED_LEDGER_H_
