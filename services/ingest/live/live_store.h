// Where the live source stands: what was sent of each station, and what the
// server said of the copies that were read.
//
//   format                        the layout below
//   station/00433                 last row and when it came, floor, rows known,
//                                 last watermark and whether rows came since
//   row/00433 TIME (8 bytes)      kind (1 byte), hash (16)
//   url/URL                       ETag, line end, Last-Modified
// TIME is big-endian with its sign bit turned over, so keys are in order of
// time. Everything in it is written after the record log has acknowledged what
// it speaks of: a crash in between sends again, and loses nothing.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_STORE_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_STORE_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ingest/live/live_rows.h"

namespace windproof {

struct LiveStationState {
  static constexpr int64_t kNoFloor = std::numeric_limits<int64_t>::min();

  std::optional<int64_t> last_row_s;  // the highest time that was sent
  int64_t last_seen_ms = 0;           // when that row came, by our clock
  int64_t floor_s = kNoFloor;         // rows before it are settled
  int64_t rows_known = 0;             // rows in the store
  std::optional<int64_t> stated_ms;   // the last watermark written
  bool sent_since_stated = false;

  friend bool operator==(const LiveStationState&,
                         const LiveStationState&) = default;
};

struct LiveValidators {
  std::string etag;
  std::string last_modified;

  friend bool operator==(const LiveValidators&,
                         const LiveValidators&) = default;
};

// One step, all or nothing.
struct LiveCommit {
  std::string station;
  LiveStationState state;
  std::vector<LiveKnownRow> rows;  // put, in the place of what was there
  std::vector<int64_t> forgotten;  // times of rows that go
  std::optional<std::pair<std::string, LiveValidators>> url;
};

// Thread-safe; a station belongs to one thread.
class LiveStore {
 public:
  virtual ~LiveStore() = default;

  // An empty one where nothing is known.
  virtual absl::StatusOr<LiveStationState> State(
      const std::string& station) = 0;

  // The rows known with first_s <= time <= last_s, at most `rows_max`, in order
  // of time.
  virtual absl::StatusOr<std::vector<LiveKnownRow>> Rows(
      const std::string& station, int64_t first_s, int64_t last_s,
      size_t rows_max) = 0;

  virtual absl::StatusOr<LiveValidators> Validators(const std::string& url) = 0;

  // Durable when it returns.
  virtual absl::Status Commit(const LiveCommit& commit) = 0;
};

// FailedPrecondition: it is open elsewhere, or has another format. DataLoss:
// it is damaged. Unavailable, ResourceExhausted: the disk.
absl::StatusOr<std::unique_ptr<LiveStore>> OpenLiveStore(
    const std::string& path);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_STORE_H_
