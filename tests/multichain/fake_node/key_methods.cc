#include "tests/multichain/fake_node/key_methods.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/item_json.h"
#include "tests/multichain/fake_node/key.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/ubjson.h"

namespace windproof::fake_node {
namespace {

struct NamedList {
  std::string name;  // as shown
  const ItemList* items;
};

// verbose, count, start and local-ordering from parameter 2 on.
RpcResult ListSummaries(const NodeState& state, const Json& params,
                        const char* label,
                        const std::vector<NamedList>& lists) {
  bool verbose = false;
  Page page;
  page.count = static_cast<int64_t>(lists.size());
  if (MaybeError error = Bool(params, 2, &verbose)) return *error;
  if (MaybeError error = ReadPage(params, 3, &page)) return *error;
  const auto [first, end] = PageOf(page, lists.size());
  Json json = Json::Array();
  for (size_t i = first; i < end; ++i) {
    const ItemList& items = *lists[i].items;
    Json one = Json::Object()
                   .Add(label, lists[i].name)
                   .Add("items", items.size())
                   .Add("confirmed", state.chain.ConfirmedOf(items));
    if (verbose && !items.empty()) {
      one.Add("first", ItemJson(state, items.front(), true))
          .Add("last", ItemJson(state, items.back(), true));
    }
    json.Append(std::move(one));
  }
  return json;
}

// The names that parameter 1 asks for; empty means all.
MaybeError Names(const Json& params, std::vector<std::string>* names) {
  if (params.size() < 2 || params.at(1).is_null()) return absl::nullopt;
  std::vector<Json> all = {params.at(1)};
  if (params.at(1).is_array()) all = params.at(1).elements();
  for (const Json& name : all) {
    if (!name.is_string()) return WrongType(name, "str");
    if (all.size() == 1 && name.AsString() == "*") return absl::nullopt;
    names->push_back(name.AsString());
  }
  return absl::nullopt;
}

RpcResult ListStreamKeys(NodeState* state, const Json& params) {
  uint32_t stream;
  std::vector<std::string> names;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  if (MaybeError error = Names(params, &names)) return *error;
  const StreamIndex& index = state->chain.streams()[stream].index;
  std::vector<NamedList> lists;
  if (names.empty()) {
    for (const std::string& key : index.keys()) {
      lists.push_back({key, &index.OfKey(key)});
    }
  } else {
    for (const std::string& key : names) {
      lists.push_back({key, &index.OfKey(key)});
    }
  }
  return ListSummaries(*state, params, "key", lists);
}

RpcResult ListStreamPublishers(NodeState* state, const Json& params) {
  uint32_t stream;
  std::vector<std::string> names;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  if (MaybeError error = Names(params, &names)) return *error;
  const StreamIndex& index = state->chain.streams()[stream].index;
  std::vector<NamedList> lists;
  if (names.empty()) {
    for (const std::string& hash : index.publishers()) {
      lists.push_back({AddressOf(hash), &index.OfPublisher(hash)});
    }
  } else {
    for (const std::string& address : names) {
      const absl::optional<std::string> hash = HashOfAddress(address);
      if (!hash.has_value()) {
        return RpcError{kErrorAddress,
                        absl::StrCat("Invalid address: ", address)};
      }
      lists.push_back({address, &index.OfPublisher(*hash)});
    }
  }
  return ListSummaries(*state, params, "publisher", lists);
}

// Only jsonobjectmerge: later members win, and the result is sorted.
RpcResult Summary(const NodeState& state, const ItemList& items,
                  const std::string& mode) {
  if (mode != "jsonobjectmerge") {
    return RpcError{kErrorNotSupported,
                    absl::StrCat("Unsupported mode: ", mode)};
  }
  std::map<std::string, Json> members;
  for (const ItemRef ref : items) {
    int format;
    const absl::string_view bytes =
        ItemBytes(state.chain, state.chain.item(ref), &format);
    const absl::optional<Json> json =
        format == kFormatJson ? DecodeUbjson(bytes) : absl::nullopt;
    if (!json.has_value() || !json->is_object()) {
      return RpcError{kErrorNotAllowed,
                      "Some items in this summary are not JSON objects"};
    }
    for (size_t i = 0; i < json->size(); ++i) {
      members[json->name(i)] = json->at(i);
    }
  }
  Json merged = Json::Object();
  for (auto& [name, value] : members) merged.Add(name, std::move(value));
  return Json::Object().Add("json", std::move(merged));
}

RpcResult GetStreamKeySummary(NodeState* state, const Json& params) {
  uint32_t stream;
  std::string key;
  std::string mode;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  if (MaybeError error = Text(params, 1, &key)) return *error;
  if (MaybeError error = Text(params, 2, &mode)) return *error;
  return Summary(*state, state->chain.streams()[stream].index.OfKey(key), mode);
}

RpcResult GetStreamPublisherSummary(NodeState* state, const Json& params) {
  uint32_t stream;
  std::string address;
  std::string mode;
  if (MaybeError error = SubscribedStream(*state, params, &stream)) {
    return *error;
  }
  if (MaybeError error = Text(params, 1, &address)) return *error;
  if (MaybeError error = Text(params, 2, &mode)) return *error;
  const std::string hash = HashOfAddress(address).value_or("");
  return Summary(*state, state->chain.streams()[stream].index.OfPublisher(hash),
                 mode);
}

}  // namespace

absl::Span<const RpcMethod> KeyMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"liststreamkeys", 1, 6, ListStreamKeys},
      {"liststreampublishers", 1, 6, ListStreamPublishers},
      {"getstreamkeysummary", 3, 3, GetStreamKeySummary},
      {"getstreampublishersummary", 3, 3, GetStreamPublisherSummary},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
