// COMPLETENESS: are these the records that the anchored checkpoint covers?
//
// Source: docs/formats/ ("Trees and hashes"). The stored leaf hashes are first
// led to the root; where they lead there, they name the record that was
// altered. Pure; functions are safe from any thread, a CompletenessSums belongs
// to one.
#ifndef WINDPROOF_SERVICES_VERIFIER_COMPLETENESS_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_COMPLETENESS_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/checkpoint.h"
#include "common/pipeline/spec.h"
#include "common/pipeline/window_records.h"
#include "services/verifier/finding.h"

namespace windproof {

// A record as window-hash serves it; nothing about it is believed. The views
// point into the reply.
struct ServedRecord {
  int64_t offset = 0;
  absl::string_view canonical;
  absl::string_view leaf_hash;  // 32 bytes, if it is one
};

// SHA-256 over the RFC 8785 array of offsets as strings, fed one by one.
class PositionsHasher {
 public:
  void Add(int64_t offset);
  Digest Finish();

 private:
  bool first_ = true;
  std::string buffer_;
  Sha256 sha256_;
};

// What COMPLETENESS compares, summed up while the records come in: whether they
// are the right ones is known in one pass, and only where they are not they are
// looked at again.
class CompletenessSums {
 public:
  // The next records, in the order served.
  void Add(absl::Span<const ServedRecord> records);

  // Whether CheckCompleteness() passes with all the records. Once.
  bool Match(const Checkpoint& anchored);

 private:
  uint64_t count_ = 0;
  bool stored_leaves_match_ = true;
  StreamingRoot root_;  // over the bytes
  PositionsHasher positions_;
  int64_t lowest_ = 0;
  int64_t highest_ = 0;
};

// Compares the records of one revision with its anchored checkpoint. `spec`,
// where it is known, helps to name records that changed places; may be null.
CheckOutcome CheckCompleteness(const Checkpoint& anchored,
                               absl::Span<const ServedRecord> records,
                               const PipelineSpec* spec);

// Whether records that were computed anew from the log are those of the
// checkpoint: root, count and positions.
bool AreTheRecords(const Checkpoint& anchored, const WindowRecords& records);

// Names every difference between the true records of a window and those served:
// altered, removed, added, moved, and altered offsets or leaf hashes.
std::vector<Finding> DiffRecords(const WindowRecords& truth,
                                 absl::Span<const ServedRecord> served);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_COMPLETENESS_CHECK_H_
