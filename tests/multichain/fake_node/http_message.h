// HTTP requests and responses, as far as the node understands them. Pure.
#ifndef WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_HTTP_MESSAGE_H_
#define WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_HTTP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace windproof::fake_node {

struct HttpRequest {
  std::string method;
  std::string target;
  int minor_version = 1;
  std::vector<std::pair<std::string, std::string>> headers;  // lower-case names
  std::string body;

  // Null if there is none.
  const std::string* Find(absl::string_view lower_case_name) const;
  bool keep_alive() const;
};

struct HttpResponse {
  int status = 200;
  // In this order; Date, Content-Length and Connection are put where the node
  // puts them.
  std::string content_type;
  bool json_ok = false;  // the order and the Server header of a 200
  bool realm = false;    // WWW-Authenticate
  std::string body;
  bool close = false;

  // Faults of the connection.
  bool drop = false;  // reset it instead of answering
  absl::string_view::size_type cut_at = absl::string_view::npos;
  int64_t over_millis = 0;  // sent in pieces, over that time
  size_t claim_more = 0;    // Content-Length is that much too large
};

std::string FormatResponse(const HttpRequest& request,
                           const HttpResponse& response);

// "<HTML>…" as the node's HTTP library says it.
HttpResponse HtmlError(int status, absl::string_view reason);
// An empty or plain body with the type that the library fills in.
HttpResponse PlainReply(int status, absl::string_view body);
HttpResponse JsonReply(int status, std::string body);

// Takes requests from the bytes that arrive on one connection.
class RequestReader {
 public:
  enum class Progress {
    kMore,      // bytes are missing
    kContinue,  // as kMore; the client waits for "100 Continue" first
    kRequest,   // request() is whole
    kBad,       // answer 400 and close
    kTooLarge,  // answer 413 and close
  };

  static constexpr size_t kMaxHeaders = 8192;  // and above is refused
  static constexpr size_t kMaxBody = 33'554'432;

  // May be called again with nothing, for what was pipelined.
  Progress Feed(absl::string_view bytes);
  // After kRequest: the request; the next Feed() begins another one.
  HttpRequest Take();
  // Whether bytes of a request are there.
  bool pending() const { return !bytes_.empty(); }

 private:
  Progress ParseHead();
  Progress Body();
  Progress ChunkedBody();

  std::string bytes_;
  HttpRequest request_;
  bool in_body_ = false;
  bool chunked_ = false;
  size_t length_ = 0;
};

}  // namespace windproof::fake_node

#endif  // WINDPROOF_TESTS_MULTICHAIN_FAKE_NODE_HTTP_MESSAGE_H_
