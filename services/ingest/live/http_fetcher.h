// Conditional GETs of one file after the other.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_HTTP_FETCHER_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_HTTP_FETCHER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "services/ingest/live/live_error.h"

namespace windproof {

struct HttpRequest {
  std::string url;
  // What the server said of the copy that we have; empty: nothing.
  std::string etag;           // sent as If-None-Match
  std::string last_modified;  // sent as If-Modified-Since
};

struct HttpReply {
  // kNone: status is 200, with a body, or 304, without.
  LiveError error = LiveError::kNone;
  std::string message;  // why, for people; empty with kNone
  int status = 0;       // 0: there was no answer
  std::string body;
  std::string etag;
  std::string last_modified;
  std::optional<int64_t> date_ms;  // Date, milliseconds since the epoch
  int64_t retry_after_ms = 0;      // 0: the server did not say
};

class HttpFetcher {
 public:
  virtual ~HttpFetcher() = default;

  // By one thread at a time.
  virtual HttpReply Get(const HttpRequest& request) = 0;

  // From any thread: makes a Get() that is on return at once with kCancelled,
  // and every later one.
  virtual void Cancel() = 0;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_HTTP_FETCHER_H_
