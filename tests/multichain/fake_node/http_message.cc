#include "tests/multichain/fake_node/http_message.h"

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace windproof::fake_node {
namespace {

absl::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Request Entity Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

}  // namespace

const std::string* HttpRequest::Find(absl::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return &value;
  }
  return nullptr;
}

bool HttpRequest::keep_alive() const {
  const std::string* connection = Find("connection");
  if (minor_version == 0) {
    return connection != nullptr &&
           absl::EqualsIgnoreCase(*connection, "keep-alive");
  }
  return connection == nullptr || !absl::EqualsIgnoreCase(*connection, "close");
}

std::string FormatResponse(const HttpRequest& request,
                           const HttpResponse& response) {
  std::string text =
      absl::StrCat("HTTP/1.", request.minor_version, " ", response.status, " ",
                   Reason(response.status), "\r\n");
  const std::string length = absl::StrCat(
      "Content-Length: ", response.body.size() + response.claim_more, "\r\n");
  const std::string date =
      request.minor_version == 0
          ? ""
          : absl::StrCat("Date: ",
                         absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT",
                                          absl::Now(), absl::UTCTimeZone()),
                         "\r\n");
  const std::string type =
      absl::StrCat("Content-Type: ", response.content_type, "\r\n");
  const absl::string_view connection =
      response.close || (request.minor_version == 1 && !request.keep_alive())
          ? "Connection: close\r\n"
      : request.minor_version == 0 && request.keep_alive()
          ? "Connection: keep-alive\r\n"
          : "";
  if (response.realm) {
    absl::StrAppend(&text, "WWW-Authenticate: Basic realm=\"jsonrpc\"\r\n");
  }
  if (response.json_ok) {
    absl::StrAppend(&text, length, type,
                    "Server: multichain-json-rpc/2.3.3\r\n", date, connection);
  } else if (absl::StrContains(response.content_type, "charset")) {
    absl::StrAppend(&text, connection, date, length, type);
  } else {
    absl::StrAppend(&text, type, connection, date, length);
  }
  absl::StrAppend(&text, "\r\n", response.body);
  return text;
}

HttpResponse HtmlError(int status, absl::string_view reason) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/html";
  response.body = absl::StrCat("<HTML><HEAD>\n<TITLE>", status, " ", reason,
                               "</TITLE>\n</HEAD><BODY>\n<H1>", reason,
                               "</H1>\n</BODY></HTML>\n");
  return response;
}

HttpResponse PlainReply(int status, absl::string_view body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/html; charset=ISO-8859-1";
  response.body = std::string(body);
  return response;
}

HttpResponse JsonReply(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.json_ok = status == 200;
  response.body = std::move(body);
  return response;
}

RequestReader::Progress RequestReader::Feed(absl::string_view bytes) {
  bytes_.append(bytes.data(), bytes.size());
  if (!in_body_) {
    const Progress head = ParseHead();
    if (head != Progress::kRequest) return head;
    const std::string* expect = request_.Find("expect");
    const Progress body = Body();
    if (body == Progress::kMore && expect != nullptr &&
        absl::EqualsIgnoreCase(*expect, "100-continue")) {
      return Progress::kContinue;
    }
    return body;
  }
  return Body();
}

RequestReader::Progress RequestReader::ParseHead() {
  const size_t end = bytes_.find("\r\n\r\n");
  if (end == std::string::npos) {
    return bytes_.size() >= kMaxHeaders ? Progress::kBad : Progress::kMore;
  }
  if (end + 4 >= kMaxHeaders) return Progress::kBad;
  request_ = HttpRequest();
  const std::vector<absl::string_view> lines =
      absl::StrSplit(absl::string_view(bytes_).substr(0, end), "\r\n");
  const std::vector<absl::string_view> start = absl::StrSplit(lines[0], ' ');
  if (start.size() != 3 || !absl::StartsWith(start[2], "HTTP/1.")) {
    return Progress::kBad;
  }
  request_.method = std::string(start[0]);
  request_.target = std::string(start[1]);
  request_.minor_version = start[2] == "HTTP/1.0" ? 0 : 1;
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    if (colon == absl::string_view::npos) return Progress::kBad;
    request_.headers.emplace_back(
        absl::AsciiStrToLower(lines[i].substr(0, colon)),
        std::string(absl::StripAsciiWhitespace(lines[i].substr(colon + 1))));
  }
  bytes_.erase(0, end + 4);
  length_ = 0;
  const std::string* encoding = request_.Find("transfer-encoding");
  chunked_ = encoding != nullptr && absl::StrContains(*encoding, "chunked");
  if (const std::string* length = request_.Find("content-length")) {
    uint64_t value;
    if (!absl::SimpleAtoi(*length, &value)) return Progress::kBad;
    if (value > kMaxBody) return Progress::kTooLarge;
    length_ = static_cast<size_t>(value);
  }
  in_body_ = true;
  return Progress::kRequest;
}

RequestReader::Progress RequestReader::Body() {
  if (chunked_) return ChunkedBody();
  if (bytes_.size() < length_) return Progress::kMore;
  request_.body = bytes_.substr(0, length_);
  bytes_.erase(0, length_);
  in_body_ = false;
  return Progress::kRequest;
}

RequestReader::Progress RequestReader::ChunkedBody() {
  while (true) {
    const size_t line_end = bytes_.find("\r\n");
    if (line_end == std::string::npos) return Progress::kMore;
    char* parsed_to = nullptr;
    const unsigned long size = std::strtoul(bytes_.c_str(), &parsed_to, 16);
    if (parsed_to == bytes_.c_str()) return Progress::kBad;
    if (size > kMaxBody || request_.body.size() + size > kMaxBody) {
      return Progress::kTooLarge;
    }
    if (bytes_.size() < line_end + 2 + size + 2) return Progress::kMore;
    request_.body.append(bytes_, line_end + 2, size);
    bytes_.erase(0, line_end + 2 + size + 2);
    if (size == 0) {
      in_body_ = false;
      return Progress::kRequest;
    }
  }
}

HttpRequest RequestReader::Take() { return std::move(request_); }

}  // namespace windproof::fake_node
