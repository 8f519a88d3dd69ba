#include "services/anchor/multichain/rpc_answer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_parser.h"

namespace windproof {
namespace {

using Code = absl::StatusCode;
using Kind = JsonValue::Kind;

// Messages can hold a whole help page.
constexpr size_t kShownMax = 200;

constexpr RpcOutcome kRetry = RpcOutcome::kNotDone;
constexpr RpcOutcome kNo = RpcOutcome::kPermanent;

constexpr RpcCodeMeaning kCodes[] = {
    {-32700, Code::kInternal, kNo, "the node cannot parse the request"},
    {-32601, Code::kUnimplemented, kNo, "the node has no such method"},
    {-32600, Code::kFailedPrecondition, kNo,
     "the request is not for this chain, or malformed"},
    {-718, Code::kUnimplemented, kNo,
     "the node or its wallet must be upgraded"},
    {-717, Code::kUnavailable, kRetry, "the node cannot use its files"},
    {-716, Code::kUnavailable, kRetry,
     "the publishing address has no unspent output now"},
    {-715, Code::kNotFound, kNo, "the wallet has no such output"},
    {-714, Code::kFailedPrecondition, kNo, "an input is not the wallet's"},
    {-713, Code::kNotFound, kNo, "the output has no data"},
    {-712, Code::kNotFound, kNo, "the transaction has no such output"},
    {-711, Code::kNotFound, kNo, "the node has no such block"},
    {-710, Code::kNotFound, kNo, "the node has no such transaction"},
    {-709, Code::kFailedPrecondition, kNo,
     "the wallet has no private key of the publishing address"},
    {-708, Code::kNotFound, kNo, "the chain has no such stream"},
    {-707, Code::kInvalidArgument, kNo, "a bad exchange transaction"},
    {-706, Code::kUnavailable, kRetry, "the stream is not confirmed yet"},
    {-705, Code::kAlreadyExists, kNo, "the name is taken"},
    {-704, Code::kPermissionDenied, kNo,
     "the address has no permission for this"},
    {-703, Code::kFailedPrecondition, kNo,
     "the node is not subscribed to the stream"},
    {-702, Code::kUnimplemented, kNo, "the node does not support this"},
    {-701, Code::kFailedPrecondition, kNo, "not allowed in the node's state"},
    {-28, Code::kUnavailable, kRetry, "the node is warming up"},
    // It is in the chain or the mempool: whoever publishes must look.
    {-27, Code::kAlreadyExists, RpcOutcome::kUnknown,
     "the transaction is there already"},
    {-26, Code::kInvalidArgument, kNo,
     "the transaction was rejected: too large, or against the chain's rules"},
    {-25, Code::kUnavailable, RpcOutcome::kUnknown,
     "the node failed over the transaction"},
    {-22, Code::kInvalidArgument, kNo, "cannot be decoded"},
    {-20, Code::kInternal, RpcOutcome::kUnknown, "the node's database failed"},
    {-14, Code::kFailedPrecondition, kNo, "the wallet's passphrase is wrong"},
    {-13, Code::kFailedPrecondition, kNo,
     "the wallet is locked; it needs its passphrase"},
    {-12, Code::kUnavailable, kRetry, "the wallet's keys ran out"},
    {-10, Code::kUnavailable, kRetry, "the node is still downloading blocks"},
    {-9, Code::kUnavailable, kRetry, "the node is not connected"},
    {-8, Code::kInvalidArgument, kNo, "a parameter is not accepted"},
    {-7, Code::kUnavailable, RpcOutcome::kUnknown, "the node is out of memory"},
    {-6, Code::kUnavailable, kRetry, "the address has not enough funds"},
    {-5, Code::kInvalidArgument, kNo, "not an address or key"},
    {-4, Code::kInternal, RpcOutcome::kUnknown, "the wallet failed"},
    {-3, Code::kInvalidArgument, kNo, "a parameter has a wrong type"},
    {-2, Code::kFailedPrecondition, kNo, "the node is in safe mode"},
    {-1, Code::kInvalidArgument, kNo,
     "wrong number or types of parameters, or the node failed"},
};

// In one line.
std::string ShownBody(absl::string_view text) {
  std::string shown(text.substr(0, kShownMax));
  const size_t line_end = shown.find_first_of("\r\n");
  if (line_end != std::string::npos && line_end > 0) shown.resize(line_end);
  return absl::Utf8SafeCHexEscape(absl::StripAsciiWhitespace(shown));
}

// A number without a fraction that a double holds exactly.
bool IsWhole(const JsonValue& value) {
  constexpr double kMax = 9007199254740992.0;
  return value.kind == Kind::kNumber &&
         value.number == std::floor(value.number) &&
         std::abs(value.number) <= kMax;
}

// HTTP statuses that say by themselves what happened.
RpcReply FromHttpStatus(int64_t http_status, absl::string_view body, int64_t id,
                        absl::string_view method) {
  const auto failure = [&](Code code, RpcOutcome outcome,
                           absl::string_view message) {
    return RpcFailure(code, outcome, method,
                      absl::StrCat("HTTP ", http_status, ": ", message));
  };
  switch (http_status) {
    case 401:
      return failure(Code::kUnauthenticated, kNo,
                     "the node refuses user or password");
    case 403:
      return failure(Code::kPermissionDenied, kNo,
                     "the node does not allow calls from this address");
    case 400:
      return failure(Code::kInvalidArgument, kNo,
                     absl::StrCat("bad request: ", ShownBody(body)));
    case 404:
    case 405:
    case 501:
      return failure(Code::kFailedPrecondition, kNo,
                     "the URL is not that of a MultiChain node");
    case 413:
      return failure(Code::kInvalidArgument, kNo, "the request is too large");
    case 503:
      // Beyond its queue the node answers without executing.
      return failure(Code::kUnavailable, kRetry,
                     absl::StrCat("the node is busy: ", ShownBody(body)));
    default: {
      RpcReply reply =
          failure(Code::kDataLoss, RpcOutcome::kUnknown,
                  absl::StrCat("not a JSON-RPC answer: ", ShownBody(body)));
      // The node's own frame around something that is no JSON.
      reply.unparseable =
          http_status == 200 && absl::StartsWith(body, "{\"result\":") &&
          absl::EndsWith(body,
                         absl::StrCat(",\"error\":null,\"id\":", id, "}\n"));
      return reply;
    }
  }
}

}  // namespace

absl::Span<const RpcCodeMeaning> RpcCodes() { return kCodes; }

RpcCodeMeaning MeaningOf(int64_t code) {
  const RpcCodeMeaning* const end = kCodes + std::size(kCodes);
  const RpcCodeMeaning* const found = std::lower_bound(
      kCodes, end, code,
      [](const RpcCodeMeaning& known, int64_t c) { return known.code < c; });
  if (found != end && found->code == code) return *found;
  return {code, Code::kInternal, RpcOutcome::kUnknown, "an unknown error"};
}

std::string RpcRequestBody(absl::string_view method, absl::string_view params,
                           int64_t id, absl::string_view chain_name) {
  std::string body = absl::StrCat("{\"id\":", id, ",\"method\":");
  AppendQuoted(method, &body);
  if (!chain_name.empty()) {
    absl::StrAppend(&body, ",\"chain_name\":");
    AppendQuoted(chain_name, &body);
  }
  absl::StrAppend(&body, ",\"params\":", params, "}");
  return body;
}

RpcReply RpcFailure(absl::StatusCode code, RpcOutcome outcome,
                    absl::string_view method, absl::string_view message) {
  RpcReply reply;
  reply.status = absl::Status(code, absl::StrCat(method, ": ", message));
  reply.outcome = outcome;
  return reply;
}

RpcReply ParseRpcAnswer(int64_t http_status, absl::string_view body, int64_t id,
                        absl::string_view method) {
  absl::StatusOr<JsonValue> parsed = ParseJson(body);
  const JsonValue* result = parsed.ok() ? parsed->Find("result") : nullptr;
  const JsonValue* error = parsed.ok() ? parsed->Find("error") : nullptr;
  const JsonValue* answer_id = parsed.ok() ? parsed->Find("id") : nullptr;
  if (result == nullptr || error == nullptr || answer_id == nullptr) {
    return FromHttpStatus(http_status, body, id, method);
  }
  const auto is_id = [&](int64_t expected) {
    return IsWhole(*answer_id) &&
           answer_id->number == static_cast<double>(expected);
  };
  if (error->kind != Kind::kNull) {
    const JsonValue* code = error->Find("code");
    const JsonValue* message = error->Find("message");
    // Errors from before the dispatch have the id 0.
    if (code == nullptr || !IsWhole(*code) || !(is_id(id) || is_id(0))) {
      return RpcFailure(Code::kDataLoss, RpcOutcome::kUnknown, method,
                        absl::StrCat("the error is not the answer to request ",
                                     id, ": ", ShownBody(body)));
    }
    const RpcCodeMeaning meaning =
        MeaningOf(static_cast<int64_t>(code->number));
    const bool has_text = message != nullptr && message->kind == Kind::kString;
    RpcReply reply = RpcFailure(
        meaning.status, meaning.outcome, method,
        absl::StrCat(meaning.meaning, " (", meaning.code, " ",
                     has_text ? ShownBody(message->string) : "", ")"));
    reply.code = meaning.code;
    return reply;
  }
  if (http_status != 200 || !is_id(id)) {
    return RpcFailure(
        Code::kDataLoss, RpcOutcome::kUnknown, method,
        absl::StrCat("HTTP ", http_status, ": not the answer to request ", id,
                     ": ", ShownBody(body)));
  }
  RpcReply reply;
  // The value is moved out of the tree that `result` points into.
  for (auto& [name, value] : parsed->members) {
    if (name == "result") reply.result = std::move(value);
  }
  return reply;
}

}  // namespace windproof
