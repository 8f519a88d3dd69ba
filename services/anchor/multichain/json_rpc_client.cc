#include "services/anchor/multichain/json_rpc_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/sync/mutex.h"
#include "services/anchor/multichain/rpc_answer.h"

namespace windproof {
namespace {

using Code = absl::StatusCode;
using std::chrono::steady_clock;

struct EndEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EndEasy>;

struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, EndList>;

// One call as libcurl's callbacks see it.
struct Exchange {
  absl::string_view request;
  size_t sent = 0;
  std::string answer;
  size_t answer_max = 0;
  bool too_large = false;
  const std::atomic<bool>* cancelled = nullptr;
};

size_t GiveRequest(char* buffer, size_t size, size_t count, void* context) {
  Exchange* const exchange = static_cast<Exchange*>(context);
  const absl::string_view rest = exchange->request.substr(exchange->sent);
  const size_t bytes = std::min(size * count, rest.size());
  if (bytes > 0) memcpy(buffer, rest.data(), bytes);
  exchange->sent += bytes;
  return bytes;
}

// libcurl asks for this when it would send a request once more, over another
// connection. What became of the first it cannot know.
int RefuseRepetition(void*, curl_off_t, int) { return CURL_SEEKFUNC_FAIL; }

size_t TakeAnswer(char* data, size_t size, size_t count, void* context) {
  Exchange* const exchange = static_cast<Exchange*>(context);
  const size_t bytes = size * count;
  if (bytes > exchange->answer_max - exchange->answer.size()) {
    exchange->too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  exchange->answer.append(data, bytes);
  return bytes;
}

int CheckCancelled(void* context, curl_off_t, curl_off_t, curl_off_t,
                   curl_off_t) {
  const Exchange* const exchange = static_cast<const Exchange*>(context);
  return exchange->cancelled->load() ? 1 : 0;
}

// Whether the node cannot have seen the request: libcurl failed before it had a
// connection to send on.
bool FailedBeforeSending(CURLcode code, const Exchange& exchange) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return true;
    default:
      // libcurl asks for the body only where the header is on its way.
      return exchange.sent == 0;
  }
}

// Whether the cause is a setting, which no repetition mends.
bool IsTlsFailure(CURLcode code) {
  return code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CIPHER ||
         code == CURLE_PEER_FAILED_VERIFICATION ||
         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR;
}

}  // namespace

struct JsonRpcClient::Impl {
  Options options;
  List headers;
  std::atomic<bool> cancelled{false};
  std::atomic<int64_t> next_id{1};

  Mutex mutex;
  CondVar freed;
  // Connections that nobody uses, the last used at the back.
  std::vector<Easy> idle ABSL_GUARDED_BY(mutex);
  int in_use ABSL_GUARDED_BY(mutex) = 0;

  // A connection for one call; nothing by `deadline`.
  Easy Take(steady_clock::time_point deadline);
  void Return(Easy easy);
  // The milliseconds until `deadline`, at least 1: libcurl's 0 is no limit.
  static int64_t LeftMs(steady_clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - steady_clock::now());
    return std::max<int64_t>(1, left.count());
  }
  void Prepare(CURL* easy, Exchange* exchange, int64_t left_ms);
  RpcReply Failure(CURLcode code, const char* detail, const Exchange& exchange,
                   absl::string_view method) const;
};

Easy JsonRpcClient::Impl::Take(steady_clock::time_point deadline) {
  MutexLock lock(mutex);
  while (in_use >= options.in_flight_max) {
    if (cancelled || !freed.WaitUntil(mutex, deadline)) {
      if (in_use >= options.in_flight_max) return nullptr;
    }
  }
  Easy easy;
  if (idle.empty()) {
    easy.reset(curl_easy_init());
    if (easy == nullptr) return nullptr;
  } else {
    easy = std::move(idle.back());
    idle.pop_back();
  }
  ++in_use;
  return easy;
}

void JsonRpcClient::Impl::Return(Easy easy) {
  MutexLock lock(mutex);
  --in_use;
  idle.push_back(std::move(easy));
  freed.NotifyOne();
}

void JsonRpcClient::Impl::Prepare(CURL* easy, Exchange* exchange,
                                  int64_t left_ms) {
  // Forgets the options, keeps the connection.
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_URL, options.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  curl_easy_setopt(easy, CURLOPT_USERNAME, options.user.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, options.password.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left_ms));
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                   static_cast<long>(options.idle_max_s));
  curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_path.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_path.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!options.cert_path.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, options.cert_path.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, options.key_path.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(exchange->request.size()));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, GiveRequest);
  curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, RefuseRepetition);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, TakeAnswer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, CheckCancelled);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
}

