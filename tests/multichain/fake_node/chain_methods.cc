#include "tests/multichain/fake_node/chain_methods.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/tx_json.h"

namespace windproof::fake_node {
namespace {

constexpr double kDifficulty = 5.96046447753906e-8;

RpcError NoBlock(absl::string_view message) {
  return {kErrorBlockNotFound, std::string(message)};
}

MaybeError FindBlockParam(const Chain& chain, const Json& param,
                          BlockRef* block) {
  int64_t height;
  if (param.is_int()) {
    height = param.AsInt();
  } else if (param.is_string()) {
    if (const auto hash = HashFromShown(param.AsString())) {
      const absl::optional<BlockRef> found = chain.FindBlock(*hash);
      if (!found.has_value()) return NoBlock("Block not found");
      *block = *found;
      return absl::nullopt;
    }
    if (!absl::SimpleAtoi(param.AsString(), &height)) {
      return NoBlock("Block height should be integer");
    }
  } else {
    return NoBlock("Block height should be integer");
  }
  if (height < 0 || height > chain.height()) {
    return NoBlock("Block height out of range");
  }
  *block = chain.BlockAt(static_cast<uint32_t>(height));
  return absl::nullopt;
}

// Each block is 256 hashes' work.
std::string Chainwork(const ChainBlock& block) {
  return absl::StrFormat("%064x", (uint64_t{block.height} + 1) * 256);
}

int64_t ConfirmationsOf(const Chain& chain, BlockRef ref) {
  if (!chain.IsActive(ref)) return -1;
  return int64_t{chain.height()} - chain.block(ref).height + 1;
}

// The members that getblock and a verbose listblocks end with.
void AddHeader(const Chain& chain, const ChainBlock& block, Json* json) {
  const absl::optional<Header> header = ParseHeader(block.header);
  json->Add("nonce", header->nonce)
      .Add("bits", absl::StrFormat("%08x", header->bits))
      .Add("difficulty", Json::Double(kDifficulty))
      .Add("chainwork", Chainwork(block));
  if (block.previous != kNoRef) {
    json->Add("previousblockhash", ShownHash(chain.block(block.previous).hash));
  }
}

Json TransactionsJson(const NodeState& state, const ChainBlock& block,
                      int64_t verbosity) {
  Json list = Json::Array();
  for (const TxRef ref : block.txs) {
    const ChainTx& tx = state.chain.tx(ref);
    const std::string id = ShownHash(tx.id);
    if (verbosity <= 1) {
      list.Append(Json::String(id));
      continue;
    }
    Json json = Json::Object().Add("txid", id);
    if (verbosity >= 3) {
      const auto parsed = ParseTransaction(tx.raw);
      json.Add("version", parsed->version).Add("locktime", parsed->lock_time);
      if (verbosity >= 4) AddInputsAndOutputs(state, ref, &json);
    }
    json.Add("hex", ToHex(tx.raw));
    list.Append(std::move(json));
  }
  return list;
}

RpcResult GetBlock(NodeState* state, const Json& params) {
  const Chain& chain = state->chain;
  BlockRef ref;
  if (MaybeError error = FindBlockParam(chain, params.at(0), &ref)) {
    return *error;
  }
  int64_t verbosity = 1;
  if (params.size() > 1) {
    const Json& wanted = params.at(1);
    if (wanted.is_bool()) {
      verbosity = wanted.AsBool() ? 1 : 0;
    } else if (wanted.is_int() && wanted.AsInt() >= 0 && wanted.AsInt() <= 4) {
      verbosity = wanted.AsInt();
    } else {
      return RpcError{kErrorParameter, "Invalid verbose level"};
    }
  }
  if (verbosity == 0) return Json::String(ToHex(chain.RawBlock(ref)));
  const ChainBlock& block = chain.block(ref);
  const absl::optional<Header> header = ParseHeader(block.header);
  Json json = Json::Object()
                  .Add("hash", ShownHash(block.hash))
                  .Add("miner", AddressOf(block.miner))
                  .Add("confirmations", ConfirmationsOf(chain, ref))
                  .Add("size", block.size)
                  .Add("height", block.height)
                  .Add("version", header->version)
                  .Add("merkleroot", ShownHash(header->merkle_root))
                  .Add("tx", TransactionsJson(*state, block, verbosity))
                  .Add("time", block.time);
  AddHeader(chain, block, &json);
  if (chain.IsActive(ref) && block.height < chain.height()) {
    json.Add("nextblockhash",
             ShownHash(chain.block(chain.BlockAt(block.height + 1)).hash));
  }
  return json;
}

Json BlockJson(const Chain& chain, BlockRef ref, bool verbose) {
  const ChainBlock& block = chain.block(ref);
  Json json = Json::Object()
                  .Add("hash", ShownHash(block.hash))
                  .Add("miner", AddressOf(block.miner))
                  .Add("confirmations", ConfirmationsOf(chain, ref))
                  .Add("height", block.height)
                  .Add("time", block.time)
                  .Add("txcount", block.txs.size());
  if (!verbose) return json;
  const absl::optional<Header> header = ParseHeader(block.header);
  json.Add("size", block.size)
      .Add("version", header->version)
      .Add("merkleroot", ShownHash(header->merkle_root));
  AddHeader(chain, block, &json);
  return json;
}

// A height, "from-to", -n for the last n, or a hash. Beyond the tip is nothing.
MaybeError AddBlocks(const Chain& chain, const Json& which,
                     std::vector<BlockRef>* blocks) {
  int64_t first;
  int64_t last;
  if (which.is_string()) {
    const std::string& text = which.AsString();
    const size_t dash = text.find('-', 1);
    if (HashFromShown(text).has_value()) {
      BlockRef ref;
      if (MaybeError error = FindBlockParam(chain, which, &ref)) return error;
      blocks->push_back(ref);
      return absl::nullopt;
    }
    if (!absl::SimpleAtoi(text.substr(0, dash), &first)) {
      return RpcError{kErrorParameter, "Invalid block identifier"};
    }
    last = first;
    if (dash != std::string::npos &&
        !absl::SimpleAtoi(text.substr(dash + 1), &last)) {
      return RpcError{kErrorParameter, "Invalid block identifier"};
    }
  } else if (which.is_int()) {
    first = last = which.AsInt();
  } else {
    return RpcError{kErrorParameter, "Invalid block-set-identifier"};
  }
  if (first < 0) {
    last = chain.height();
    first = std::max<int64_t>(0, last + 1 + first);
  }
  last = std::min<int64_t>(last, chain.height());
  for (; first <= last; ++first) {
    blocks->push_back(chain.BlockAt(static_cast<uint32_t>(first)));
  }
  return absl::nullopt;
}

RpcResult ListBlocks(NodeState* state, const Json& params) {
  bool verbose = false;
  if (MaybeError error = Bool(params, 1, &verbose)) return *error;
  std::vector<Json> which = {params.at(0)};
  if (params.at(0).is_array()) which = params.at(0).elements();
  std::vector<BlockRef> blocks;
  for (const Json& one : which) {
    if (MaybeError error = AddBlocks(state->chain, one, &blocks)) {
      return *error;
    }
  }
  // The same block asked for twice is shown once.
  Json list = Json::Array();
  absl::flat_hash_set<BlockRef> seen;
  for (const BlockRef block : blocks) {
    if (seen.insert(block).second) {
      list.Append(BlockJson(state->chain, block, verbose));
    }
  }
  return list;
}

RpcResult GetBlockHash(NodeState* state, const Json& params) {
  if (!params.at(0).is_int()) return WrongType(params.at(0), "int");
  BlockRef ref;
  if (MaybeError error = FindBlockParam(state->chain, params.at(0), &ref)) {
    return *error;
  }
  return Json::String(ShownHash(state->chain.block(ref).hash));
}

RpcResult GetBestBlockHash(NodeState* state, const Json&) {
  return Json::String(ShownHash(state->chain.block(state->chain.tip()).hash));
}

RpcResult GetBlockCount(NodeState* state, const Json&) {
  return Json::Int(state->chain.height());
}

RpcResult GetLastBlockInfo(NodeState* state, const Json& params) {
  const Chain& chain = state->chain;
  int64_t skip = 0;
  if (params.size() > 0) {
    if (!params.at(0).is_int()) return WrongType(params.at(0), "int");
    skip = params.at(0).AsInt();
  }
  if (skip < 0 || skip > chain.height()) return NoBlock("Skip out of range");
  const ChainBlock& block =
      chain.block(chain.BlockAt(chain.height() - static_cast<uint32_t>(skip)));
  return Json::Object()
      .Add("hash", ShownHash(block.hash))
      .Add("height", block.height)
      .Add("time", block.time)
      .Add("txcount", block.txs.size())
      .Add("miner", AddressOf(block.miner));
}

RpcResult GetChainTips(NodeState* state, const Json&) {
  const Chain& chain = state->chain;
  std::vector<bool> has_child(chain.block_count());
  for (BlockRef ref = 1; ref < chain.block_count(); ++ref) {
    has_child[chain.block(ref).previous] = true;
  }
  std::vector<BlockRef> tips;
  for (BlockRef ref = 0; ref < chain.block_count(); ++ref) {
    if (!has_child[ref] || ref == chain.tip()) tips.push_back(ref);
  }
  std::stable_sort(tips.begin(), tips.end(), [&](BlockRef a, BlockRef b) {
    return chain.block(a).height > chain.block(b).height;
  });
  Json list = Json::Array();
  for (const BlockRef tip : tips) {
    uint32_t branch = 0;
    for (BlockRef ref = tip; !chain.IsActive(ref);
         ref = chain.block(ref).previous) {
      ++branch;
    }
    list.Append(
        Json::Object()
            .Add("height", chain.block(tip).height)
            .Add("hash", ShownHash(chain.block(tip).hash))
            .Add("branchlen", branch)
            .Add("status", tip == chain.tip() ? "active" : "valid-fork"));
  }
  return list;
}

RpcResult GetBlockchainInfo(NodeState* state, const Json&) {
  const Chain& chain = state->chain;
  const ChainBlock& tip = chain.block(chain.tip());
  uint32_t headers = 0;
  for (BlockRef ref = 0; ref < chain.block_count(); ++ref) {
    headers = std::max(headers, chain.block(ref).height);
  }
  return Json::Object()
      .Add("chain", "main")
      .Add("chainname", chain.name())
      .Add("description", "MultiChain " + chain.name())
      .Add("protocol", "multichain")
      .Add("setupblocks", 60)
      .Add("reindex", false)
      .Add("blocks", chain.height())
      .Add("headers", headers)
      .Add("bestblockhash", ShownHash(tip.hash))
      .Add("difficulty", Json::Double(kDifficulty))
      .Add("verificationprogress", 1)
      .Add("chainwork", Chainwork(tip))
      .Add("chainrewards", 0);
}

RpcResult GetMempoolInfo(NodeState* state, const Json&) {
  return Json::Object()
      .Add("size", state->chain.mempool().size())
      .Add("bytes", state->chain.mempool_bytes());
}

RpcResult GetRawMempool(NodeState* state, const Json&) {
  Json list = Json::Array();
  for (const TxRef tx : state->chain.mempool()) {
    list.Append(Json::String(ShownHash(state->chain.tx(tx).id)));
  }
  return list;
}

}  // namespace

absl::Span<const RpcMethod> ChainMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"getblock", 1, 2, GetBlock},
      {"listblocks", 1, 2, ListBlocks},
      {"getblockhash", 1, 1, GetBlockHash},
      {"getbestblockhash", 0, 0, GetBestBlockHash},
      {"getblockcount", 0, 0, GetBlockCount},
      {"getlastblockinfo", 0, 1, GetLastBlockInfo},
      {"getchaintips", 0, 0, GetChainTips},
      {"getblockchaininfo", 0, 0, GetBlockchainInfo},
      {"getmempoolinfo", 0, 0, GetMempoolInfo},
      {"getrawmempool", 0, 1, GetRawMempool},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
