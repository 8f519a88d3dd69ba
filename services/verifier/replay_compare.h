// REPLAY: what the log gives for a checkpoint against what is anchored.
//
// In a finding `expected` is what is anchored, `found` what the log gives.
// The ledger holds hashes of records and offsets, not the records: it proves
// that something differs and, by the hash over the positions, often which
// offset; the records themselves come from whoever keeps them, and are used
// only where they lead to the anchored root. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_REPLAY_COMPARE_H_
#define WINDPROOF_SERVICES_VERIFIER_REPLAY_COMPARE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/window_records.h"
#include "services/verifier/finding.h"

namespace windproof {

// What the log gave for one checkpoint.
struct Replayed {
  Checkpoint checkpoint;
  Digest hash{};  // SHA-256 of its bytes
  WindowRecords records;
  std::vector<PendingDrop> drops;  // of its scan, by offset
};

// Whether the bytes are the anchored ones, but for what an earlier difference
// alone has made of them: `prev`, `seq` and `supersedes`, which are set to
// those given. `supersedes` is left alone where nothing is given.
bool SameButForLinks(Checkpoint replayed, const Digest& anchored_hash,
                     int64_t seq, const Digest& prev,
                     const std::optional<Digest>& supersedes);

// REPLAY_DIFFERS: names the first member that differs, the telling ones first,
// and lists the others. The checkpoints must differ.
Finding ReplayDifference(const Checkpoint& anchored,
                         const Checkpoint& replayed);

// A window and revision for people.
std::string RevisionText(const Checkpoint& checkpoint);

// The records of the log that are not those that were anchored, each with its
// offset: LOG_RECORD_ALTERED, LOG_RECORD_REMOVED, LOG_RECORD_ADDED.
// `anchored` must be the anchored ones (AreTheRecords).
std::vector<Finding> DiffLogRecords(const WindowRecords& anchored,
                                    const WindowRecords& replayed);

// The same for the dropped records of a scan. `anchored` must lead to the
// anchored dropped_root.
std::vector<Finding> DiffLogDrops(absl::Span<const PendingDrop> anchored,
                                  absl::Span<const PendingDrop> replayed);

// What the hash over the positions proves of a window of which a single record
// is another: its offset, and its place in leaf order. Both alike: the record
// stands in another place, so its time is another.
struct PositionEdit {
  std::optional<int64_t> removed;  // anchored, and not in the log's window
  std::optional<int64_t> added;    // in the log's window, not anchored
  size_t record = 0;               // in leaf order, as anchored if it was
};

// `candidates`: offsets that could be the anchored one. Nothing where no single
// record explains the difference, or there is too much to try.
std::optional<PositionEdit> FindPositionEdit(
    const Checkpoint& anchored, const WindowRecords& replayed,
    absl::Span<const int64_t> candidates);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_REPLAY_COMPARE_H_
