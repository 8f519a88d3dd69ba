// When a silent station's watermark is moved on, and to which time.
//
// A watermark says: this event time has passed, close what ends before it. A
// row that comes later and belongs before it is late. So it may name only a
// time before which every row that is on time has been seen. `silent_after` is
// what "on time" means: a row is on time if the server shows it no later than
// that after its own time. At the moment `checked` all files were looked at and
// all that they had was sent: a row that is on time and was not there is
// younger than checked - silent_after, and that is the watermark.
//
// Nothing is stated from our own clock alone: a server that cannot be reached,
// or answers from an old copy, does not make a station silent. Nor is a station
// silent while new rows come, however old they are: a server that catches up
// shows one after the other, and the next belongs right behind the last.
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_WATERMARK_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_WATERMARK_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"

namespace windproof {

// Of a pipeline that reads the station.
struct LiveRules {
  int64_t window_ms = 1;
  int64_t grace_ms = 0;
};

// All in milliseconds since the epoch.
struct LiveSilence {
  int64_t last_row_ms = 0;   // the highest time of a row that was sent
  int64_t last_seen_ms = 0;  // when that row came
  // The last watermark that was written, if any.
  std::optional<int64_t> stated_ms;
  bool sent_since_stated = false;  // any row, also an old one
  int64_t checked_ms = 0;
};

// The watermark to write now, a whole second; nothing where the station is not
// silent, or where it would change nothing: it is written when the station
// falls silent, when it takes another window to its close, and when rows were
// sent since the last one (corrections wait for one); not any more once every
// window of the station is closed.
std::optional<int64_t> WatermarkDue(const LiveSilence& silence,
                                    int64_t silent_after_ms,
                                    absl::Span<const LiveRules> rules);

// When the newest of the files' answers says how things were: of our clock
// before the request and the server's Date, if it gave one, the earlier. A copy
// in between carries the Date of the original.
int64_t CheckedAt(int64_t request_ms, std::optional<int64_t> date_ms);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_WATERMARK_H_
