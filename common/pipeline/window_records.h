// The records of a window, and those that went into none, as values.
//
// Pure; thread-compatible.
#ifndef WINDPROOF_COMMON_PIPELINE_WINDOW_RECORDS_H_
#define WINDPROOF_COMMON_PIPELINE_WINDOW_RECORDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace windproof {

// Records of a window in leaf order, their bytes one after the other.
struct WindowRecords {
  struct Entry {
    int64_t offset = 0;
    uint32_t begin = 0;  // into bytes
    uint32_t size = 0;
    Digest leaf_hash{};  // SHA-256(0x00 || canonical)
  };

  absl::string_view Canonical(const Entry& entry) const {
    return absl::string_view(bytes).substr(entry.begin, entry.size);
  }

  std::vector<Entry> entries;
  std::string bytes;
};

enum class DropReason { kDuplicate, kConflict, kLate, kInvalid };

// "duplicate", "conflict", "late", "invalid".
inline absl::string_view DropReasonName(DropReason reason) {
  switch (reason) {
    case DropReason::kDuplicate:
      return "duplicate";
    case DropReason::kConflict:
      return "conflict";
    case DropReason::kLate:
      return "late";
    case DropReason::kInvalid:
      break;
  }
  return "invalid";
}

// A dropped record of a scan that runs, as it was stored.
struct PendingDrop {
  int64_t offset = 0;
  DropReason reason = DropReason::kInvalid;
  Digest record_hash{};
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_WINDOW_RECORDS_H_
