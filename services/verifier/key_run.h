// Verifies windows of one key: the checks, put to what ledger and window-hash
// serve of it.
#ifndef WINDPROOF_SERVICES_VERIFIER_KEY_RUN_H_
#define WINDPROOF_SERVICES_VERIFIER_KEY_RUN_H_

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
#include "absl/types/span.h"
#include "common/crypto/signed_note.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "services/verifier/dropped_check.h"
#include "services/verifier/finding.h"
#include "services/verifier/key_ledger.h"
#include "services/verifier/peers.h"
#include "services/verifier/records_check.h"
#include "services/verifier/replay_chain.h"
#include "services/verifier/spec_book.h"
#include "services/verifier/window_reader.h"
#include "services/verifier/window_report.h"

namespace windproof {

// What is the same for all keys of one request.
struct RunContext {
  const Peers& peers;
  const std::vector<VerifierKey>& producers;
  SpecBook& specs;
  // May be null: then culprits are named by hashes alone, and REPLAY cannot
  // run.
  RecordLog* log;
  const MonotonicClock& now;
  const std::function<bool()>& cancelled;
  KeyLedgerReader& ledger;

  ServedProgress progress;  // of the pipeline
  // Where the first scans of other keys begin, by source.
  std::map<std::pair<std::string, int32_t>, KnownOrigin> origins;
  bool replay = false;  // whether REPLAY is asked for
};

// Belongs to one thread.
class KeyRun {
 public:
  // `ledger`: what the ledger has of the key, or why it could not be read.
  // `context` must outlive this.
  KeyRun(RunContext& context, std::string pipeline, std::string key,
         absl::StatusOr<KeyLedger> ledger);

  // Nothing where the ledger could not be read.
  const KeyLedger* ledger() const { return ledger_.ok() ? &*ledger_ : nullptr; }

  // Reads the dropped records of all checkpoints of the windows in `range` in
  // as few calls as it takes. Without it Verify() reads them one by one.
  void ReadAhead(const StartRange& range);

  // Verifies the window that starts at `start_ms`. `served`: its revisions as
  // window-hash lists them; `served_status`: not OK where that list could not
  // be read. Nothing where neither ledger nor window-hash has it.
  std::optional<WindowReport> Verify(int64_t start_ms,
                                     absl::Span<const ServedWindow> served,
                                     const absl::Status& served_status);

  // EMPTY, where the chain shows that the window has no record.
  std::optional<WindowReport> VerifyEmpty(int64_t start_ms);

  // The rules of that hash, nullptr where nobody shows them.
  const PipelineSpec* SpecOf(const Digest& hash);

  // True where window-hash said of the last window verified that it is
  // anchored, and the ledger as it was read does not have it, but has it now:
  // it was anchored meanwhile.
  bool anchored_meanwhile() const { return anchored_meanwhile_; }

 private:
  RecordsCheck& ChecksOf(const PipelineSpec& spec);
  // Where others say that its partition begins, for the first of a chain: no
  // other one needs it.
  std::vector<KnownOrigin> OriginsOf(const Checkpoint& checkpoint);

  // ACCOUNTING's dropped records of the links [first, last], kept in dropped_.
  void AccountDropped(size_t first, size_t last);
  CheckOutcome Accounting(size_t link);
  void AddChain(size_t link, WindowReport* report);
  // The served revision that an anchored one is to be compared with, by index.
  // Takes it out of `left`.
  static std::optional<size_t> Match(const AnchoredRevision& anchored,
                                     absl::Span<const ServedWindow> served,
                                     std::vector<size_t>* left);

  void VerifyAnchored(const AnchoredRevision& anchored,
                      const v1::Window* served,
                      const absl::Status& served_status, WindowReport* report,
                      bool* unsupported);
  void VerifyUnanchored(const v1::Window& served, std::string why_not,
                        WindowReport* report, bool* unsupported);
  // COMPLETENESS, CANONICAL, ANALYTICS.
  void VerifyRecords(const Checkpoint& checkpoint, const v1::Window& served,
                     WindowReport* report);
  // COMPLETENESS of records that are not the anchored ones.
  CheckOutcome NameDifferences(const Checkpoint& checkpoint,
                               const v1::Window& served,
                               const PipelineSpec* spec);
  // REPLAY, where it is asked for. `served`: window-hash's revision of it, to
  // name records with where it proves right; may be null.
  void AddReplay(size_t link, const v1::Window* served, WindowReport* report);
  void SkipReplay(const std::string& reason, WindowReport* report);
  CheckOutcome Replay(size_t link, const v1::Window* served);
  // Adds to a row of the table, and the time that it took.
  template <typename Function>
  void Row(CheckName name, WindowReport* report, Function check);

  RunContext& context_;
  const std::string pipeline_;
  const std::string key_;
  absl::StatusOr<KeyLedger> ledger_;
  std::map<const PipelineSpec*, std::unique_ptr<RecordsCheck>> records_checks_;
  std::map<const PipelineSpec*, std::unique_ptr<DroppedCheck>> dropped_checks_;
  std::vector<std::optional<CheckOutcome>> dropped_;  // by link
  std::vector<std::chrono::nanoseconds> dropped_time_;
  std::unique_ptr<ChainReplay> replay_;
  bool anchored_meanwhile_ = false;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_KEY_RUN_H_
