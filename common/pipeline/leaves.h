// What a checkpoint says of its records: root, positions, offsets; and the root
// over the records that were dropped.
//
// Source: docs/formats/ ("Trees and hashes"). Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_PIPELINE_LEAVES_H_
#define WINDPROOF_COMMON_PIPELINE_LEAVES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/window_records.h"

namespace windproof {

struct LeafSummary {
  Digest root{};
  Digest positions_sha256{};
  int64_t lowest_offset = 0;
  int64_t highest_offset = 0;
};

// Fills in each record's leaf hash and sums up. `records` are in leaf order,
// at least one.
LeafSummary HashLeaves(WindowRecords* records);

// SHA-256 of the RFC 8785 array of the offsets as strings.
Digest PositionsHash(absl::Span<const int64_t> offsets);

// Leaf hash of one dropped record.
Digest DroppedLeaf(int64_t offset, DropReason reason,
                   const Digest& record_hash);

// RFC 6962 root over dropped records, which are in order of offset.
Digest DroppedRoot(absl::Span<const PendingDrop> drops);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_LEAVES_H_
