#include "services/anchor/multichain/stream_node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/canonical/json_parser.h"
#include "services/anchor/multichain/chain_bytes.h"

namespace windproof {
namespace {

using Kind = JsonValue::Kind;

std::string Quoted(absl::string_view text) {
  std::string out;
  AppendQuoted(text, &out);
  return out;
}

absl::Status Unexpected(absl::string_view method, absl::string_view member) {
  return absl::DataLossError(
      absl::StrCat(method, ": ", member,
                   " of the node's answer is missing or has another type than "
                   "MultiChain 2.3 gives it"));
}

// Members, with what MultiChain gives where they are absent.
std::string TextOf(const JsonValue& value, const char* member) {
  const JsonValue* const found = value.Find(member);
  return found != nullptr && found->kind == Kind::kString ? found->string : "";
}

int64_t NumberOf(const JsonValue& value, const char* member) {
  const JsonValue* const found = value.Find(member);
  constexpr double kMax = 9007199254740992.0;
  if (found == nullptr || found->kind != Kind::kNumber ||
      !(found->number >= -kMax && found->number <= kMax)) {
    return 0;
  }
  return static_cast<int64_t>(found->number);
}

bool IsTrue(const JsonValue& value, const char* member) {
  const JsonValue* const found = value.Find(member);
  return found != nullptr && found->kind == Kind::kBool && found->boolean;
}

}  // namespace

StreamNode::StreamNode(JsonRpc& rpc, std::string stream, std::string address)
    : rpc_(rpc), stream_(std::move(stream)), address_(std::move(address)) {}

absl::StatusOr<ChainInfo> StreamNode::Info() {
  const RpcReply reply = rpc_.Call("getinfo", "[]");
  if (!reply.status.ok()) return reply.status;
  ChainInfo info;
  info.chain = TextOf(reply.result, "chainname");
  info.protocol = NumberOf(reply.result, "protocolversion");
  info.height = NumberOf(reply.result, "blocks");
  info.problems = TextOf(reply.result, "errors");
  if (info.chain.empty()) return Unexpected("getinfo", "chainname");
  return info;
}

absl::StatusOr<ChainTip> StreamNode::Tip() {
  const RpcReply reply = rpc_.Call("getlastblockinfo", "[]");
  if (!reply.status.ok()) return reply.status;
  ChainTip tip{TextOf(reply.result, "hash"), NumberOf(reply.result, "height")};
  if (!DigestFromHex(tip.hash).ok()) {
    return Unexpected("getlastblockinfo", "hash");
  }
  return tip;
}

absl::StatusOr<std::string> StreamNode::BlockHash(int64_t height) {
  const RpcReply reply =
      rpc_.Call("getblockhash", absl::StrCat("[", height, "]"));
  // Beyond the end it is a bad parameter.
  if (reply.code == -8 || reply.code == -711) {
    return absl::NotFoundError(reply.status.message());
  }
  if (!reply.status.ok()) return reply.status;
  if (!DigestFromHex(reply.result.string).ok()) {
    return Unexpected("getblockhash", "the hash");
  }
  return reply.result.string;
}

absl::StatusOr<int64_t> StreamNode::MineEmptyRounds() {
  const RpcReply reply = rpc_.Call("getblockchainparams", "[]");
  if (!reply.status.ok()) return reply.status;
  const JsonValue* const rounds = reply.result.Find("mine-empty-rounds");
  if (rounds == nullptr || rounds->kind != Kind::kNumber) {
    return Unexpected("getblockchainparams", "mine-empty-rounds");
  }
  return static_cast<int64_t>(rounds->number);
}

absl::StatusOr<bool> StreamNode::AnyoneMaySend() {
  const RpcReply reply = rpc_.Call("getblockchainparams", "[]");
  if (!reply.status.ok()) return reply.status;
  return IsTrue(reply.result, "anyone-can-send");
}

absl::StatusOr<StreamInfo> StreamNode::Stream() {
  const RpcReply reply =
      rpc_.Call("liststreams", absl::StrCat("[", Quoted(stream_), "]"));
  if (!reply.status.ok()) return reply.status;
  if (reply.result.kind != Kind::kArray || reply.result.elements.size() != 1) {
    return Unexpected("liststreams", "the one stream");
  }
  const JsonValue& found = reply.result.elements[0];
  StreamInfo info;
  info.create_txid = TextOf(found, "createtxid");
  if (!DigestFromHex(info.create_txid).ok()) {
    return Unexpected("liststreams", "createtxid");
  }
  const JsonValue* const restrict_to = found.Find("restrict");
  info.open = restrict_to != nullptr && !IsTrue(*restrict_to, "write");
  info.subscribed = IsTrue(found, "subscribed");
  info.synchronized = IsTrue(found, "synchronized");
  info.items = NumberOf(found, "items");
  return info;
}

absl::Status StreamNode::Create() {
  // Closed: who may write is granted.
  return rpc_
      .Call("createfrom", absl::StrCat("[", Quoted(address_), ",\"stream\",",
                                       Quoted(stream_), ",false]"))
      .status;
}

absl::Status StreamNode::Subscribe() {
  return rpc_.Call("subscribe", absl::StrCat("[", Quoted(stream_), "]")).status;
}

absl::StatusOr<bool> StreamNode::HasPermission(const std::string& permission) {
  const RpcReply reply = rpc_.Call(
      "listpermissions",
      absl::StrCat("[", Quoted(permission), ",", Quoted(address_), "]"));
  if (!reply.status.ok()) return reply.status;
  if (reply.result.kind != Kind::kArray) {
    return Unexpected("listpermissions", "the list");
  }
  for (const JsonValue& granted : reply.result.elements) {
    if (TextOf(granted, "address") == address_) return true;
  }
  return false;
}

absl::Status StreamNode::FetchData(StreamItem* item) {
  if (item->data_is != StreamItem::Data::kElsewhere) return absl::OkStatus();
  const RpcReply reply =
      rpc_.Call("gettxoutdata",
                absl::StrCat("[", Quoted(item->txid), ",", item->vout, "]"));
  if (reply.unparseable) {
    item->data_is = StreamItem::Data::kOther;
    return absl::OkStatus();
  }
  if (!reply.status.ok()) return reply.status;
  TakeStreamData(reply.result, item);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StreamItem>> StreamNode::Items(int64_t start,
                                                          int64_t count) {
  const RpcReply reply = rpc_.Call(
      "liststreamitems",
      absl::StrCat("[", Quoted(stream_), ",true,", count, ",", start, "]"));
  if (reply.unparseable) {
    if (count == 1) return std::vector<StreamItem>(1);
    // One item spoils the list: what lies before and behind it can be read.
    const int64_t half = count / 2;
    absl::StatusOr<std::vector<StreamItem>> items = Items(start, half);
    if (!items.ok() || static_cast<int64_t>(items->size()) < half) return items;
    absl::StatusOr<std::vector<StreamItem>> rest =
        Items(start + half, count - half);
    if (!rest.ok()) return rest;
    for (StreamItem& item : *rest) items->push_back(std::move(item));
    return items;
  }
  if (!reply.status.ok()) return reply.status;
  absl::StatusOr<std::vector<StreamItem>> items = StreamItemsFrom(reply.result);
  if (!items.ok()) return items;
  for (StreamItem& item : *items) {
    const absl::Status fetched = FetchData(&item);
    if (!fetched.ok()) return fetched;
  }
  return items;
}

absl::StatusOr<std::vector<StreamItem>> StreamNode::ItemsOf(
    const std::string& txid) {
  const RpcReply reply = rpc_.Call(
      "liststreamtxitems",
      absl::StrCat("[", Quoted(stream_), ",", Quoted(txid), ",true]"));
  if (!reply.status.ok()) return reply.status;
  absl::StatusOr<std::vector<StreamItem>> items = StreamItemsFrom(reply.result);
  if (!items.ok()) return items;
  for (StreamItem& item : *items) {
    const absl::Status fetched = FetchData(&item);
    if (!fetched.ok()) return fetched;
  }
  return items;
}

RpcReply StreamNode::Publish(absl::Span<const LedgerDraft> drafts) {
  RpcReply reply =
      rpc_.Call("publishmultifrom", PublishParams(address_, stream_, drafts));
  if (reply.status.ok() && !DigestFromHex(reply.result.string).ok()) {
    reply.status = Unexpected("publishmultifrom", "the txid");
    reply.outcome = RpcOutcome::kUnknown;
  }
  return reply;
}

absl::StatusOr<std::string> StreamNode::RawTransaction(
    const std::string& txid) {
  const RpcReply reply =
      rpc_.Call("getrawtransaction", absl::StrCat("[", Quoted(txid), "]"));
  if (!reply.status.ok()) return reply.status;
  absl::StatusOr<std::string> raw = BytesFromHex(reply.result.string);
  if (!raw.ok() || raw->empty()) {
    return Unexpected("getrawtransaction", "the transaction");
  }
  return raw;
}

absl::StatusOr<ChainBlock> StreamNode::Block(const std::string& hash) {
  const RpcReply raw =
      rpc_.Call("getblock", absl::StrCat("[", Quoted(hash), ",0]"));
  if (!raw.status.ok()) return raw.status;
  const RpcReply shown =
      rpc_.Call("getblock", absl::StrCat("[", Quoted(hash), ",1]"));
  if (!shown.status.ok()) return shown.status;
  ChainBlock block;
  const absl::StatusOr<std::string> header =
      BytesFromHex(raw.result.string.substr(0, 2 * kBlockHeaderBytes));
  if (!header.ok() || header->size() != kBlockHeaderBytes) {
    return Unexpected("getblock", "the header");
  }
  block.header = *header;
  const JsonValue* const txids = shown.result.Find("tx");
  if (txids == nullptr || txids->kind != Kind::kArray) {
    return Unexpected("getblock", "tx");
  }
  block.txids.reserve(txids->elements.size());
  for (const JsonValue& txid : txids->elements) {
    const absl::StatusOr<Digest> id = HashFromShown(txid.string);
    if (!id.ok()) return Unexpected("getblock", "tx");
    block.txids.push_back(*id);
  }
  return block;
}

}  // namespace windproof
