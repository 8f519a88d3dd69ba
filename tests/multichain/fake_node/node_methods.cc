#include "tests/multichain/fake_node/node_methods.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/mining.h"
#include "tests/multichain/fake_node/recorded_text.h"
#include "tests/multichain/fake_node/rpc_params.h"

namespace windproof::fake_node {
namespace {

constexpr int64_t kNodeVersion = 20303901;
constexpr absl::string_view kVersion = "2.3.3";
constexpr int64_t kKeyPoolTime = 1795448839;

RpcResult GetInfo(NodeState* state, const Json&) {
  const std::string& name = state->chain.name();
  size_t streams = 0;
  for (const ChainStream& stream : state->chain.streams()) {
    if (stream.exists) ++streams;
  }
  const int peer_port = state->settings.port - 1;
  return Json::Object()
      .Add("version", kVersion)
      .Add("nodeversion", kNodeVersion)
      .Add("edition", "Community")
      .Add("protocolversion", 20013)
      .Add("chainname", name)
      .Add("description", absl::StrCat("MultiChain ", name))
      .Add("protocol", "multichain")
      .Add("port", peer_port)
      .Add("setupblocks", 60)
      .Add("nodeaddress", absl::StrCat(name, "@127.0.0.1:", peer_port))
      .Add("burnaddress", "1XXXXXXWSfXXXXXXc6XXXXXXTnXXXXXXYALxhE")
      .Add("incomingpaused", state->incoming_paused)
      .Add("miningpaused", state->mining_paused)
      .Add("offchainpaused", state->offchain_paused)
      .Add("walletversion", 60000)
      .Add("balance", 0)
      .Add("walletdbversion", 3)
      .Add("reindex", false)
      .Add("blocks", state->chain.height())
      .Add("chainrewards", 0)
      .Add("streams", streams)
      .Add("timeoffset", 0)
      .Add("connections", 0)
      .Add("proxy", "")
      .Add("difficulty", Json::Double(5.96046447753906e-8))
      .Add("testnet", false)
      .Add("keypoololdest", kKeyPoolTime)
      .Add("keypoolsize", 2)
      .Add("paytxfee", 0)
      .Add("relayfee", 0)
      .Add("errors", "");
}

RpcResult GetInitStatus(NodeState*, const Json&) {
  return Json::Object()
      .Add("version", kVersion)
      .Add("nodeversion", kNodeVersion)
      .Add("initialized", true);
}

RpcResult GetBlockchainParams(NodeState* state, const Json& params) {
  bool with_dashes = true;
  if (MaybeError error = Bool(params, 0, &with_dashes)) return *error;
  const Chain& chain = state->chain;
  const ChainBlock& genesis = chain.block(chain.BlockAt(0));
  const absl::optional<Header> header = ParseHeader(genesis.header);
  Json json = *ParseJson(RecordedParams());
  json.Set("chain-description",
           Json::String(absl::StrCat("MultiChain ", chain.name())))
      .Set("target-block-time", Json::Int(std::max<int64_t>(
                                    1, state->settings.target_block_ms / 1000)))
      .Set("maximum-block-size", Json::Uint(state->settings.max_block_bytes))
      .Set("default-network-port", Json::Int(state->settings.port - 1))
      .Set("default-rpc-port", Json::Int(state->settings.port))
      .Set("mine-empty-rounds", Json::Int(state->settings.mine_empty_rounds))
      .Set("chain-name", Json::String(chain.name()))
      .Set("genesis-pubkey-hash", Json::String(ToHex(chain.admin())))
      .Set("genesis-timestamp", Json::Int(genesis.time))
      .Set("genesis-nbits", Json::Int(header->bits))
      .Set("genesis-nonce", Json::Int(header->nonce))
      .Set("genesis-hash", Json::String(ShownHash(genesis.hash)))
      .Set("chain-params-hash",
           Json::String(HexOf(Sha256Of(BytesOf(genesis.hash)))));
  if (const Key* key = state->FindKey(chain.admin())) {
    json.Set("genesis-pubkey", Json::String(ToHex(key->public_key())));
  }
  if (with_dashes) return json;
  Json raw_names = Json::Object();
  for (size_t i = 0; i < json.size(); ++i) {
    raw_names.Add(absl::StrReplaceAll(json.name(i), {{"-", ""}}), json.at(i));
  }
  return raw_names;
}

RpcResult GetRuntimeParams(NodeState* state, const Json&) {
  Json json = *ParseJson(RecordedRuntimeParams());
  json.Set("port", Json::Int(state->settings.port - 1))
      .Set("handshakelocal", Json::String(state->keys.front().address()))
      .Set("maxshowndata", Json::Uint(state->settings.max_shown_bytes))
      .Set("mineemptyrounds", Json::Int(state->settings.mine_empty_rounds));
  return json;
}

RpcResult GetChainTotals(NodeState* state, const Json&) {
  return Json::Object()
      .Add("blocks", state->chain.height())
      .Add("rewards", 0)
      .Add("addresses", Json())
      .Add("transactions", Json())
      .Add("assets", 0)
      .Add("streams", state->chain.streams().size())
      .Add("filters", 0)
      .Add("variables", 0)
      .Add("libraries", 0)
      .Add("upgrades", 0)
      .Add("licenses", 0);
}

RpcResult GetNetworkInfo(NodeState*, const Json&) {
  Json networks = Json::Array();
  for (const char* name : {"ipv4", "ipv6", "onion"}) {
    networks.Append(Json::Object()
                        .Add("name", name)
                        .Add("limited", false)
                        .Add("reachable", false)
                        .Add("proxy", ""));
  }
  return Json::Object()
      .Add("version", 100000)
      .Add("subversion", "/MultiChain:0.2.0.13/")
      .Add("protocolversion", 70002)
      .Add("localservices", "0000000000000001")
      .Add("timeoffset", 0)
      .Add("connections", 0)
      .Add("networks", std::move(networks))
      .Add("relayfee", 0)
      .Add("localaddresses", Json::Array());
}

RpcResult GetPeerInfo(NodeState*, const Json&) { return Json::Array(); }

Json Zeros(std::initializer_list<const char*> names) {
  Json json = Json::Object();
  for (const char* name : names) json.Add(name, 0);
  return json;
}

RpcResult GetChunkQueueInfo(NodeState*, const Json&) {
  const Json zeros = Zeros({"waiting", "querying", "retrieving"});
  return Json::Object().Add("chunks", zeros).Add("bytes", zeros);
}

RpcResult GetChunkQueueTotals(NodeState*, const Json&) {
  const Json zeros = Zeros({"queries", "responded", "unresponded", "requests",
                            "delivered", "undelivered", "baddelivered"});
  return Json::Object().Add("chunks", zeros).Add("bytes", zeros);
}

RpcResult GetHealthCheck(NodeState*, const Json&) {
  return RpcError{kErrorNotSupported,
                  "This feature is only available in MultiChain Enterprise: "
                  "gethealthcheck API"};
}

RpcResult Help(NodeState*, const Json& params) {
  if (params.size() == 0) return Json::String("stop\n\nShuts down this node.");
  std::string method;
  if (MaybeError error = Text(params, 0, &method)) return *error;
  if (method == "publish") return Json::String(RecordedPublishHelp());
  return Json::String(
      absl::StrCat(method, " (the stand-in node has no help for it)\n"));
}

RpcResult SetPaused(NodeState* state, const Json& params, bool paused) {
  std::string tasks = "incoming,mining,offchain";
  if (params.size() > 0) {
    if (MaybeError error = Text(params, 0, &tasks)) return *error;
  }
  for (const absl::string_view task : absl::StrSplit(tasks, ',')) {
    if (task == "incoming") {
      state->incoming_paused = paused;
    } else if (task == "mining") {
      state->mining_paused = paused;
    } else if (task == "offchain") {
      state->offchain_paused = paused;
    } else {
      return RpcError{kErrorParameter, "Invalid task"};
    }
  }
  return Json::String(paused ? "Paused" : "Resumed");
}

RpcResult Pause(NodeState* state, const Json& params) {
  return SetPaused(state, params, true);
}

// With incoming blocks allowed again, the longest branch is taken again.
RpcResult Resume(NodeState* state, const Json& params) {
  RpcResult result = SetPaused(state, params, false);
  Chain& chain = state->chain;
  if (!result.ok() || state->incoming_paused) return result;
  BlockRef best = chain.tip();
  for (BlockRef ref = 0; ref < chain.block_count(); ++ref) {
    if (chain.block(ref).height > chain.block(best).height) best = ref;
  }
  if (best != chain.tip()) chain.Activate(best);
  return result;
}

MaybeError CheckPaused(const NodeState& state) {
  if (state.incoming_paused && state.mining_paused) return absl::nullopt;
  return RpcError{kErrorNotAllowed,
                  "Local mining and the processing of incoming transactions "
                  "and blocks should be paused."};
}

RpcResult SetLastBlock(NodeState* state, const Json& params) {
  if (MaybeError error = CheckPaused(*state)) return *error;
  Chain& chain = state->chain;
  absl::optional<BlockRef> target;
  int64_t height = chain.height();
  if (params.size() > 0) {
    const Json& which = params.at(0);
    if (const auto hash = HashFromShown(which.AsString())) {
      target = chain.FindBlock(*hash);
      if (!target.has_value()) {
        return RpcError{kErrorBlockNotFound, "Block not found"};
      }
    } else if (which.is_int()) {
      height = which.AsInt();
    } else if (!absl::SimpleAtoi(which.AsString(), &height)) {
      return RpcError{kErrorBlockNotFound, "Block height should be integer"};
    }
  }
  if (!target.has_value()) {
    if (height < 0) height += chain.height();
    if (height < 1 || height > chain.height()) {
      return RpcError{kErrorBlockNotFound, "Block height out of range"};
    }
    target = chain.BlockAt(static_cast<uint32_t>(height));
  }
  std::vector<TxRef> confirmed;
  for (uint32_t h = 1; h <= chain.height(); ++h) {
    for (const TxRef tx : chain.block(chain.BlockAt(h)).txs) {
      confirmed.push_back(tx);
    }
  }
  chain.Activate(*target);
  std::vector<TxRef> rolled_back;
  for (const TxRef tx : confirmed) {
    if (chain.mempool().contains(tx)) rolled_back.push_back(tx);
  }
  chain.ListTwice(rolled_back);
  return Json::String(ShownHash(chain.block(*target).hash));
}

// The wallet keeps its own transactions and sends them again: nothing is lost.
RpcResult ClearMempool(NodeState* state, const Json&) {
  if (MaybeError error = CheckPaused(*state)) return *error;
  return Json::String("Mempool cleared");
}

RpcResult Resend(NodeState*, const Json&) {
  return Json::String("Wallet transactions resent");
}

RpcResult Stop(NodeState* state, const Json&) {
  state->stopping = true;
  return Json::String("MultiChain server stopping");
}

}  // namespace

absl::Span<const RpcMethod> NodeMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"getinfo", 0, 0, GetInfo},
      {"getinitstatus", 0, 0, GetInitStatus},
      {"getblockchainparams", 0, 2, GetBlockchainParams},
      {"getruntimeparams", 0, 0, GetRuntimeParams},
      {"getchaintotals", 0, 0, GetChainTotals},
      {"getnetworkinfo", 0, 0, GetNetworkInfo},
      {"getpeerinfo", 0, 0, GetPeerInfo},
      {"getchunkqueueinfo", 0, 0, GetChunkQueueInfo},
      {"getchunkqueuetotals", 0, 0, GetChunkQueueTotals},
      {"gethealthcheck", 0, 0, GetHealthCheck},
      {"help", 0, 1, Help},
      {"pause", 0, 1, Pause},
      {"resume", 0, 1, Resume},
      {"setlastblock", 0, 1, SetLastBlock},
      {"clearmempool", 0, 0, ClearMempool},
      {"resendwallettransactions", 0, 0, Resend},
      {"stop", 0, 1, Stop},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
