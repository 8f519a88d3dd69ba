#include "tests/multichain/fake_node/rpc_dispatch.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/chain_methods.h"
#include "tests/multichain/fake_node/entity_methods.h"
#include "tests/multichain/fake_node/item_methods.h"
#include "tests/multichain/fake_node/key_methods.h"
#include "tests/multichain/fake_node/node_methods.h"
#include "tests/multichain/fake_node/publish_methods.h"
#include "tests/multichain/fake_node/recorded_text.h"
#include "tests/multichain/fake_node/stream_methods.h"
#include "tests/multichain/fake_node/tx_methods.h"
#include "tests/multichain/fake_node/wallet_methods.h"

namespace windproof::fake_node {
namespace {

using MethodMap = absl::flat_hash_map<absl::string_view, RpcMethod>;

const MethodMap& AllMethods() {
  static const MethodMap* const all = [] {
    auto* map = new MethodMap();
    for (const auto& methods :
         {ChainMethods(), EntityMethods(), ItemMethods(), KeyMethods(),
          NodeMethods(), PublishMethods(), StreamMethods(), TxMethods(),
          WalletMethods()}) {
      for (const RpcMethod& method : methods) (*map)[method.name] = method;
    }
    return map;
  }();
  return *all;
}

int StatusOf(int code) {
  return code == kErrorRequest ? 400 : code == kErrorMethod ? 404 : 500;
}

// {"result":…,"error":…,"id":…}
std::string Envelope(const RpcResult& result, const Json& id) {
  std::string text = "{\"result\":";
  if (result.ok()) {
    AppendJson(result.value, &text);
    text.append(",\"error\":null");
  } else {
    text.append("null,\"error\":");
    AppendJson(Json::Object()
                   .Add("code", result.error->code)
                   .Add("message", result.error->message),
               &text);
  }
  text.append(",\"id\":");
  AppendJson(id, &text);
  text.push_back('}');
  return text;
}

struct Envelopes {
  RpcResult result = Json();
  Json id;
  bool dispatched = false;
};

absl::optional<RpcError> CheckRequest(const Json& request,
                                      absl::string_view chain_name) {
  const Json* method = request.Find("method");
  if (method == nullptr || method->is_null()) {
    return RpcError{kErrorRequest, "Missing method"};
  }
  if (!method->is_string()) {
    return RpcError{kErrorRequest, "Method must be a string"};
  }
  const Json* chain = request.Find("chain_name");
  if (chain != nullptr && !chain->is_null()) {
    if (!chain->is_string()) {
      return RpcError{kErrorRequest, "Chain name must be a string"};
    }
    if (chain->AsString() != chain_name) {
      return RpcError{kErrorRequest, "Wrong chain name"};
    }
  }
  const Json* params = request.Find("params");
  if (params != nullptr && !params->is_null() && !params->is_array()) {
    return RpcError{kErrorRequest, "Params must be an array"};
  }
  return absl::nullopt;
}

Envelopes AnswerOne(const Json& request, absl::string_view chain_name,
                    const RpcCall& call) {
  Envelopes reply;
  if (!request.is_object()) {
    reply.result = RpcError{kErrorRequest, "Invalid Request object"};
    return reply;
  }
  if (const Json* id = request.Find("id")) reply.id = *id;
  if (auto error = CheckRequest(request, chain_name)) {
    reply.result = *std::move(error);
    return reply;
  }
  static const Json* const kNoParams = new Json(Json::Array());
  const Json* params = request.Find("params");
  reply.result =
      call(request.Find("method")->AsString(),
           params != nullptr && params->is_array() ? *params : *kNoParams);
  reply.dispatched =
      reply.result.ok() || reply.result.error->code != kErrorWarmUp;
  return reply;
}

}  // namespace

const RpcMethod* FindMethod(absl::string_view name) {
  const auto method = AllMethods().find(name);
  return method == AllMethods().end() ? nullptr : &method->second;
}

RpcResult CallMethod(const RpcMethod& method, NodeState* state,
                     const Json& params) {
  if (params.size() < method.min_params || params.size() > method.max_params) {
    return RpcError{
        kErrorMisc,
        method.name == "publish"
            ? std::string(RecordedPublishHelp())
            : absl::StrCat(method.name, " takes ", method.min_params, " to ",
                           method.max_params, " parameters\n")};
  }
  return method.run(state, params);
}

RpcReply ErrorReply(const RpcError& error) {
  return {StatusOf(error.code), Envelope(error, Json::Int(0)) + "\n"};
}

std::vector<std::string> MethodsOf(const absl::optional<Json>& request) {
  std::vector<std::string> methods;
  if (!request.has_value()) return methods;
  const auto add = [&](const Json& one) {
    const Json* method = one.Find("method");
    methods.push_back(method != nullptr ? method->AsString() : "");
  };
  if (request->is_array()) {
    for (const Json& one : request->elements()) add(one);
  } else {
    add(*request);
  }
  return methods;
}

RpcReply Answer(const absl::optional<Json>& request,
                absl::string_view chain_name, const RpcCall& call) {
  if (!request.has_value()) return ErrorReply({kErrorParse, "Parse error"});
  if (request->is_object()) {
    Envelopes reply = AnswerOne(*request, chain_name, call);
    if (!reply.dispatched) return ErrorReply(*reply.result.error);
    const int status =
        reply.result.ok() ? 200 : StatusOf(reply.result.error->code);
    return {status, Envelope(reply.result, reply.id) + "\n"};
  }
  if (!request->is_array()) {
    return ErrorReply({kErrorParse, "Top-level object parse error"});
  }
  RpcReply reply;
  reply.body = "[";
  for (size_t i = 0; i < request->size(); ++i) {
    const Envelopes one = AnswerOne(request->at(i), chain_name, call);
    if (i > 0) reply.body.push_back(',');
    reply.body.append(Envelope(one.result, one.id));
  }
  reply.body.append("]\n");
  return reply;
}

}  // namespace windproof::fake_node
