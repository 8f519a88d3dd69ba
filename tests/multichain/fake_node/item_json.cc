#include "tests/multichain/fake_node/item_json.h"

#include <string>
#include <utility>

#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/ubjson.h"

namespace windproof::fake_node {
namespace {

absl::string_view FormatName(int format) {
  return format == kFormatJson   ? "json"
         : format == kFormatText ? "text"
                                 : "raw";
}

}  // namespace

absl::string_view ItemBytes(const Chain& chain, const ChainItem& item,
                            int* format) {
  const absl::optional<ItemScript> script =
      ParseItemScript(chain.ItemScriptOf(item));
  *format = script->format;
  if (!script->offchain) return script->data;
  const std::string* chunk = chain.FindChunk(script->chunk);
  return chunk != nullptr ? absl::string_view(*chunk) : "";
}

Json DataJson(int format, absl::string_view bytes) {
  if (format == kFormatRaw) return Json::String(ToHex(bytes));
  Json data = Json::Object();
  if (format == kFormatText) {
    data.Add("text", bytes);
  } else {
    data.Add("json", DecodeUbjson(bytes).value_or(Json()));
  }
  return data;
}

void AddItemContent(const NodeState& state, ItemRef ref, bool available,
                    Json* json) {
  const Chain& chain = state.chain;
  const ChainItem& item = chain.item(ref);
  const ChainTx& tx = chain.tx(item.tx);
  const absl::optional<ItemScript> script =
      ParseItemScript(chain.ItemScriptOf(item));
  Json publishers = Json::Array();
  publishers.Append(Json::String(AddressOf(tx.signer)));
  Json keys = Json::Array();
  for (const absl::string_view key : script->keys) {
    keys.Append(Json::String(key));
  }
  json->Add("publishers", std::move(publishers)).Add("keys", std::move(keys));
  json->Add("offchain", script->offchain);
  if (available) json->Add("available", true);
  int format = 0;
  const absl::string_view bytes = ItemBytes(chain, item, &format);
  if (bytes.size() <= state.settings.max_shown_bytes) {
    json->Add("data", DataJson(format, bytes));
  } else {
    json->Add("data", Json::Object()
                          .Add("txid", ShownHash(tx.id))
                          .Add("vout", item.vout)
                          .Add("format", FormatName(format))
                          .Add("size", bytes.size()));
  }
}

void AddConfirmation(const Chain& chain, const ChainTx& tx, int if_invalid,
                     Json* json) {
  if (!tx.confirmed()) {
    json->Add("confirmations", tx.valid() ? 0 : if_invalid);
    return;
  }
  const ChainBlock& block = chain.block(tx.block);
  json->Add("confirmations", chain.Confirmations(tx))
      .Add("blockhash", ShownHash(block.hash))
      .Add("blockheight", block.height)
      .Add("blockindex", tx.index)
      .Add("blocktime", block.time);
}

Json ItemJson(const NodeState& state, ItemRef ref, bool verbose) {
  const ChainItem& item = state.chain.item(ref);
  const ChainTx& tx = state.chain.tx(item.tx);
  Json json = Json::Object();
  AddItemContent(state, ref, true, &json);
  if (verbose) {
    AddConfirmation(state.chain, tx, 0, &json);
  } else {
    json.Add("confirmations", state.chain.Confirmations(tx));
    if (tx.confirmed()) {
      json.Add("blocktime", state.chain.block(tx.block).time);
    }
  }
  json.Add("txid", ShownHash(tx.id));
  if (verbose) {
    json.Add("vout", item.vout)
        .Add("valid", tx.valid())
        .Add("time", tx.time)
        .Add("timereceived", tx.received);
  }
  return json;
}

}  // namespace windproof::fake_node
