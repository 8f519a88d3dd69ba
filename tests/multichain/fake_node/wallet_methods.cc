#include "tests/multichain/fake_node/wallet_methods.h"

#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/wallet_tx.h"

namespace windproof::fake_node {
namespace {

Json AddressJson(const Key& key) {
  return Json::Object()
      .Add("address", key.address())
      .Add("ismine", true)
      .Add("iswatchonly", false)
      .Add("isscript", false)
      .Add("pubkey", ToHex(key.public_key()))
      .Add("iscompressed", true)
      .Add("account", "")
      .Add("synchronized", true);
}

RpcResult GetAddresses(NodeState* state, const Json& params) {
  bool verbose = false;
  if (MaybeError error = Bool(params, 0, &verbose)) return *error;
  Json list = Json::Array();
  for (const Key& key : state->keys) {
    list.Append(verbose ? AddressJson(key) : Json::String(key.address()));
  }
  return list;
}

RpcResult GetNewAddress(NodeState* state, const Json&) {
  return Json::String(state->NewKey().address());
}

RpcResult ValidateAddress(NodeState* state, const Json& params) {
  std::string address;
  if (MaybeError error = Text(params, 0, &address)) return *error;
  const absl::optional<std::string> hash = HashOfAddress(address);
  Json json = Json::Object().Add("isvalid", hash.has_value());
  if (!hash.has_value()) return json;
  const Key* key = state->FindKey(*hash);
  if (key == nullptr) {
    return json.Add("address", address)
        .Add("ismine", false)
        .Add("iswatchonly", false)
        .Add("isscript", false)
        .Add("synchronized", false);
  }
  const Json known = AddressJson(*key);
  for (size_t i = 0; i < known.size(); ++i) {
    json.Add(known.name(i), known.at(i));
  }
  return json;
}

// Signed is the hash that Bitcoin signs of a message. The answer is not its
// 65-byte form but the DER signature, filled up: only this node can verify it.
constexpr size_t kMessageSignatureSize = 75;

Digest MessageHash(absl::string_view message) {
  std::string text(
      "\x18"
      "Bitcoin Signed Message:\n");
  AppendCompactSize(message.size(), &text);
  absl::StrAppend(&text, message);
  return DoubleSha256(text);
}

RpcResult SignMessage(NodeState* state, const Json& params) {
  std::string address;
  std::string message;
  if (MaybeError error = Text(params, 0, &address)) return *error;
  if (MaybeError error = Text(params, 1, &message)) return *error;
  const absl::optional<std::string> hash = HashOfAddress(address);
  const Key* key = hash.has_value() ? state->FindKey(*hash) : nullptr;
  if (key == nullptr) {
    return RpcError{kErrorAddress, "Invalid address or private key"};
  }
  std::string signature = key->Sign(MessageHash(message));
  signature.insert(signature.begin(), static_cast<char>(signature.size()));
  signature.resize(kMessageSignatureSize);
  return Json::String(absl::Base64Escape(signature));
}

RpcResult VerifyMessage(NodeState* state, const Json& params) {
  std::string address;
  std::string encoded;
  std::string message;
  if (MaybeError error = Text(params, 0, &address)) return *error;
  if (MaybeError error = Text(params, 1, &encoded)) return *error;
  if (MaybeError error = Text(params, 2, &message)) return *error;
  const absl::optional<std::string> hash = HashOfAddress(address);
  if (!hash.has_value()) return RpcError{-3, "Invalid address"};
  std::string signature;
  if (!absl::Base64Unescape(encoded, &signature)) {
    return RpcError{-22, "Malformed base64 encoding"};
  }
  const Key* key = state->FindKey(*hash);
  if (key == nullptr || signature.size() != kMessageSignatureSize) {
    return Json::Bool(false);
  }
  const auto size = static_cast<uint8_t>(signature[0]);
  return Json::Bool(
      VerifySignature(key->public_key(), MessageHash(message),
                      absl::string_view(signature).substr(1, size)));
}

RpcResult GetWalletInfo(NodeState* state, const Json&) {
  size_t unspent = 0;
  for (const Key& key : state->keys) {
    unspent += state->chain.Unspent(key.hash()).size();
  }
  return Json::Object()
      .Add("walletversion", 60000)
      .Add("balance", 0)
      .Add("walletdbversion", 3)
      .Add("txcount", state->chain.tx_count())
      .Add("utxocount", unspent)
      .Add("keypoololdest", 1795448839)
      .Add("keypoolsize", 2);
}

Json PermissionJson(const NodeState& state, const PermissionScript& script) {
  Json target;
  for (const ChainStream& stream : state.chain.streams()) {
    if (!script.entity.empty() && stream.entity == script.entity) {
      target = Json::Object()
                   .Add("type", "stream")
                   .Add("name", stream.name)
                   .Add("streamref", StreamRefJson(state, stream));
    }
  }
  const bool of_stream = !script.entity.empty();
  Json json = Json::Object().Add("for", std::move(target));
  if (of_stream) {
    for (const char* name : {"write", "read", "admin", "activate"}) {
      json.Add(name, (script.type & PermissionType(name, true)) != 0);
    }
  } else {
    for (const PermissionName& name : ChainPermissions()) {
      json.Add(name.name, (script.type & name.type) != 0);
    }
  }
  return json.Add("custom", Json::Array())
      .Add("startblock", script.from)
      .Add("endblock", script.to)
      .Add("timestamp", script.time);
}

RpcResult ListUnspent(NodeState* state, const Json& params) {
  int64_t min_confirmations = 1;
  if (params.size() > 0 && params.at(0).is_int()) {
    min_confirmations = params.at(0).AsInt();
  }
  Json list = Json::Array();
  for (const Key& key : state->keys) {
    for (const OutPoint& point : state->chain.Unspent(key.hash())) {
      const ChainTx& tx = state->chain.tx(*state->chain.FindTx(point.txid));
      const uint32_t confirmations = state->chain.Confirmations(tx);
      if (confirmations < min_confirmations) continue;
      const auto parsed = ParseTransaction(tx.raw);
      const absl::string_view script = parsed->outputs[point.vout].script;
      Json permissions = Json::Array();
      if (const auto permission = ParsePermissionScript(script)) {
        permissions.Append(PermissionJson(*state, *permission));
      }
      list.Append(Json::Object()
                      .Add("txid", ShownHash(point.txid))
                      .Add("vout", point.vout)
                      .Add("address", key.address())
                      .Add("account", "")
                      .Add("scriptPubKey", ToHex(script))
                      .Add("amount", 0)
                      .Add("confirmations", confirmations)
                      .Add("cansend", MayNow(*state, key, "", kPermitSend))
                      .Add("spendable", true)
                      .Add("assets", Json::Array())
                      .Add("permissions", std::move(permissions)));
    }
  }
  return list;
}

}  // namespace

absl::Span<const RpcMethod> WalletMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"getaddresses", 0, 1, GetAddresses},
      {"getnewaddress", 0, 1, GetNewAddress},
      {"validateaddress", 1, 1, ValidateAddress},
      {"signmessage", 2, 2, SignMessage},
      {"verifymessage", 3, 3, VerifyMessage},
      {"getwalletinfo", 0, 0, GetWalletInfo},
      {"listunspent", 0, 3, ListUnspent},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
