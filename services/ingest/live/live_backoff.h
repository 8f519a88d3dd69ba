// How long to wait after an error: exponentially longer, with jitter, so that
// many who failed together do not come back together.
//
// Pure: the randomness is handed in. Thread-compatible.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_LIVE_BACKOFF_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_LIVE_BACKOFF_H_

#include <cstdint>

namespace windproof {

class LiveBackoff {
 public:
  // A server may ask for a longer wait than `max_ms`; up to this it gets it.
  static constexpr int64_t kRetryAfterMaxMs = 3'600'000;

  struct Options {
    int64_t first_ms = 5'000;  // after the first error in a row, >= 1
    int64_t max_ms = 900'000;  // >= first_ms
  };

  explicit LiveBackoff(const Options& options) : options_(options) {}

  // One more error: how long to wait, in milliseconds. Between half and all of
  // first_ms * 2^(failures - 1), at most max_ms, as `jitter` in [0, 1) says;
  // but no less than `retry_after_ms`, what the server asked for (0: nothing).
  int64_t Failed(double jitter, int64_t retry_after_ms);

  void Succeeded() { failures_ = 0; }

  // Errors in a row, until now.
  int failures() const { return failures_; }

 private:
  const Options options_;
  int failures_ = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_LIVE_BACKOFF_H_
