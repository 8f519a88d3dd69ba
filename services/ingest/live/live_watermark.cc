#include "services/ingest/live/live_watermark.h"

#include <algorithm>

namespace windproof {
namespace {

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// How many windows, counted from the epoch, a watermark has closed.
int64_t ClosedWindows(int64_t watermark_ms, const LiveRules& rules) {
  return FloorDiv(watermark_ms - rules.grace_ms, rules.window_ms);
}

}  // namespace

std::optional<int64_t> WatermarkDue(const LiveSilence& silence,
                                    int64_t silent_after_ms,
                                    absl::Span<const LiveRules> rules) {
  const int64_t watermark_ms =
      FloorDiv(silence.checked_ms - silent_after_ms, 1'000) * 1'000;
  if (watermark_ms <= silence.last_row_ms ||
      silence.checked_ms - silence.last_seen_ms < silent_after_ms) {
    return std::nullopt;
  }
  if (!silence.stated_ms.has_value() ||
      *silence.stated_ms <= silence.last_row_ms) {
    return watermark_ms;
  }
  // It never goes back, whatever the clocks say.
  const int64_t next_ms = std::max(watermark_ms, *silence.stated_ms);
  if (silence.sent_since_stated) return next_ms;
  for (const LiveRules& one : rules) {
    const int64_t last_window =
        FloorDiv(silence.last_row_ms, one.window_ms) + 1;
    const int64_t closed = ClosedWindows(*silence.stated_ms, one);
    if (closed < last_window && ClosedWindows(next_ms, one) > closed) {
      return next_ms;
    }
  }
  return std::nullopt;
}

int64_t CheckedAt(int64_t request_ms, std::optional<int64_t> date_ms) {
  return std::min(request_ms, date_ms.value_or(request_ms));
}

}  // namespace windproof
