// Which rows of a file are to be sent: those not yet sent, and those whose
// values are no longer what was sent.
//
// A changed row is another record of the same identity; the log gets it as
// well, and window-hash counts it as late or a conflict, or amends the window.
// Pure; safe from any thread.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_ROWS_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "services/ingest/dwd/dwd_station.h"
#include "services/ingest/live/live_product.h"

namespace windproof {

// The first 16 bytes of the SHA-256 of a row's record.
using LiveRowHash = std::array<uint8_t, 16>;

// What was sent last for a time.
struct LiveKnownRow {
  int64_t time_s = 0;  // UTC, seconds since the epoch
  LiveFileKind kind = LiveFileKind::kNow;
  LiveRowHash hash = {};

  friend bool operator==(const LiveKnownRow&, const LiveKnownRow&) = default;
};

struct LiveRowToSend {
  std::string record;    // the JSON object
  LiveKnownRow known;    // what is known once it is sent
  bool changed = false;  // another was sent for this time before
};

struct LivePlan {
  std::vector<LiveRowToSend> send;  // in order of time
  // Sent before from `now` with the same values: `recent` confirms them.
  std::vector<LiveKnownRow> confirmed;
  int64_t unchanged = 0;  // confirmed ones included
  int64_t outranked = 0;  // in `now`, and `recent` says something else
  int64_t settled = 0;    // older than what is still compared
  int64_t future = 0;     // later than `now_s`: held back
};

// `station` is the file's content, sorted. `known` are the rows sent before in
// order of time, at least those between the station's first and last row.
// Rows before `floor_s` are settled: nothing is known of them any more, and
// nothing is sent.
//
// A time that is in the file more than once counts as its last row there. What
// `recent` said is not taken back by `now`: it is checked, and both are served
// side by side, so each would contradict the other for ever.
LivePlan PlanLiveRows(const DwdStation& station, LiveFileKind kind,
                      const std::vector<LiveKnownRow>& known, int64_t floor_s,
                      int64_t now_s);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_ROWS_H_
