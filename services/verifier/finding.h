// What a check found: findings, outcomes, verdicts.
//
// A check is PASS, FAIL with its findings, or SKIPPED with its reason. Nothing
// reads as PASS by default: an outcome that nobody set is SKIPPED.
// In a finding `expected` is what the anchored checkpoint (or, where it names
// the culprit, the record log) says, `found` what was served. Both are text;
// hashes are lower-case hex.
//
// Codes are stable:
//
// clang-format off: a table is no paragraph.
// check        | code                | what is wrong
// -------------+---------------------+-----------------------------------------
// ANCHOR       | HEAD_INVALID        | the head is no tree head signed by the
//              |                     | ledger that the verifier trusts
//              | HEAD_MISMATCH       | size or root beside the head differ
//              | HEAD_FORK           | two signed heads, not of one log
//              | HEAD_NOT_ON_CHAIN   | the chain has other data in its place
//              | HEAD_HIDDEN         | on the chain, but under another key
//              | ENTRY_MALFORMED     | the bytes are no ledger entry
//              | ENTRY_MISMATCH      | the item shows other data than its entry
//              | ENTRY_ALTERED       | altered after it was signed
//              | PROOF_MISSING       | no inclusion proof came with the item
//              | PROOF_INVALID       | the proof does not lead to the head
//              | PUBLISHER_UNTRUSTED | published by another than is trusted
//              | ITEM_MALFORMED      | the item's data are no checkpoint
//              | EQUIVOCATION        | two checkpoints of a window's revision
//              | CHECKPOINT_DIFFERS  | window-hash serves other bytes than the
//              |                     | ledger holds; names the first member
//              | NOT_ON_LEDGER       | said to be anchored, but is not there
//              | SPLIT_VIEW          | another node of the chain shows another
//              |                     | block in its place, or other items in it
// COMPLETENESS | PAYLOAD_MISSING     | window-hash has no records for it
//              | RECORD_COUNT        | more or fewer records than anchored
//              | RECORD_ALTERED      | a record's bytes are others
//              | RECORD_REMOVED      | a record of the window is not served
//              | RECORD_ADDED        | a served record is not in the window
//              | RECORD_MOVED        | a record stands in another's place
//              | LEAF_HASH_ALTERED   | only the stored leaf hash is wrong
//              | ROOT_MISMATCH       | something differs; nothing names what
//              | RECORDS_CHANGED     | they differed, and were others when they
//              |                     | were read again to be named
//              | OFFSET_ALTERED      | a record's offset is another
//              | POSITIONS_MISMATCH  | some offset differs; nothing names which
//              | OFFSETS_MISMATCH    | lowest or highest offset differ
//              | LOG_DIFFERS         | the record log itself gives other
//              |                     | records
// CANONICAL    | NOT_CANONICAL       | canonicalisation gives other bytes
//              | OUTSIDE_WINDOW      | a record's time is not in the window
//              | OUT_OF_ORDER        | a record's time does not rise
//              | WINDOW_BOUNDS       | the window is none of the pipeline's
// ANALYTICS    | AGGREGATE_MISMATCH  | count, min, max or avg differ
//              | AGGREGATE_MISSING   | an aggregate is not in the checkpoint
//              | AGGREGATE_UNKNOWN   | the checkpoint aggregates what it must
//              |                     | not
// CHAIN        | SEQ_GAP             | a checkpoint of the chain is not there
//              | SEQ_FORK            | two checkpoints have one seq
//              | PREV_MISMATCH       | prev is not the hash of the one before
//              | REVISION_GAP        | a revision of the window is not there
//              | SUPERSEDES_MISMATCH | supersedes is not the revision before
//              | SOURCE_CHANGED      | another source than its neighbour's
//              | SPEC_CHANGED        | other rules than its neighbour's
//              | CLOSING_ORDER       | closings do not rise in window start
//              | CLOSED_EARLY        | the watermark does not close the window
//              | WATERMARK_BACK      | the watermark fell
//              | MOMENT_DIFFERS      | an empty scan, but another writing
//              |                     | moment
// ACCOUNTING   | SCAN_SUM            | the counts do not sum to end - begin
//              | SCAN_TOUCH          | the scan does not begin where the one
//              |                     | before it ended
//              | ORIGIN_MISMATCH     | the first scan begins elsewhere than the
//              |                     | partition's
//              | SCAN_RANGE          | an offset lies where it cannot
//              | DROPPED_COUNT       | other numbers of dropped by reason
//              | DROPPED_OFFSET      | outside the scan, or not rising
//              | DROPPED_ALTERED     | a dropped record is not its record hash
//              | DROPPED_REASON      | cannot be true of the record
//              | DROPPED_ROOT        | the list does not lead to dropped_root
// SIGNATURE    | SIGNATURE_MISSING   | no signature is served
//              | SIGNER_UNTRUSTED    | signed by a key that is not trusted
//              | SIGNATURE_INVALID   | not the key's signature of these bytes
// REPLAY       | REPLAY_DIFFERS      | the log gives another checkpoint; names
//              |                     | the first member
//              | REPLAY_MISSING      | the log does not give the checkpoint
//              | REPLAY_EXTRA        | the log gives one that the ledger lacks
//              | LOG_RECORD_ALTERED  | the log's record is not the anchored one
//              | LOG_RECORD_REMOVED  | the log lacks a record that was anchored
//              | LOG_RECORD_ADDED    | the log gives one that was not anchored
//              | LOG_TRUNCATED       | the log ends before the anchored records
//              | LOG_DAMAGED         | the log's own bytes are damaged
// any          | MORE_FINDINGS       | `found` findings more, of the same check
// clang-format on
//
// Pure.
#ifndef WINDPROOF_SERVICES_VERIFIER_FINDING_H_
#define WINDPROOF_SERVICES_VERIFIER_FINDING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace windproof {

