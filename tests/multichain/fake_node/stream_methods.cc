#include "tests/multichain/fake_node/stream_methods.h"

#include <string>
#include <utility>
#include <vector>

#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/ubjson.h"

namespace windproof::fake_node {
namespace {

Json RestrictJson(const ChainStream& stream) {
  return Json::Object()
      .Add("write", (stream.restricts & kRestrictWrite) != 0)
      .Add("read", (stream.restricts & kRestrictRead) != 0)
      .Add("onchain", (stream.restricts & kRestrictOnchain) != 0)
      .Add("offchain", (stream.restricts & kRestrictOffchain) != 0);
}

void AddIdentity(const NodeState& state, const ChainStream& stream,
                 Json* json) {
  json->Add("name", stream.name)
      .Add("createtxid", ShownHash(stream.create_txid))
      .Add("streamref", StreamRefJson(state, stream))
      .Add("restrict", RestrictJson(stream));
}

Json DetailsJson(const ChainStream& stream) {
  return DecodeUbjson(stream.details).value_or(Json::Object());
}

Json StreamJson(const NodeState& state, const ChainStream& stream,
                bool verbose) {
  Json json = Json::Object();
  AddIdentity(state, stream, &json);
  if (verbose) json.Add("salted", false);
  json.Add("details", DetailsJson(stream));
  if (verbose) {
    Json creators = Json::Array();
    creators.Append(Json::String(AddressOf(stream.creator)));
    json.Add("creators", std::move(creators)).Add("filters", Json::Array());
  }
  json.Add("subscribed", stream.subscribed);
  if (!stream.subscribed) return json;
  Json indexes = Json::Object();
  for (const char* name : {"items", "keys", "publishers", "items-local",
                           "keys-local", "publishers-local"}) {
    indexes.Add(name, true);
  }
  const StreamIndex& index = stream.index;
  json.Add("retrieve", true)
      .Add("canretrieve", true)
      .Add("indexes", std::move(indexes))
      .Add("synchronized", true)
      .Add("items", index.items().size())
      .Add("confirmed", state.chain.ConfirmedOf(index.items()))
      .Add("keys", index.keys().size())
      .Add("publishers", index.publishers().size());
  return json;
}

RpcResult ListStreams(NodeState* state, const Json& params) {
  bool verbose = false;
  if (MaybeError error = Bool(params, 1, &verbose)) return *error;
  std::vector<uint32_t> wanted;
  const bool all = params.size() == 0 || params.at(0).is_null() ||
                   (params.at(0).is_string() && params.at(0).AsString() == "*");
  const std::deque<ChainStream>& streams = state->chain.streams();
  if (all) {
    for (uint32_t i = 0; i < streams.size(); ++i) {
      if (streams[i].exists) wanted.push_back(i);
    }
  } else {
    std::vector<Json> names = {params.at(0)};
    if (params.at(0).is_array()) names = params.at(0).elements();
    for (const Json& name : names) {
      uint32_t stream;
      if (MaybeError error = FindStream(*state, name, "Stream", &stream)) {
        return *error;
      }
      wanted.push_back(stream);
    }
  }
  Page page;
  page.count = static_cast<int64_t>(wanted.size());
  if (MaybeError error = ReadPage(params, 2, &page)) return *error;
  const auto [first, end] = PageOf(page, wanted.size());
  Json list = Json::Array();
  for (size_t i = first; i < end; ++i) {
    list.Append(StreamJson(*state, streams[wanted[i]], verbose));
  }
  return list;
}

RpcResult GetStreamInfo(NodeState* state, const Json& params) {
  uint32_t stream;
  if (MaybeError error = FindStream(*state, params.at(0), "Stream", &stream)) {
    return *error;
  }
  Json json = Json::Object();
  AddIdentity(*state, state->chain.streams()[stream], &json);
  json.Add("details", DetailsJson(state->chain.streams()[stream]));
  return json;
}

RpcResult SetSubscribed(NodeState* state, const Json& params, bool subscribed) {
  std::vector<Json> names = {params.at(0)};
  if (params.at(0).is_array()) names = params.at(0).elements();
  std::vector<uint32_t> streams;
  for (const Json& name : names) {
    uint32_t stream;
    if (MaybeError error = FindStream(*state, name, "Entity", &stream)) {
      return *error;
    }
    streams.push_back(stream);
  }
  for (const uint32_t stream : streams) {
    if (state->chain.streams()[stream].subscribed != subscribed) {
      state->chain.SetSubscribed(stream, subscribed);
    }
  }
  return Json();
}

RpcResult Subscribe(NodeState* state, const Json& params) {
  return SetSubscribed(state, params, true);
}

RpcResult Unsubscribe(NodeState* state, const Json& params) {
  return SetSubscribed(state, params, false);
}

}  // namespace

absl::Span<const RpcMethod> StreamMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"liststreams", 0, 4, ListStreams},
      {"getstreaminfo", 1, 2, GetStreamInfo},
      {"subscribe", 1, 3, Subscribe},
      {"unsubscribe", 1, 2, Unsubscribe},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
