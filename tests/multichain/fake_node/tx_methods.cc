#include "tests/multichain/fake_node/tx_methods.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/item_json.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/tx_json.h"

namespace windproof::fake_node {
namespace {

RpcError NoInformation() {
  return {kErrorTxNotFound, "No information available about transaction"};
}

RpcResult GetRawTransaction(NodeState* state, const Json& params) {
  Digest txid;
  if (MaybeError error = TxId(params, 0, &txid)) return *error;
  bool verbose = false;
  if (params.size() > 1) {
    const Json& wanted = params.at(1);
    if (!wanted.is_bool() && !wanted.is_int()) return WrongType(wanted, "int");
    verbose = wanted.AsBool() || wanted.AsInt() != 0;
  }
  const absl::optional<TxRef> ref = state->chain.FindTx(txid);
  if (!ref.has_value() || !state->chain.tx(*ref).valid()) {
    return NoInformation();
  }
  const ChainTx& tx = state->chain.tx(*ref);
  if (!verbose) return Json::String(ToHex(tx.raw));
  const auto parsed = ParseTransaction(tx.raw);
  Json json = Json::Object()
                  .Add("hex", ToHex(tx.raw))
                  .Add("txid", ShownHash(tx.id))
                  .Add("version", parsed->version)
                  .Add("locktime", parsed->lock_time);
  AddInputsAndOutputs(*state, *ref, &json);
  if (tx.confirmed()) {
    const ChainBlock& block = state->chain.block(tx.block);
    json.Add("blockhash", ShownHash(block.hash))
        .Add("confirmations", state->chain.Confirmations(tx))
        .Add("time", block.time)
        .Add("blocktime", block.time);
  }
  return json;
}

bool OfWallet(const NodeState& state, const ChainTx& tx) {
  if (state.FindKey(tx.signer) != nullptr) return true;
  const auto parsed = ParseTransaction(tx.raw);
  return std::any_of(parsed->outputs.begin(), parsed->outputs.end(),
                     [&](const TxOutput& output) {
                       const auto hash = PaidTo(output.script);
                       return hash.has_value() &&
                              state.FindKey(*hash) != nullptr;
                     });
}

RpcResult GetTransaction(NodeState* state, const Json& params) {
  Digest txid;
  if (MaybeError error = TxId(params, 0, &txid)) return *error;
  const absl::optional<TxRef> ref = state->chain.FindTx(txid);
  if (!ref.has_value() || !OfWallet(*state, state->chain.tx(*ref))) {
    return RpcError{kErrorTxNotFound, "Invalid or non-wallet transaction id"};
  }
  const ChainTx& tx = state->chain.tx(*ref);
  Json json = Json::Object().Add("amount", 0).Add("fee", 0);
  AddConfirmation(state->chain, tx, -1, &json);
  Json details = Json::Array();
  const auto parsed = ParseTransaction(tx.raw);
  for (size_t vout = 0; vout < parsed->outputs.size(); ++vout) {
    const auto hash = PaidTo(parsed->outputs[vout].script);
    if (!hash.has_value()) continue;
    for (const bool sent : {true, false}) {
      const Key* key = state->FindKey(sent ? tx.signer : *hash);
      // What vanished has not been received either.
      if (key == nullptr || (!sent && !tx.valid())) continue;
      Json detail = Json::Object()
                        .Add("account", "")
                        .Add("address", AddressOf(*hash))
                        .Add("category", sent ? "send" : "receive")
                        .Add("amount", 0)
                        .Add("vout", vout);
      if (sent) detail.Add("fee", 0);
      details.Append(std::move(detail));
    }
  }
  return json.Add("txid", ShownHash(tx.id))
      .Add("walletconflicts", Json::Array())
      .Add("valid", tx.valid())
      .Add("time", tx.time)
      .Add("timereceived", tx.received)
      .Add("details", std::move(details))
      .Add("hex", ToHex(tx.raw));
}

Json WalletItemJson(const NodeState& state, ItemRef ref) {
  const ChainStream& stream =
      state.chain.streams()[state.chain.item(ref).stream];
  Json json = Json::Object()
                  .Add("type", "stream")
                  .Add("name", stream.name)
                  .Add("streamref", StreamRefJson(state, stream));
  AddItemContent(state, ref, true, &json);
  return json;
}

Json BalanceJson() {
  return Json::Object().Add("amount", 0).Add("assets", Json::Array());
}

// vin and vout of a verbose getwallettransaction.
void AddWalletDetails(const NodeState& state, const ChainTx& tx, Json* json) {
  const auto parsed = ParseTransaction(tx.raw);
  const auto party = [&](const absl::optional<std::string>& hash) {
    Json addresses = Json::Array();
    if (hash.has_value()) addresses.Append(Json::String(AddressOf(*hash)));
    return addresses;
  };
  Json inputs = Json::Array();
  for (const TxInput& input : parsed->inputs) {
    inputs.Append(Json::Object()
                      .Add("txid", ShownHash(input.from.txid))
                      .Add("vout", input.from.vout)
                      .Add("addresses", party(tx.signer))
                      .Add("type", "pubkeyhash")
                      .Add("ismine", state.FindKey(tx.signer) != nullptr)
                      .Add("iswatchonly", false)
                      .Add("amount", 0));
  }
  Json outputs = Json::Array();
  uint32_t next_item = tx.first_item;
  for (size_t vout = 0; vout < parsed->outputs.size(); ++vout) {
    const auto hash = PaidTo(parsed->outputs[vout].script);
    Json output =
        Json::Object()
            .Add("n", vout)
            .Add("addresses", party(hash))
            .Add("type", hash.has_value() ? "pubkeyhash" : "nulldata")
            .Add("ismine", hash.has_value() && state.FindKey(*hash) != nullptr)
            .Add("iswatchonly", false)
            .Add("amount", 0);
    if (next_item < tx.first_item + tx.item_count &&
        state.chain.item(next_item).vout == vout) {
      Json items = Json::Array();
      items.Append(WalletItemJson(state, next_item++));
      output.Add("items", std::move(items));
    }
    outputs.Append(std::move(output));
  }
  json->Add("vin", std::move(inputs))
      .Add("vout", std::move(outputs))
      .Add("hex", ToHex(tx.raw));
}

RpcResult GetWalletTransaction(NodeState* state, const Json& params) {
  Digest txid;
  bool watch_only = false;
  bool verbose = false;
  if (MaybeError error = TxId(params, 0, &txid)) return *error;
  if (MaybeError error = Bool(params, 1, &watch_only)) return *error;
  if (MaybeError error = Bool(params, 2, &verbose)) return *error;
  const absl::optional<TxRef> ref = state->chain.FindTx(txid);
  if (!ref.has_value()) {
    return RpcError{kErrorTxNotFound, "Invalid or non-wallet transaction id"};
  }
  const ChainTx& tx = state->chain.tx(*ref);
  if (!OfWallet(*state, tx)) {
    return RpcError{kErrorTxNotFound,
                    "Wallet addresses with specified criteria are not involved "
                    "in transaction"};
  }
  Json mine = Json::Array();
  if (state->FindKey(tx.signer) != nullptr) {
    mine.Append(Json::String(AddressOf(tx.signer)));
  }
  Json items = Json::Array();
  for (uint32_t i = 0; i < tx.item_count; ++i) {
    items.Append(WalletItemJson(*state, tx.first_item + i));
  }
  Json json = Json::Object()
                  .Add("balance", BalanceJson())
                  .Add("myaddresses", std::move(mine))
                  .Add("addresses", Json::Array())
                  .Add("permissions", Json::Array())
                  .Add("items", std::move(items))
                  .Add("data", Json::Array());
  AddConfirmation(state->chain, tx, -1, &json);
  json.Add("txid", ShownHash(tx.id))
      .Add("valid", tx.valid())
      .Add("time", tx.time)
      .Add("timereceived", tx.received);
  if (verbose) AddWalletDetails(*state, tx, &json);
  return json;
}

RpcResult GetTxOutData(NodeState* state, const Json& params) {
  Digest txid;
  if (MaybeError error = TxId(params, 0, &txid)) return *error;
  if (!params.at(1).is_int()) return WrongType(params.at(1), "int");
  const int64_t vout = params.at(1).AsInt();
  const absl::optional<TxRef> ref = state->chain.FindTx(txid);
  if (!ref.has_value() || !state->chain.tx(*ref).valid()) {
    return NoInformation();
  }
  const ChainTx& tx = state->chain.tx(*ref);
  const auto parsed = ParseTransaction(tx.raw);
  if (vout < 0 || static_cast<size_t>(vout) >= parsed->outputs.size()) {
    // As 2.3.3 does: the answer is right, a lock stays taken, and the node
    // hangs when the next block comes.
    if (OfWallet(*state, tx)) state->lock_leaked = true;
    return RpcError{kErrorBadVout, "Invalid vout"};
  }
  int format = kFormatRaw;
  absl::string_view bytes;
  bool found = false;
  for (uint32_t i = 0; i < tx.item_count; ++i) {
    const ChainItem& item = state->chain.item(tx.first_item + i);
    if (item.vout != vout) continue;
    bytes = ItemBytes(state->chain, item, &format);
    found = true;
  }
  if (!found) return RpcError{kErrorNoData, "Output without metadata"};
  if (params.size() <= 2) return DataJson(format, bytes);
  // A range of the bytes is always hex.
  int64_t count = static_cast<int64_t>(bytes.size());
  int64_t start = 0;
  if (!params.at(2).is_int()) return WrongType(params.at(2), "int");
  count = params.at(2).AsInt();
  if (params.size() > 3) {
    if (!params.at(3).is_int()) return WrongType(params.at(3), "int");
    start = params.at(3).AsInt();
  }
  if (count < 0) return RpcError{kErrorParameter, "count-bytes should be >= 0"};
  if (start < 0) return RpcError{kErrorParameter, "start-byte should be >= 0"};
  const size_t from = std::min(static_cast<size_t>(start), bytes.size());
  return Json::String(ToHex(bytes.substr(from, static_cast<size_t>(count))));
}

}  // namespace

absl::Span<const RpcMethod> TxMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"getrawtransaction", 1, 2, GetRawTransaction},
      {"gettransaction", 1, 2, GetTransaction},
      {"getwallettransaction", 1, 3, GetWalletTransaction},
      {"gettxoutdata", 2, 4, GetTxOutData},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
