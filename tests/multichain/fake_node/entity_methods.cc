#include "tests/multichain/fake_node/entity_methods.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/multichain/fake_node/bytes.h"
#include "tests/multichain/fake_node/rpc_params.h"
#include "tests/multichain/fake_node/script.h"
#include "tests/multichain/fake_node/ubjson.h"
#include "tests/multichain/fake_node/wallet_tx.h"

namespace windproof::fake_node {
namespace {

constexpr size_t kMaxNameBytes = 32;

MaybeError ReadRestricts(const Json& open, uint8_t* restricts) {
  if (open.is_bool()) {
    *restricts = open.AsBool() ? 0 : kRestrictWrite;
    return absl::nullopt;
  }
  const Json* list = open.is_object() ? open.Find("restrict") : nullptr;
  if (list == nullptr || !list->is_string()) {
    return RpcError{kErrorParameter,
                    "Invalid open flag, should be boolean or object"};
  }
  *restricts = 0;
  for (const absl::string_view name : absl::StrSplit(
           absl::string_view(list->AsString()), ',', absl::SkipEmpty())) {
    const uint8_t bit = name == "write"      ? kRestrictWrite
                        : name == "read"     ? kRestrictRead
                        : name == "onchain"  ? kRestrictOnchain
                        : name == "offchain" ? kRestrictOffchain
                                             : 0;
    if (bit == 0) {
      return RpcError{kErrorParameter,
                      absl::StrCat("Invalid restrict field: ", name)};
    }
    *restricts |= bit;
  }
  return absl::nullopt;
}

// The wallet's key that may do `type` in `entity`, or null.
const Key* KeyThatMay(const NodeState& state, absl::string_view entity,
                      uint32_t type) {
  for (const Key& key : state.keys) {
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
      if ((type & bit) != 0 && MayNow(state, key, entity, bit)) return &key;
    }
  }
  return nullptr;
}

RpcResult CreateWith(NodeState* state, const Key* key, const Json& params,
                     size_t at) {
  std::string type;
  CreateScript create;
  if (MaybeError error = Text(params, at, &type)) return *error;
  if (type != "stream") {
    return RpcError{kErrorParameter, "Invalid entity type"};
  }
  if (MaybeError error = Text(params, at + 1, &create.name)) return *error;
  if (create.name.size() > kMaxNameBytes || create.name == "*") {
    return RpcError{kErrorParameter, "Invalid stream name"};
  }
  if (MaybeError error = ReadRestricts(params.at(at + 2), &create.restricts)) {
    return *error;
  }
  if (at + 3 < params.size()) {
    if (!params.at(at + 3).is_object())
      return WrongType(params.at(at + 3), "obj");
    create.details = EncodeUbjson(params.at(at + 3)).value_or("");
  }
  uint32_t taken;
  if (!create.name.empty() &&
      !FindStream(*state, params.at(at + 1), "", &taken).has_value()) {
    return RpcError{kErrorDuplicateName,
                    "Entity with this name already exists"};
  }
  if (key == nullptr) key = KeyThatMay(*state, "", kPermitCreate);
  if (key == nullptr || !MayNow(*state, *key, "", kPermitCreate)) {
    return RpcError{kErrorPermission,
                    "This wallet doesn't have keys with create permission"};
  }
  if (state->chain.Unspent(key->hash()).empty() || state->chain.height() == 0) {
    return RpcError{kErrorPermission,
                    "No unspent output with create permission."};
  }
  return Send(state, *key, {MakeCreateScript(create)});
}

RpcResult Create(NodeState* state, const Json& params) {
  return CreateWith(state, nullptr, params, 0);
}

RpcResult CreateFrom(NodeState* state, const Json& params) {
  const Key* key;
  if (MaybeError error = WalletKey(*state, params.at(0), &key)) return *error;
  return CreateWith(state, key, params, 1);
}

// "send,receive" or "STREAM.write,STREAM.read".
MaybeError ReadPermissions(const NodeState& state, const std::string& text,
                           std::string* entity, uint32_t* type) {
  *type = 0;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const size_t dot = part.rfind('.');
    const bool of_stream = dot != absl::string_view::npos;
    if (of_stream) {
      uint32_t stream;
      if (MaybeError error = FindStream(
              state, Json::String(part.substr(0, dot)), "Entity", &stream)) {
        return error;
      }
      *entity = state.chain.streams()[stream].entity;
    }
    const uint32_t one =
        PermissionType(of_stream ? part.substr(dot + 1) : part, of_stream);
    if (one == 0) return RpcError{kErrorParameter, "Invalid permission"};
    *type |= one;
  }
  return absl::nullopt;
}

