// A small HTTP server for what machines poll: /metrics, /healthz (the process
// is there), /readyz (it is ready). GET and HEAD; any other path is 404.
//
// Thread-safe.
#ifndef WINDPROOF_COMMON_SERVER_HTTP_SERVER_H_
#define WINDPROOF_COMMON_SERVER_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace windproof {

class HttpServer {
 public:
  struct Options {
    std::string listen;                    // HOST:PORT, port 0 for a free one
    std::function<std::string()> metrics;  // the page; from any thread
    std::function<absl::Status()> ready;   // from any thread
  };

  // InvalidArgument: no HOST:PORT; Unavailable: nobody can listen there.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options);

  // Stops listening and waits for what is being answered.
  ~HttpServer();

  // HOST:PORT with the port that it got.
  const std::string& address() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_HTTP_SERVER_H_
