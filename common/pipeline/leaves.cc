#include "common/pipeline/leaves.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/sha256.h"
#include "common/merkle/tree.h"
#include "common/pipeline/window_records.h"

namespace windproof {
namespace {

// `["0","3","2"]`, grown one offset at a time.
class PositionsText {
 public:
  explicit PositionsText(size_t offsets)
      : text_(kBrackets + kOffsetMax * offsets, '\0') {}

  void Add(int64_t offset) {
    text_[size_] = size_ == 0 ? '[' : ',';
    text_[size_ + 1] = '"';
    char* const end = text_.data() + text_.size();
    char* const after =
        std::to_chars(text_.data() + size_ + 2, end, offset).ptr;
    *after = '"';
    size_ = static_cast<size_t>(after - text_.data()) + 1;
  }

  Digest Hash() {
    if (size_ == 0) text_[size_++] = '[';
    text_[size_++] = ']';
    return Sha256Of(absl::string_view(text_).substr(0, size_));
  }

 private:
  static constexpr size_t kBrackets = 2;
  // A comma, quotes, and the longest number there is.
  static constexpr size_t kOffsetMax = 3 + 20;

  std::string text_;
  size_t size_ = 0;
};

}  // namespace

LeafSummary HashLeaves(WindowRecords* records) {
  LeafSummary summary;
  summary.lowest_offset = records->entries.front().offset;
  StreamingRoot root;
  PositionsText positions(records->entries.size());
  for (WindowRecords::Entry& entry : records->entries) {
    entry.leaf_hash = HashLeaf(records->Canonical(entry));
    root.Add(entry.leaf_hash);
    positions.Add(entry.offset);
    summary.lowest_offset = std::min(summary.lowest_offset, entry.offset);
    summary.highest_offset = std::max(summary.highest_offset, entry.offset);
  }
  summary.root = root.Root();
  summary.positions_sha256 = positions.Hash();
  return summary;
}

Digest PositionsHash(absl::Span<const int64_t> offsets) {
  PositionsText positions(offsets.size());
  for (const int64_t offset : offsets) positions.Add(offset);
  return positions.Hash();
}

Digest DroppedLeaf(int64_t offset, DropReason reason,
                   const Digest& record_hash) {
  return HashLeaf(absl::StrCat("{\"offset\":\"", offset, "\",\"reason\":\"",
                               DropReasonName(reason), "\",\"sha256\":\"",
                               HexOf(record_hash), "\"}"));
}

Digest DroppedRoot(absl::Span<const PendingDrop> drops) {
  StreamingRoot root;
  for (const PendingDrop& drop : drops) {
    root.Add(DroppedLeaf(drop.offset, drop.reason, drop.record_hash));
  }
  return root.Root();
}

}  // namespace windproof