RpcResult GrantWith(NodeState* state, const Key* key, const Json& params,
                    size_t at, bool revoke) {
  std::string addresses;
  std::string permissions;
  PermissionScript script;
  if (MaybeError error = Text(params, at, &addresses)) return *error;
  if (MaybeError error = Text(params, at + 1, &permissions)) return *error;
  if (MaybeError error =
          ReadPermissions(*state, permissions, &script.entity, &script.type)) {
    return *error;
  }
  script.to = revoke ? 0 : kForever;
  if (!revoke && at + 3 < params.size() && params.at(at + 3).is_int()) {
    script.from = static_cast<uint32_t>(params.at(at + 3).AsInt());
  }
  if (!revoke && at + 4 < params.size() && params.at(at + 4).is_int()) {
    script.to = static_cast<uint32_t>(params.at(at + 4).AsInt());
  }
  script.time = static_cast<uint32_t>(state->Now());
  std::vector<std::string> outputs;
  for (const absl::string_view address : absl::StrSplit(addresses, ',')) {
    const absl::optional<std::string> hash = HashOfAddress(address);
    if (!hash.has_value()) {
      return RpcError{kErrorAddress,
                      absl::StrCat("Invalid address: ", address)};
    }
    script.public_key_hash = *hash;
    outputs.push_back(MakePermissionScript(script));
  }
  constexpr uint32_t kNeedsAdmin = kPermitAdmin | kPermitMine;
  const uint32_t needs = (script.type & kNeedsAdmin) != 0
                             ? kPermitAdmin
                             : kPermitAdmin | kPermitActivate;
  if (key == nullptr) key = KeyThatMay(*state, script.entity, needs);
  if (key == nullptr || !(MayNow(*state, *key, script.entity, kPermitAdmin) ||
                          MayNow(*state, *key, script.entity, needs))) {
    return RpcError{kErrorPermission,
                    "This wallet doesn't have addresses with activate or admin "
                    "permission"};
  }
  return Send(state, *key, std::move(outputs));
}

RpcResult Grant(NodeState* state, const Json& params) {
  return GrantWith(state, nullptr, params, 0, false);
}

RpcResult Revoke(NodeState* state, const Json& params) {
  return GrantWith(state, nullptr, params, 0, true);
}

RpcResult GrantFrom(NodeState* state, const Json& params) {
  const Key* key;
  if (MaybeError error = WalletKey(*state, params.at(0), &key)) return *error;
  return GrantWith(state, key, params, 1, false);
}

RpcResult RevokeFrom(NodeState* state, const Json& params) {
  const Key* key;
  if (MaybeError error = WalletKey(*state, params.at(0), &key)) return *error;
  return GrantWith(state, key, params, 1, true);
}

// All of one address together, addresses in the order of their first entries.
Json ByAddress(const Json& list) {
  std::vector<std::string> addresses;
  for (const Json& entry : list.elements()) {
    const std::string& address = entry.Find("address")->AsString();
    if (std::find(addresses.begin(), addresses.end(), address) ==
        addresses.end()) {
      addresses.push_back(address);
    }
  }
  Json sorted = Json::Array();
  for (const std::string& address : addresses) {
    for (const Json& entry : list.elements()) {
      if (entry.Find("address")->AsString() == address) sorted.Append(entry);
    }
  }
  return sorted;
}

RpcResult ListPermissions(NodeState* state, const Json& params) {
  std::string permissions = "*";
  std::string only;
  bool verbose = false;
  if (params.size() > 0) {
    if (MaybeError error = Text(params, 0, &permissions)) return *error;
  }
  if (params.size() > 1 && !params.at(1).is_null()) {
    std::string address;
    if (MaybeError error = Text(params, 1, &address)) return *error;
    if (address != "*") {
      const absl::optional<std::string> hash = HashOfAddress(address);
      if (!hash.has_value()) {
        return RpcError{kErrorAddress,
                        absl::StrCat("Invalid address: ", address)};
      }
      only = *hash;
    }
  }
  if (MaybeError error = Bool(params, 2, &verbose)) return *error;

  std::string entity;
  Json for_json;
  std::string names = permissions;
  const size_t dot = permissions.rfind('.');
  const bool of_stream = dot != std::string::npos;
  if (of_stream) {
    uint32_t ref;
    if (MaybeError error = FindStream(
            *state, Json::String(permissions.substr(0, dot)), "Entity", &ref)) {
      return *error;
    }
    const ChainStream& stream = state->chain.streams()[ref];
    entity = stream.entity;
    for_json = Json::Object()
                   .Add("type", "stream")
                   .Add("name", stream.name)
                   .Add("streamref", StreamRefJson(*state, stream));
    names = permissions.substr(dot + 1);
  }
  uint32_t wanted = 0xFFFFFFFF;
  if (names != "*" && names != "all") {
    std::string unused;
    if (MaybeError error =
            ReadPermissions(*state, permissions, &unused, &wanted)) {
      return *error;
    }
  }
  Json list = Json::Array();
  for (const PermissionName& name :
       of_stream ? StreamPermissions() : ChainPermissions()) {
    if ((name.type & wanted) == 0) continue;
    for (const Permissions::Entry& entry : state->chain.permissions().List(
             entity, name.type, state->chain.height() + 1)) {
      if (!only.empty() && entry.hash != only) continue;
      Json json = Json::Object()
                      .Add("address", AddressOf(entry.hash))
                      .Add("for", for_json)
                      .Add("type", name.name)
                      .Add("startblock", entry.from)
                      .Add("endblock", entry.to);
      if (verbose) {
        Json admins = Json::Array();
        admins.Append(Json::String(AddressOf(entry.admin)));
        json.Add("admins", std::move(admins)).Add("pending", Json::Array());
      }
      list.Append(std::move(json));
    }
  }
  return ByAddress(list);
}

}  // namespace

absl::Span<const RpcMethod> EntityMethods() {
  static constexpr RpcMethod kMethods[] = {
      {"create", 3, 4, Create},
      {"createfrom", 4, 5, CreateFrom},
      {"grant", 2, 7, Grant},
      {"grantfrom", 3, 8, GrantFrom},
      {"revoke", 2, 5, Revoke},
      {"revokefrom", 3, 6, RevokeFrom},
      {"listpermissions", 0, 3, ListPermissions},
  };
  return kMethods;
}

}  // namespace windproof::fake_node