RpcReply JsonRpcClient::Impl::Failure(CURLcode code, const char* detail,
                                      const Exchange& exchange,
                                      absl::string_view method) const {
  const std::string what =
      detail[0] != '\0' ? detail : curl_easy_strerror(code);
  if (FailedBeforeSending(code, exchange)) {
    return RpcFailure(
        IsTlsFailure(code) ? Code::kFailedPrecondition : Code::kUnavailable,
        RpcOutcome::kNotDone, method,
        absl::StrCat(options.url, " cannot be reached: ", what));
  }
  if (exchange.too_large) {
    return RpcFailure(
        Code::kResourceExhausted, RpcOutcome::kUnknown, method,
        absl::StrCat("the answer of ", options.url, " has more ", "than ",
                     options.answer_bytes_max, " bytes"));
  }
  const bool slow = code == CURLE_OPERATION_TIMEDOUT;
  return RpcFailure(
      slow ? Code::kDeadlineExceeded : Code::kUnavailable, RpcOutcome::kUnknown,
      method,
      absl::StrCat(options.url,
                   " got the request, but no whole answer came: ", what));
}

JsonRpcClient::JsonRpcClient(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

JsonRpcClient::~JsonRpcClient() = default;

absl::StatusOr<std::unique_ptr<JsonRpcClient>> JsonRpcClient::Open(
    Options options) {
  absl::string_view rest = options.url;
  const bool known = absl::ConsumePrefix(&rest, "http://") ||
                     absl::ConsumePrefix(&rest, "https://");
  absl::ConsumeSuffix(&rest, "/");
  if (!known || rest.empty() ||
      rest.find_first_of("/?#@ ") != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("the node's URL is ", options.url,
                     "; http://HOST:PORT or https://HOST:PORT is accepted"));
  }
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  curl_slist* headers =
      curl_slist_append(nullptr, "Content-Type: application/json");
  // Nothing to wait for: a body is small, or the node's answer comes anyway.
  curl_slist* const all =
      headers == nullptr ? nullptr : curl_slist_append(headers, "Expect:");
  impl->headers.reset(all == nullptr ? headers : all);
  if (kStarted != CURLE_OK || all == nullptr) {
    return absl::UnavailableError("libcurl cannot be started");
  }
  return std::unique_ptr<JsonRpcClient>(new JsonRpcClient(std::move(impl)));
}

RpcReply JsonRpcClient::Call(absl::string_view method,
                             absl::string_view params) {
  Impl& impl = *impl_;
  const auto deadline =
      steady_clock::now() + std::chrono::milliseconds(impl.options.timeout_ms);
  const int64_t id = impl.next_id.fetch_add(1);
  const std::string request =
      RpcRequestBody(method, params, id, impl.options.chain_name);
  if (static_cast<int64_t>(request.size()) > impl.options.request_bytes_max) {
    return RpcFailure(Code::kInvalidArgument, RpcOutcome::kPermanent, method,
                      absl::StrCat("the request has ", request.size(),
                                   " bytes; the node accepts ",
                                   impl.options.request_bytes_max));
  }
  Easy easy = impl.Take(deadline);
  if (easy == nullptr) {
    return RpcFailure(
        Code::kUnavailable, RpcOutcome::kNotDone, method,
        absl::StrCat("no turn came within ", impl.options.timeout_ms, " ms; ",
                     impl.options.in_flight_max, " calls are under way"));
  }
  Exchange exchange;
  exchange.request = request;
  exchange.answer_max = static_cast<size_t>(impl.options.answer_bytes_max);
  exchange.cancelled = &impl.cancelled;
  char detail[CURL_ERROR_SIZE] = "";
  impl.Prepare(easy.get(), &exchange, Impl::LeftMs(deadline));
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail);
  const CURLcode code = curl_easy_perform(easy.get());
  long http_status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &http_status);
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, nullptr);
  impl.Return(std::move(easy));

  // The node refuses what is too large before it has read it, and closes: the
  // answer may be there though sending failed.
  if (code == CURLE_OK || http_status == 413) {
    return ParseRpcAnswer(http_status, exchange.answer, id, method);
  }
  return impl.Failure(code, detail, exchange, method);
}

void JsonRpcClient::Cancel() {
  impl_->cancelled = true;
  MutexLock lock(impl_->mutex);
  impl_->freed.NotifyAll();
}

}  // namespace windproof
