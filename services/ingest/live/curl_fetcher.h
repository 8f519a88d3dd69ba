// HttpFetcher with libcurl: http and https, connections kept.
//
// Source: RFC 9110 (conditional requests, section 13; Retry-After, 10.2.3).
// Certificates and host names are checked always. A redirect from https leads
// to https only. The proxy variables of the environment count, as for curl.
#ifndef WINDPROOF_SERVICES_INGEST_LIVE_CURL_FETCHER_H_
#define WINDPROOF_SERVICES_INGEST_LIVE_CURL_FETCHER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/ingest/live/http_fetcher.h"

namespace windproof {

class CurlFetcher final : public HttpFetcher {
 public:
  static constexpr int kRedirectsMax = 5;

  struct Options {
    int64_t connect_timeout_ms = 10'000;
    int64_t timeout_ms = 60'000;  // of the whole call, redirects included
    int64_t body_bytes_max = 64 << 20;
    std::string ca_path;  // PEM, in the place of the system's; may be empty
    std::string user_agent = "windproof";
  };

  // Unavailable: libcurl cannot begin.
  static absl::StatusOr<std::unique_ptr<CurlFetcher>> Open(
      const Options& options);
  ~CurlFetcher() override;

  HttpReply Get(const HttpRequest& request) override;
  void Cancel() override;

 private:
  struct Impl;
  explicit CurlFetcher(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_LIVE_CURL_FETCHER_H_
