// COMPLETENESS: are these the records that the anchored checkpoint covers?
//
// Source: docs/formats/ ("Trees and hashes"). The stored leaf hashes are first
// led to the root; where they lead there, they name the record that was
// altered. Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_VERIFIER_COMPLETENESS_CHECK_H_
#define WINDPROOF_SERVICES_VERIFIER_COMPLETENESS_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
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
