#include "services/ingest/live/live_backoff.h"

#include <algorithm>

namespace windproof {

int64_t LiveBackoff::Failed(double jitter, int64_t retry_after_ms) {
  ++failures_;
  int64_t full_ms = std::min(options_.first_ms, options_.max_ms);
  for (int i = 1; i < failures_ && full_ms < options_.max_ms; ++i) {
    full_ms = full_ms > options_.max_ms / 2 ? options_.max_ms : full_ms * 2;
  }
  const int64_t half_ms = full_ms / 2;
  const int64_t wait_ms =
      half_ms + static_cast<int64_t>(static_cast<double>(full_ms - half_ms) *
                                     std::clamp(jitter, 0.0, 1.0));
  return std::max(wait_ms, std::min(retry_after_ms, kRetryAfterMaxMs));
}

}  // namespace windproof
