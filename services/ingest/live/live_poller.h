// Follows one station on a DWD server: asks for its files when they are due,
// sends what is new in them, remembers what was sent, and moves the station's
// watermark on when it is silent.
//
// Each file is asked for on its own, with its own wait after errors. `recent`
// comes before `now`, and rows of `now` wait while `recent` cannot be had and
// older rows could be missing: sent the other way round these would be late.
// Knows no thread, socket or clock but those handed in.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_POLLER_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_POLLER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/sync/mutex.h"
#include "services/ingest/dwd/dwd_layout.h"
#include "services/ingest/live/http_fetcher.h"
#include "services/ingest/live/live_backoff.h"
#include "services/ingest/live/live_error.h"
#include "services/ingest/live/live_product.h"
#include "services/ingest/live/live_rows.h"
#include "services/ingest/live/live_sink.h"
#include "services/ingest/live/live_store.h"
#include "services/ingest/live/live_watermark.h"

namespace windproof {

// Of one file, since the start.
struct LiveFileStatus {
  LiveFileKind kind = LiveFileKind::kNow;
  int64_t last_success_ms = 0;  // since the epoch; 0: none yet
  int64_t answers = 0;          // 200, taken whole
  int64_t unchanged = 0;        // 304
  std::array<int64_t, kLiveErrors> errors = {};
  int failures = 0;        // in a row
  int64_t backoff_ms = 0;  // the wait after the last of them; 0 without
};

// Of one station; counts since the start.
struct LiveStatus {
  std::string station;
  std::optional<int64_t> last_row_s;  // highest time ever sent
  int64_t rows_sent = 0;              // changed ones included
  int64_t rows_changed = 0;
  int64_t rows_refused = 0;   // by the pipelines
  int64_t rows_rejected = 0;  // could not be read
  int64_t watermarks = 0;     // control records written
  std::vector<LiveFileStatus> files;
};

class LivePoller {
 public:
  struct Options {
    std::string station;  // five digits
    DwdCadence cadence = DwdCadence::kTenMinutes;
    std::vector<LiveFile> files;   // in order of time
    std::vector<LiveRules> rules;  // of the pipelines that read the station
    int64_t poll_ms = 300'000;
    std::optional<int64_t> silent_after_ms;  // nothing: no watermarks
    LiveBackoff::Options backoff;
    // Beyond this many rows the oldest are settled; 500 days have 72,000.
    int64_t rows_known_max = 100'000;
    size_t batch_rows = 500;
  };

  // All must outlive the poller.
  struct Parts {
    HttpFetcher& fetcher;
    LiveSink& sink;
    LiveStore& store;
    std::function<int64_t()> now_ms;     // since the epoch
    std::function<int64_t()> steady_ms;  // never goes back
    std::function<double()> random;      // [0, 1)
  };

  LivePoller(Options options, Parts parts);

  // Reads where the station stands. Once, before Step(). Errors as LiveStore's.
  absl::Status Open();

  // Does what is due. The steady time at which to call it again. One thread.
  int64_t Step() ABSL_LOCKS_EXCLUDED(mutex_);

  // From any thread: makes a Step() that is on return at once, without what it
  // has not begun.
  void Stop();

  // From any thread.
  LiveStatus status() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct File {
    File(const LiveFile& file, const LiveBackoff::Options& options)
        : file(file), backoff(options) {}

    const LiveFile file;
    LiveBackoff backoff;
    LiveValidators validators;
    int64_t due_ms = 0;  // steady
    bool good = false;   // the last answer was one
    LiveError last_error = LiveError::kNone;
    // When what it says was so; nothing before the first answer.
    std::optional<int64_t> checked_ms;
    std::optional<int64_t> not_found_since_ms;
  };
  struct Outcome {
    LiveError error = LiveError::kNone;
    std::string message;
  };

  void Poll(size_t index) ABSL_LOCKS_EXCLUDED(mutex_);
  Outcome Take(size_t index, HttpReply reply) ABSL_LOCKS_EXCLUDED(mutex_);
  Outcome Send(const LivePlan& plan, absl::string_view kind)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Outcome Finish(File& file, const LivePlan& plan, const HttpReply& reply);
  bool WouldOvertake(const File& file, const LivePlan& plan) const;
  void Succeeded(size_t index, int64_t checked_ms, bool unchanged)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Failed(size_t index, const Outcome& outcome, int64_t retry_after_ms)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void NotFound(File& file, int64_t checked_ms);
  void StateWatermark() ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  const Parts parts_;
  const std::string topic_;
  std::vector<File> files_;
  LiveStationState state_;
  std::atomic<bool> stopping_ = false;
  mutable Mutex mutex_;
  LiveStatus status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_POLLER_H_
