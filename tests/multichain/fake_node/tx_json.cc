#include "tests/multichain/fake_node/tx_json.h"

#include <string>
#include <utility>

#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/item_json.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/ubjson.h"

namespace windproof::fake_node {
namespace {

Json InputJson(const TxInput& input, bool coinbase) {
  if (coinbase) {
    return Json::Object()
        .Add("coinbase", ToHex(input.script))
        .Add("sequence", input.sequence);
  }
  return Json::Object()
      .Add("txid", ShownHash(input.from.txid))
      .Add("vout", input.from.vout)
      .Add("scriptSig", Json::Object()
                            .Add("asm", ScriptAsm(input.script))
                            .Add("hex", ToHex(input.script)))
      .Add("sequence", input.sequence);
}

Json ScriptJson(absl::string_view script) {
  Json json =
      Json::Object().Add("asm", ScriptAsm(script)).Add("hex", ToHex(script));
  const absl::optional<std::string> hash = PaidTo(script);
  if (!hash.has_value()) return json.Add("type", "nulldata");
  Json addresses = Json::Array();
  addresses.Append(Json::String(AddressOf(*hash)));
  return json.Add("reqSigs", 1)
      .Add("type", "pubkeyhash")
      .Add("addresses", std::move(addresses));
}

// The data of an OP_RETURN without a stream; nothing for another script.
absl::optional<absl::string_view> PlainData(absl::string_view script) {
  const auto ops = ScriptOps(script);
  if (!ops.has_value() || ops->size() != 2 || (*ops)[0].code != kOpReturn) {
    return absl::nullopt;
  }
  return (*ops)[1].data;
}

Json StreamItemJson(const NodeState& state, ItemRef ref) {
  const ChainStream& stream =
      state.chain.streams()[state.chain.item(ref).stream];
  Json json = Json::Object()
                  .Add("type", "stream")
                  .Add("name", stream.name)
                  .Add("createtxid", ShownHash(stream.create_txid))
                  .Add("streamref", StreamRefJson(state, stream));
  AddItemContent(state, ref, false, &json);
  return json;
}

Json CreateJson(const NodeState& state, const Digest& txid) {
  for (const ChainStream& stream : state.chain.streams()) {
    if (stream.create_txid != txid) continue;
    return Json::Object()
        .Add("type", "stream")
        .Add("name", stream.name)
        .Add("streamref", StreamRefJson(state, stream))
        .Add("restrict",
             Json::Object()
                 .Add("write", (stream.restricts & kRestrictWrite) != 0)
                 .Add("read", (stream.restricts & kRestrictRead) != 0)
                 .Add("onchain", (stream.restricts & kRestrictOnchain) != 0)
                 .Add("offchain", (stream.restricts & kRestrictOffchain) != 0))
        .Add("salted", false)
        .Add("details", DecodeUbjson(stream.details).value_or(Json::Object()));
  }
  return Json();
}

}  // namespace

void AddInputsAndOutputs(const NodeState& state, TxRef ref, Json* json) {
  const ChainTx& tx = state.chain.tx(ref);
  const absl::optional<ParsedTransaction> parsed = ParseTransaction(tx.raw);
  Json inputs = Json::Array();
  for (const TxInput& input : parsed->inputs) {
    inputs.Append(InputJson(input, tx.coinbase));
  }
  Json outputs = Json::Array();
  uint32_t next_item = tx.first_item;
  bool creates = false;
  for (size_t vout = 0; vout < parsed->outputs.size(); ++vout) {
    const absl::string_view script = parsed->outputs[vout].script;
    Json output = Json::Object()
                      .Add("value", parsed->outputs[vout].value)
                      .Add("n", vout)
                      .Add("scriptPubKey", ScriptJson(script));
    if (next_item < tx.first_item + tx.item_count &&
        state.chain.item(next_item).vout == vout) {
      Json items = Json::Array();
      items.Append(StreamItemJson(state, next_item++));
      output.Add("items", std::move(items));
    } else if (const auto data = PlainData(script)) {
      Json list = Json::Array();
      list.Append(Json::String(ToHex(*data)));
      output.Add("data", std::move(list));
    }
    creates = creates || ParseCreateScript(script).has_value();
    outputs.Append(std::move(output));
  }
  json->Add("vin", std::move(inputs)).Add("vout", std::move(outputs));
  if (creates) json->Add("create", CreateJson(state, tx.id));
}

}  // namespace windproof::fake_node
