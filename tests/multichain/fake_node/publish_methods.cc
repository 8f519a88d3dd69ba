#include "tests/multichain/fake_node/publish_methods.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/ubjson.h"
#include "tests/multichain/fake_node/wallet_tx.h"

namespace windproof::fake_node {
namespace {

constexpr size_t kMaxKeyBytes = 256;

struct NewItem {
  uint32_t stream = 0;
  std::vector<std::string> keys;
  int format = kFormatRaw;
  std::string data;
  bool offchain = false;
};

RpcError Bad(absl::string_view message) {
  return {kErrorParameter, std::string(message)};
}

MaybeError ReadKeys(const Json& keys, NewItem* item) {
  std::vector<Json> all = {keys};
  if (keys.is_array()) {
    all = keys.elements();
    if (all.empty()) return Bad("Item keys array cannot be empty");
  } else if (!keys.is_string()) {
    return Bad("Item keys should be either string or array");
  }
  for (const Json& key : all) {
    if (!key.is_string()) {
      return Bad("Item keys array should contain only strings");
    }
    if (key.AsString() == "*") return Bad("Invalid item-key-string: *");
    if (key.AsString().size() > kMaxKeyBytes) {
      return Bad("Item key is too long");
    }
    item->keys.push_back(key.AsString());
  }
  return absl::nullopt;
}

MaybeError ReadData(const Json& data, NewItem* item) {
  if (data.is_string()) {
    const absl::optional<std::string> bytes = FromHex(data.AsString());
    if (bytes.has_value()) {
      item->data = *bytes;
      return absl::nullopt;
    }
  }
  if (!data.is_object()) {
    return Bad("data should be hexadecimal string or recognized object");
  }
  if (data.size() != 1) {
    return Bad("data should be object with single element");
  }
  const Json& value = data.at(0);
  if (data.name(0) == "text") {
    if (!value.is_string()) return Bad("value in data object should be string");
    item->format = kFormatText;
    item->data = value.AsString();
    return absl::nullopt;
  }
  if (data.name(0) != "json") {
    return RpcError{kErrorNotSupported,
                    absl::StrCat("Unsupported item data type: ", data.name(0))};
  }
  absl::optional<std::string> bytes = EncodeUbjson(value);
  if (!bytes.has_value()) {
    return Bad("Couldn't transfer JSON object to internal UBJSON format");
  }
  item->format = kFormatJson;
  item->data = *std::move(bytes);
  return absl::nullopt;
}

MaybeError ReadOptions(const NodeState& state, const Json& options,
                       NewItem* item) {
  if (options.is_null() ||
      (options.is_string() && options.AsString().empty())) {
    return absl::nullopt;
  }
  if (!options.is_string() || options.AsString() != "offchain") {
    return Bad("Stream item options must be offchain or empty");
  }
  item->offchain = true;
  if ((state.chain.streams()[item->stream].restricts & kRestrictOffchain) !=
      0) {
    return RpcError{kErrorNotAllowed,
                    "Publishing offchain items is not allowed to this stream"};
  }
  return absl::nullopt;
}

MaybeError CheckMay(const NodeState& state, const Key& key,
                    const std::vector<NewItem>& items) {
  for (const NewItem& item : items) {
    const ChainStream& stream = state.chain.streams()[item.stream];
    if ((stream.restricts & kRestrictWrite) != 0 &&
        !MayNow(state, key, stream.entity, kPermitWrite)) {
      return RpcError{
          kErrorPermission,
          "Publishing in this stream is not allowed from this address"};
    }
  }
  if (!MayNow(state, key, "", kPermitSend)) {
    return RpcError{kErrorPermission,
                    "from-address doesn't have send permission"};
  }
  return absl::nullopt;
}

// A plain publish takes any key that may, and not always the same.
const Key* ChooseKey(NodeState* state, const std::vector<NewItem>& items) {
  std::vector<const Key*> able;
  for (const Key& key : state->keys) {
    if (std::all_of(items.begin(), items.end(), [&](const NewItem& item) {
          return MayPublish(*state, key, state->chain.streams()[item.stream]);
        })) {
      able.push_back(&key);
    }
  }
  if (able.empty()) return nullptr;
  return able[state->publish_count++ % able.size()];
}

// `from` is null for any address.
RpcResult Publish(NodeState* state, const Json* from,
                  const std::vector<NewItem>& items) {
  const Key* key = nullptr;
  if (from != nullptr) {
    if (MaybeError error = WalletKey(*state, *from, &key)) return *error;
    if (MaybeError error = CheckMay(*state, *key, items)) return *error;
  } else {
    key = ChooseKey(state, items);
    if (key == nullptr) {
      return RpcError{kErrorPermission,
                      "This wallet contains no addresses with permission to "
                      "write to this stream and global send permission."};
    }
  }
  uint64_t largest = 0;
  uint64_t total = 0;
  std::vector<std::string> outputs;
  for (const NewItem& item : items) {
    ItemScript script;
    script.entity = state->chain.streams()[item.stream].entity;
    for (const std::string& one : item.keys) script.keys.push_back(one);
    script.format = static_cast<uint8_t>(item.format);
    script.offchain = item.offchain;
    if (item.offchain) {
      script.chunk = std::string(BytesOf(Sha256Of(item.data)));
      script.chunk_size = item.data.size();
      state->chain.AddChunk(item.data);
    } else {
      script.data = item.data;
      largest = std::max<uint64_t>(largest, item.data.size());
      total += item.data.size();
    }
    outputs.push_back(MakeItemScript(script));
  }
  if (total <= state->settings.max_transaction_bytes &&
      largest > state->settings.max_item_bytes) {
    return RpcError{kErrorRejected,
                    "Error: The transaction was rejected: 64: scriptpubkey"};
  }
  return Send(state, *key, std::move(outputs));
}

// publish and publishfrom: stream, keys, data, options from `at` on.
RpcResult PublishOne(NodeState* state, const Json* from, const Json& params,
                     size_t at) {
  std::vector<NewItem> items(1);
  NewItem& item = items[0];
  if (from != nullptr) {
    const Key* key;
    if (MaybeError error = WalletKey(*state, *from, &key)) return *error;
  }
  if (MaybeError error =
          FindStream(*state, params.at(at), "Stream", &item.stream)) {
    return *error;
  }
  if (MaybeError error = ReadKeys(params.at(at + 1), &item)) return *error;
  if (at + 3 < params.size()) {
    if (MaybeError error = ReadOptions(*state, params.at(at + 3), &item)) {
      return *error;
    }
  }
  if (MaybeError error = ReadData(params.at(at + 2), &item)) return *error;
  return Publish(state, from, items);
}

MaybeError ReadItem(const NodeState& state, const Json& json, NewItem* item) {
  if (!json.is_object()) return Bad("Invalid item, should be object");
  const Json* data = nullptr;
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string& name = json.name(i);
    MaybeError error;
    if (name == "for") {
      error = FindStream(state, json.at(i), "Stream", &item->stream);
    } else if (name == "key" || name == "keys") {
      error = ReadKeys(json.at(i), item);
    } else if (name == "data") {
      data = &json.at(i);
    } else if (name != "options") {
      error = Bad(absl::StrCat("Invalid field: ", name));
    }
    if (error.has_value()) return error;
  }
  if (const Json* options = json.Find("options")) {
    if (MaybeError error = ReadOptions(state, *options, item)) return error;
  }
  if (data == nullptr) return Bad("Missing data field");
  if (item->keys.empty()) item->keys.emplace_back();
  return ReadData(*data, item);
}

// publishmulti and publishmultifrom: stream, items, options from `at` on.
RpcResult PublishMany(NodeState* state, const Json* from, const Json& params,
                      size_t at) {
  uint32_t stream;
  if (from != nullptr) {
    const Key* key;
    if (MaybeError error = WalletKey(*state, *from, &key)) return *error;
  }
  if (MaybeError error = FindStream(*state, params.at(at), "Stream", &stream)) {
    return *error;
  }
  const Json& list = params.at(at + 1);
  if (!list.is_array()) return WrongType(list, "array");
  if (list.size() == 0) {
    return Bad("Either addresses object or data array should not be empty");
  }
  if (list.size() > state->settings.max_items) {
    return Bad(absl::StrCat("Number of items exceeds ",
                            state->settings.max_items,
                            " (max-std-op-returns-count)"));
  }
  std::vector<NewItem> items(list.size());
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].stream = stream;
    if (at + 2 < params.size()) {
      if (MaybeError error =
              ReadOptions(*state, params.at(at + 2), &items[i])) {
        return *error;
      }
    }
    if (MaybeError error = ReadItem(*state, list.at(i), &items[i])) {
      return *error;
    }
  }
  return Publish(state, from, items);
}

RpcResult PublishMethod(NodeState* state, const Json& params) {
  return PublishOne(state, nullptr, params, 0);
}

RpcResult PublishFrom(NodeState* state, const Json& params) {
  return PublishOne(state, &params.at(0), params, 1);
}

RpcResult PublishMulti(NodeState* state, const Json& params) {
  return PublishMany(state, nullptr, params, 0);
}

RpcResult PublishMultiFrom(NodeState* state, const Json& params) {
  return PublishMany(state, &params.at(0), params, 1);
}

}  // namespace

absl::Span<const RpcMethod> PublishMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"publish", 3, 4, PublishMethod},
      {"publishfrom", 4, 5, PublishFrom},
      {"publishmulti", 2, 3, PublishMulti},
      {"publishmultifrom", 3, 4, PublishMultiFrom},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
