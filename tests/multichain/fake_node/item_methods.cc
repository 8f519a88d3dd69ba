#include "tests/multichain/fake_node/item_methods.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/item_json.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"

namespace windproof::fake_node {
namespace {

// verbose, count, start and local-ordering from parameter `at` on.
RpcResult ListPage(const NodeState& state, const Json& params, size_t at,
                   const ItemList& list) {
  bool verbose = false;
  bool local = false;
  Page page;
  if (MaybeError error = Bool(params, at, &verbose)) return *error;
  if (MaybeError error = ReadPage(params, at + 1, &page)) return *error;
  if (MaybeError error = Bool(params, at + 3, &local)) return *error;
  const auto [first, end] = PageOf(page, list.size());
  ItemList sorted;
  if (local) {
    sorted = list;
    std::sort(sorted.begin(), sorted.end());
  }
  Json json = Json::Array();
  json.Reserve(end - first);
  for (size_t i = first; i < end; ++i) {
    json.Append(ItemJson(state, local ? sorted[i] : list[i], verbose));
  }
  return json;
}

RpcResult ListStreamItems(NodeState* state, const Json& params) {
  uint32_t stream;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  return ListPage(*state, params, 1,
                  state->chain.streams()[stream].index.items());
}

RpcResult ListStreamKeyItems(NodeState* state, const Json& params) {
  uint32_t stream;
  std::string key;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  if (MaybeError error = Text(params, 1, &key)) return *error;
  const StreamIndex& index = state->chain.streams()[stream].index;
  return ListPage(*state, params, 2,
                  key == "*" ? index.items() : index.OfKey(key));
}

MaybeError Address(const Json& value, std::string* hash) {
  if (!value.is_string()) return WrongType(value, "str");
  const absl::optional<std::string> found = HashOfAddress(value.AsString());
  if (!found.has_value()) {
    return RpcError{kErrorAddress,
                    absl::StrCat("Invalid address: ", value.AsString())};
  }
  *hash = *found;
  return absl::nullopt;
}

RpcResult ListStreamPublisherItems(NodeState* state, const Json& params) {
  uint32_t stream;
  std::string hash;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  const StreamIndex& index = state->chain.streams()[stream].index;
  if (params.at(1).is_string() && params.at(1).AsString() == "*") {
    return ListPage(*state, params, 2, index.items());
  }
  if (MaybeError error = Address(params.at(1), &hash)) return *error;
  return ListPage(*state, params, 2, index.OfPublisher(hash));
}

RpcResult ListStreamBlockItems(NodeState* state, const Json& params) {
  uint32_t stream;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  // One height, "from-to" or a block's hash.
  const Chain& chain = state->chain;
  int64_t first = 0;
  int64_t last = 0;
  const Json& blocks = params.at(1);
  if (blocks.is_int()) {
    first = last = blocks.AsInt();
  } else if (blocks.is_string()) {
    const std::string& text = blocks.AsString();
    const size_t dash = text.find('-', 1);
    if (const auto hash = HashFromShown(text)) {
      const absl::optional<BlockRef> block = chain.FindBlock(*hash);
      if (!block.has_value()) {
        return RpcError{kErrorBlockNotFound, "Block not found"};
      }
      first = last = chain.block(*block).height;
    } else if (!absl::SimpleAtoi(text.substr(0, dash), &first) ||
               !absl::SimpleAtoi(
                   dash == std::string::npos ? text : text.substr(dash + 1),
                   &last)) {
      return RpcError{kErrorParameter, "Invalid block identifier"};
    }
  } else {
    return RpcError{kErrorParameter, "Invalid block-set-identifier"};
  }
  ItemList list;
  for (const ItemRef item : chain.streams()[stream].index.items()) {
    const ChainTx& tx = chain.tx(chain.item(item).tx);
    if (!tx.confirmed()) continue;
    const int64_t height = chain.block(tx.block).height;
    if (first <= height && height <= last) list.push_back(item);
  }
  return ListPage(*state, params, 2, list);
}

MaybeError ReadQuery(const Json& query, std::vector<std::string>* keys,
                     std::vector<std::string>* publishers) {
  if (!query.is_object()) {
    return RpcError{kErrorParameter, "Invalid query, should be object"};
  }
  if (query.size() == 0) {
    return RpcError{kErrorParameter, "Invalid query, cannot be empty"};
  }
  for (size_t i = 0; i < query.size(); ++i) {
    const std::string& name = query.name(i);
    const bool is_key = name == "key" || name == "keys";
    if (!is_key && name != "publisher" && name != "publishers") {
      return RpcError{kErrorParameter, absl::StrCat("Invalid field: ", name)};
    }
    std::vector<Json> values = {query.at(i)};
    if (query.at(i).is_array()) values = query.at(i).elements();
    for (const Json& value : values) {
      std::string text = value.AsString();
      if (is_key && !value.is_string()) return WrongType(value, "str");
      if (!is_key) {
        if (MaybeError error = Address(value, &text)) return error;
      }
      (is_key ? keys : publishers)->push_back(text);
    }
  }
  return absl::nullopt;
}

RpcResult ListStreamQueryItems(NodeState* state, const Json& params) {
  uint32_t stream;
  std::vector<std::string> keys;
  std::vector<std::string> publishers;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  if (MaybeError error = ReadQuery(params.at(1), &keys, &publishers)) {
    return *error;
  }
  const Chain& chain = state->chain;
  const StreamIndex& index = chain.streams()[stream].index;
  ItemList list;
  for (const ItemRef item :
       keys.empty() ? index.items() : index.OfKey(keys[0])) {
    const ChainItem& entry = chain.item(item);
    const auto script = ParseItemScript(chain.ItemScriptOf(entry));
    const std::string& signer = chain.tx(entry.tx).signer;
    bool matches = true;
    for (const std::string& key : keys) {
      matches = matches && std::find(script->keys.begin(), script->keys.end(),
                                     key) != script->keys.end();
    }
    for (const std::string& publisher : publishers) {
      matches = matches && publisher == signer;
    }
    if (matches) list.push_back(item);
  }
  return ListPage(*state, params, 2, list);
}

ItemList ItemsOfTx(const Chain& chain, const Digest& txid, uint32_t stream) {
  ItemList list;
  const absl::optional<TxRef> ref = chain.FindTx(txid);
  if (!ref.has_value()) return list;
  const ChainTx& tx = chain.tx(*ref);
  for (uint32_t i = 0; i < tx.item_count; ++i) {
    if (chain.item(tx.first_item + i).stream == stream) {
      list.push_back(tx.first_item + i);
    }
  }
  return list;
}

RpcResult GetStreamItem(NodeState* state, const Json& params) {
  uint32_t stream;
  Digest txid;
  bool verbose = false;
  // No -703 here: an item of one's own wallet is found without the index.
  if (MaybeError error = FindStream(*state, params.at(0), "Stream", &stream)) {
    return *error;
  }
  if (MaybeError error = TxId(params, 1, &txid)) return *error;
  if (MaybeError error = Bool(params, 2, &verbose)) return *error;
  const ItemList list = ItemsOfTx(state->chain, txid, stream);
  const bool subscribed = state->chain.streams()[stream].subscribed;
  if (list.empty() ||
      (!subscribed &&
       state->FindKey(state->chain.tx(state->chain.item(list[0]).tx).signer) ==
           nullptr)) {
    return RpcError{kErrorTxNotFound,
                    "This transaction was not found in this stream"};
  }
  if (list.size() > 1) {
    return RpcError{kErrorNotAllowed,
                    "This transaction has more than one output for this "
                    "stream, please use liststreamtxitems"};
  }
  return ItemJson(*state, list[0], verbose);
}

RpcResult ListStreamTxItems(NodeState* state, const Json& params) {
  uint32_t stream;
  bool verbose = false;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  if (MaybeError error = Bool(params, 2, &verbose)) return *error;
  std::vector<Json> ids = {params.at(1)};
  if (params.at(1).is_array()) ids = params.at(1).elements();
  Json json = Json::Array();
  for (const Json& id : ids) {
    Json one = Json::Array();
    one.Append(id);
    Digest txid;
    if (MaybeError error = TxId(one, 0, &txid)) return *error;
    for (const ItemRef item : ItemsOfTx(state->chain, txid, stream)) {
      json.Append(ItemJson(*state, item, verbose));
    }
  }
  return json;
}

}  // namespace

absl::Span<const RpcMethod> ItemMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"liststreamitems", 1, 5, ListStreamItems},
      {"liststreamkeyitems", 2, 6, ListStreamKeyItems},
      {"liststreampublisheritems", 2, 6, ListStreamPublisherItems},
      {"liststreamblockitems", 2, 5, ListStreamBlockItems},
      {"liststreamqueryitems", 2, 5, ListStreamQueryItems},
      {"liststreamtxitems", 2, 3, ListStreamTxItems},
      {"getstreamitem", 2, 3, GetStreamItem},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
