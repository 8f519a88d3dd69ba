// How a request becomes a call and its result a reply, with the faults between.
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/fake_node.h"
#include "tests/multichain/fake_node/rpc_dispatch.h"

namespace windproof::fake_node {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Those that answer while the main lock is taken.
bool NeedsNoLock(absl::string_view method) {
  return method == "getblockcount" || method == "getinitstatus" ||
         method == "help";
}

HttpResponse Unauthorized() {
  HttpResponse response = PlainReply(401, "");
  response.realm = true;
  return response;
}

// Before the call: an answer instead of it.
absl::optional<HttpResponse> InsteadOfCall(const std::vector<Fault>& faults) {
  if (FindFault(faults, Fault::Kind::kDropRequest) != nullptr) {
    HttpResponse response;
    response.drop = true;
    return response;
  }
  if (FindFault(faults, Fault::Kind::kRefuse) != nullptr) {
    return PlainReply(503, "Work queue depth exceeded");
  }
  if (const Fault* html = FindFault(faults, Fault::Kind::kHtml)) {
    const int status = html->number != 0 ? static_cast<int>(html->number) : 502;
    return HtmlError(status, status == 403 ? "Forbidden" : "Bad Gateway");
  }
  return absl::nullopt;
}

// After the call: what becomes of its reply.
void SpoilReply(const std::vector<Fault>& faults, HttpResponse* response) {
  if (FindFault(faults, Fault::Kind::kLoseReply) != nullptr) {
    response->drop = true;
  }
  if (const Fault* text = FindFault(faults, Fault::Kind::kNonJson)) {
    response->body = text->text;
  }
  if (const Fault* longer = FindFault(faults, Fault::Kind::kOverLong)) {
    response->body.append(static_cast<size_t>(longer->number), ' ');
  }
  if (const Fault* slow = FindFault(faults, Fault::Kind::kSlow)) {
    response->over_millis = slow->number;
  }
  if (FindFault(faults, Fault::Kind::kHalf) != nullptr) {
    HttpRequest any;
    response->cut_at =
        FormatResponse(any, *response).size() - response->body.size() / 2 - 1;
  }
}

// The request with another id.
absl::optional<Json> WithOtherId(const absl::optional<Json>& request) {
  if (!request.has_value() || !request->is_object()) return request;
  Json other = *request;
  other.Set("id", Json::String("another one"));
  return other;
}

}  // namespace

absl::optional<HttpResponse> Front(const HttpRequest& request) {
  const std::string& method = request.method;
  if (method == "OPTIONS" || method == "TRACE" || method == "CONNECT" ||
      method == "PATCH") {
    HttpResponse response = HtmlError(501, "Not Implemented");
    response.close = true;
    return response;
  }
  if (method != "POST" && method != "GET" && method != "PUT") {
    return PlainReply(405, "");
  }
  if (request.target != "/") return PlainReply(404, "");
  if (method != "POST") {
    return PlainReply(405, "JSONRPC server handles only POST requests");
  }
  return absl::nullopt;
}

HttpResponse FakeNode::Handle(const HttpRequest& request) {
  const std::string* authorization = request.Find("authorization");
  if (authorization == nullptr) return Unauthorized();
  const std::string expected = absl::StrCat(
      "Basic ",
      absl::Base64Escape(absl::StrCat(options_.user, ":", options_.password)));
  if (*authorization != expected) {
    // On purpose, and with the worker.
    Sleep(options_.wrong_password_ms);
    return Unauthorized();
  }
  ++requests_;
  return HandleCall(request);
}

HttpResponse FakeNode::HandleCall(const HttpRequest& http) {
  absl::optional<Json> request = ParseJson(http.body);
  const std::vector<Fault> faults = faults_.Take(MethodsOf(request));
  if (auto instead = InsteadOfCall(faults)) return *std::move(instead);
  if (FindFault(faults, Fault::Kind::kWrongId) != nullptr) {
    request = WithOtherId(request);
  }
  const Fault* error = FindFault(faults, Fault::Kind::kError);
  bool gone = false;
  const RpcCall call = [&](absl::string_view method,
                           const Json& params) -> RpcResult {
    if (error != nullptr &&
        (error->method.empty() || error->method == method)) {
      return RpcError{static_cast<int>(error->number), error->text};
    }
    RpcResult result = Run(method, params);
    if (!result.ok() && result.error->code == 0) gone = true;
    if (FindFault(faults, Fault::Kind::kDuplicate) != nullptr) {
      Run(method, params);
    }
    return result;
  };
  RpcReply reply = Answer(request, options_.chain_name, call);
  HttpResponse response = JsonReply(reply.http_status, std::move(reply.body));
  for (const std::string& method : MethodsOf(request)) {
    if (method == "stop") response.close = true;
  }
  response.drop = gone;
  if (const Fault* delay = FindFault(faults, Fault::Kind::kDelay)) {
    if (!Sleep(delay->number)) response.drop = true;
  }
  SpoilReply(faults, &response);
  return response;
}

bool FakeNode::Sleep(int64_t millis) {
  const auto end = SteadyClock::now() + std::chrono::milliseconds(millis);
  MutexLock lock(mutex_);
  while (!down_ && SteadyClock::now() < end) changed_.WaitUntil(mutex_, end);
  return !down_;
}

bool FakeNode::WaitWhileStalled() {
  while (!down_ && (state_.hung || SteadyClock::now() < stalled_until_)) {
    if (state_.hung) {
      changed_.Wait(mutex_);
    } else {
      changed_.WaitUntil(mutex_, stalled_until_);
    }
  }
  return !down_;
}

RpcResult FakeNode::Run(absl::string_view method, const Json& params) {
  MutexLock lock(mutex_);
  if (SteadyClock::now() < warm_at_ && method != "getinitstatus" &&
      method != "stop") {
    return RpcError{kErrorWarmUp, "RPC server started"};
  }
  // Code 0 stands for no answer at all.
  if (!NeedsNoLock(method) && !WaitWhileStalled()) return RpcError{};
  return RunLocked(method, params);
}

RpcResult FakeNode::RunLocked(absl::string_view method, const Json& params) {
  const RpcMethod* found = FindMethod(method);
  if (found == nullptr) return RpcError{kErrorMethod, "Method not found"};
  RpcResult result = CallMethod(*found, &state_, params);
  KeepKeys();
  if (state_.stopping) changed_.NotifyAll();
  return result;
}

void FakeNode::KeepKeys() {
  for (; kept_keys_ < state_.keys.size(); ++kept_keys_) {
    if (journal_ != nullptr) journal_->Append("K");
  }
}

RpcResult FakeNode::Call(absl::string_view method, const Json& params) {
  MutexLock lock(mutex_);
  return RunLocked(method, params);
}

}  // namespace windproof::fake_node
