#include "services/ingest/live/curl_fetcher.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace windproof {
namespace {

// Longer ones are no validators that anybody means.
constexpr size_t kValidatorBytesMax = 1'024;
// A Cancel() wakes it up at once.
constexpr int kPollMs = 1'000;

struct EndEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct EndMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, EndList>;

void Append(List* list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list->get(), line.c_str());
  if (longer == nullptr) return;
  static_cast<void>(list->release());
  list->reset(longer);
}

// A body as it comes in.
struct Body {
  std::string bytes;
  size_t bytes_max = 0;
  bool too_large = false;
};

size_t TakeBody(char* data, size_t size, size_t count, void* context) {
  Body* const body = static_cast<Body*>(context);
  const size_t bytes = size * count;
  if (bytes > body->bytes_max - body->bytes.size()) {
    body->too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body->bytes.append(data, bytes);
  return bytes;
}

// Of the last answer, after redirects. Empty where there is none, or one that
// cannot be sent back.
std::string Header(CURL* easy, const char* name) {
  curl_header* header = nullptr;
  if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
    return "";
  }
  std::string value = header->value;
  const bool usable = value.size() <= kValidatorBytesMax &&
                      std::all_of(value.begin(), value.end(), [](char c) {
                        return c >= ' ' && c != '\x7f';
                      });
  return usable ? value : "";
}

LiveError KindOf(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return LiveError::kTimeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return LiveError::kTls;
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return LiveError::kRedirect;
    case CURLE_FILESIZE_EXCEEDED:
      return LiveError::kTooLarge;
    default:
      return LiveError::kConnect;
  }
}

HttpReply Failed(LiveError error, std::string message) {
  HttpReply reply;
  reply.error = error;
  reply.message = std::move(message);
  return reply;
}

}  // namespace

struct CurlFetcher::Impl {
  Options options;
  std::unique_ptr<CURLM, EndMulti> multi;
  std::unique_ptr<CURL, EndEasy> easy;  // goes before multi
  std::atomic<bool> cancelled = false;

  // Runs what `easy` is set to. Nothing when it was cancelled.
  std::optional<CURLcode> Perform();
};

absl::StatusOr<std::unique_ptr<CurlFetcher>> CurlFetcher::Open(
    const Options& options) {
  // Once for the process, from whichever thread is the first.
  static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  if (begun == CURLE_OK) {
    impl->multi.reset(curl_multi_init());
    impl->easy.reset(curl_easy_init());
  }
  if (impl->multi == nullptr || impl->easy == nullptr) {
    return absl::UnavailableError("libcurl cannot begin");
  }
  return std::unique_ptr<CurlFetcher>(new CurlFetcher(std::move(impl)));
}

CurlFetcher::CurlFetcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CurlFetcher::~CurlFetcher() = default;

void CurlFetcher::Cancel() {
  impl_->cancelled = true;
  curl_multi_wakeup(impl_->multi.get());
}

std::optional<CURLcode> CurlFetcher::Impl::Perform() {
  CURLM* const transfers = multi.get();
  if (curl_multi_add_handle(transfers, easy.get()) != CURLM_OK) {
    return CURLE_FAILED_INIT;
  }
  std::optional<CURLcode> result;
  int running = 1;
  while (running > 0 && !cancelled) {
    if (curl_multi_perform(transfers, &running) != CURLM_OK ||
        (running > 0 && curl_multi_poll(transfers, nullptr, 0, kPollMs,
                                        nullptr) != CURLM_OK)) {
      result = CURLE_FAILED_INIT;
      break;
    }
  }
  int left = 0;
  while (const CURLMsg* const message =
             curl_multi_info_read(transfers, &left)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  curl_multi_remove_handle(transfers, easy.get());
  if (cancelled) return std::nullopt;
  return result.value_or(CURLE_FAILED_INIT);
}

HttpReply CurlFetcher::Get(const HttpRequest& request) {
  const Options& options = impl_->options;
  CURL* const easy = impl_->easy.get();
  if (impl_->cancelled) return Failed(LiveError::kCancelled, "cancelled");

  curl_easy_reset(easy);  // connections stay
  char why[CURL_ERROR_SIZE] = "";
  Body body;
  body.bytes_max = static_cast<size_t>(options.body_bytes_max);
  List headers;
  if (!request.etag.empty()) {
    Append(&headers, absl::StrCat("If-None-Match: ", request.etag));
  }
  if (!request.last_modified.empty()) {
    Append(&headers,
           absl::StrCat("If-Modified-Since: ", request.last_modified));
  }
  const bool is_https = absl::StartsWithIgnoreCase(request.url, "https:");
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR,
                   is_https ? "https" : "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, static_cast<long>(kRedirectsMax));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(options.timeout_ms));
  curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                   static_cast<curl_off_t>(options.body_bytes_max));
  if (!options.ca_path.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_path.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // A name that is being looked up does not hold up a Cancel().
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);

  const std::optional<CURLcode> done = impl_->Perform();
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  if (!done.has_value()) return Failed(LiveError::kCancelled, "cancelled");
  if (*done != CURLE_OK) {
    if (body.too_large || *done == CURLE_FILESIZE_EXCEEDED) {
      return Failed(
          LiveError::kTooLarge,
          absl::StrCat("the body has more than ", options.body_bytes_max,
                       " bytes, which are accepted"));
    }
    return Failed(KindOf(*done),
                  why[0] == '\0' ? curl_easy_strerror(*done) : why);
  }

  HttpReply reply;
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  const std::string date = Header(easy, "Date");
  if (!date.empty()) {
    const time_t seconds = curl_getdate(date.c_str(), nullptr);
    if (seconds >= 0) reply.date_ms = int64_t{seconds} * 1'000;
  }
  if (status == 304 && (headers != nullptr)) return reply;
  if (status == 200) {
    reply.body = std::move(body.bytes);
    reply.etag = Header(easy, "ETag");
    reply.last_modified = Header(easy, "Last-Modified");
    return reply;
  }
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  reply.retry_after_ms =
      std::clamp<int64_t>(retry_after, 0, INT64_MAX / 1'000) * 1'000;
  reply.error =
      status == 404 || status == 410 ? LiveError::kNotFound : LiveError::kHttp;
  reply.message =
      absl::StrCat("the server answers ", status, "; 200 and 304 are accepted");
  return reply;
}

}  // namespace windproof