struct Finding {
  std::string code;
  std::optional<int64_t> record;  // index in leaf order, from 0
  std::optional<int64_t> offset;  // in the source partition
  std::string expected;
  std::string found;
  std::string message;
};

// One of the window as a whole.
Finding MakeFinding(absl::string_view code, std::string expected,
                    std::string found, std::string message);

enum class CheckName {
  kAnchor,
  kCompleteness,
  kCanonical,
  kAnalytics,
  kChain,
  kAccounting,
  kSignature,
  kReplay
};
inline constexpr size_t kCheckCount = 8;

enum class CheckResult { kPass, kFail, kSkipped };

enum class Verdict { kVerified, kEmpty, kFailed, kIncomplete, kUnsupported };

// As in the protocol: "ANCHOR", "PASS", "VERIFIED".
absl::string_view NameOf(CheckName name);
absl::string_view NameOf(CheckResult result);
absl::string_view NameOf(Verdict verdict);

// What one check came to.
struct CheckOutcome {
  CheckResult result = CheckResult::kSkipped;
  std::string reason = "did not run";  // SKIPPED: why; FAIL: what did not run
  std::vector<Finding> findings;       // FAIL: at least one

  static CheckOutcome Skipped(std::string reason);
  // PASS if `findings` is empty, else FAIL. Of very many the first are kept,
  // and one more says how many there are (MORE_FINDINGS).
  static CheckOutcome Of(std::vector<Finding> findings);

  bool passed() const { return result == CheckResult::kPass; }
  bool failed() const { return result == CheckResult::kFail; }

  // Becomes the outcome of both: FAIL if either is, else SKIPPED if either is.
  void Add(const CheckOutcome& other);
};

inline constexpr size_t kMaxFindings = 100;

// One outcome a check; of checks that do not apply (EMPTY has no records) none.
class CheckTable {
 public:
  CheckOutcome& operator[](CheckName name) {
    present_[static_cast<size_t>(name)] = true;
    return outcomes_[static_cast<size_t>(name)];
  }
  // nullptr where the check does not apply.
  const CheckOutcome* Find(CheckName name) const {
    const size_t index = static_cast<size_t>(name);
    return present_[index] ? &outcomes_[index] : nullptr;
  }

  // `if_all_pass` when there is a check and all that apply passed. Otherwise
  // FAILED, UNSUPPORTED (`unsupported`), INCOMPLETE, the first that is true.
  Verdict Decide(Verdict if_all_pass, bool unsupported) const;

 private:
  std::array<CheckOutcome, kCheckCount> outcomes_;
  std::array<bool, kCheckCount> present_{};
};

// `bytes` as text that can be shown and sent: what is no UTF-8 or is a control
// character is escaped, what is very long is cut.
std::string Shown(absl::string_view bytes);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_FINDING_H_
