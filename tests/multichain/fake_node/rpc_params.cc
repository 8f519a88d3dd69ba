#include "tests/multichain/fake_node/rpc_params.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"

namespace windproof::fake_node {

RpcError WrongType(const Json& value, absl::string_view expected) {
  return {kErrorMisc, absl::StrCat("value is type ", KindName(value),
                                   ", expected ", expected)};
}

MaybeError Text(const Json& params, size_t at, std::string* value) {
  if (!params.at(at).is_string()) return WrongType(params.at(at), "str");
  *value = params.at(at).AsString();
  return absl::nullopt;
}

MaybeError Bool(const Json& params, size_t at, bool* value) {
  if (at >= params.size()) return absl::nullopt;
  if (!params.at(at).is_bool()) {
    return RpcError{kErrorParameter,
                    "Invalid parameter value type, should be boolean"};
  }
  *value = params.at(at).AsBool();
  return absl::nullopt;
}

MaybeError ReadPage(const Json& params, size_t count_at, Page* page) {
  if (count_at < params.size()) {
    const Json& count = params.at(count_at);
    if (!count.is_int() || count.AsInt() < 0 || count.AsInt() > 0x7FFFFFFF) {
      return RpcError{kErrorParameter, "Invalid count"};
    }
    page->count = count.AsInt();
  }
  if (count_at + 1 < params.size()) {
    const Json& start = params.at(count_at + 1);
    if (!start.is_int()) return RpcError{kErrorParameter, "Invalid start"};
    page->start = start.AsInt();
  }
  return absl::nullopt;
}

std::pair<size_t, size_t> PageOf(const Page& page, size_t size) {
  const auto total = static_cast<int64_t>(size);
  int64_t first = page.start.value_or(-page.count);
  if (first < 0) first = std::max<int64_t>(0, total + first);
  first = std::min(first, total);
  const int64_t count = std::min(page.count, total - first);
  return {static_cast<size_t>(first), static_cast<size_t>(first + count)};
}

MaybeError TxId(const Json& params, size_t at, Digest* value) {
  std::string text;
  if (MaybeError error = Text(params, at, &text)) return error;
  const absl::optional<Digest> id = HashFromShown(text);
  if (!id.has_value()) {
    return RpcError{
        kErrorParameter,
        FromHex(text).has_value()
            ? absl::StrCat("txid must be of length 64 (not ", text.size(), ")")
            : absl::StrCat("txid must be hexadecimal string (not '", text,
                           "')")};
  }
  *value = *id;
  return absl::nullopt;
}

Json StreamRefJson(const NodeState& state, const ChainStream& stream) {
  if (stream.create_tx == kNoRef) return Json::String("0-0-0");
  const Chain& chain = state.chain;
  const ChainTx& tx = chain.tx(stream.create_tx);
  if (!tx.confirmed()) return Json();
  const ChainBlock& block = chain.block(tx.block);
  uint64_t offset = 80;
  std::string count;
  AppendCompactSize(block.txs.size(), &count);
  offset += count.size();
  for (uint32_t i = 0; i < tx.index; ++i) {
    offset += chain.tx(block.txs[i]).raw.size();
  }
  // A hash is shown backwards.
  const int prefix = tx.id[31] + 256 * tx.id[30];
  return Json::String(absl::StrCat(block.height, "-", offset, "-", prefix));
}

MaybeError FindStream(const NodeState& state, const Json& name,
                      absl::string_view kind, uint32_t* stream) {
  if (!name.is_string()) return WrongType(name, "str");
  const std::string& text = name.AsString();
  const std::deque<ChainStream>& streams = state.chain.streams();
  const bool could_be_ref = text.find('-') != std::string::npos;
  const absl::optional<Digest> txid = HashFromShown(text);
  for (uint32_t i = 0; i < streams.size(); ++i) {
    if (!streams[i].exists) continue;
    if (streams[i].name == text ||
        (txid.has_value() && streams[i].create_txid == *txid) ||
        (could_be_ref && StreamRefJson(state, streams[i]).AsString() == text)) {
      *stream = i;
      return absl::nullopt;
    }
  }
  return RpcError{kErrorEntityNotFound,
                  absl::StrCat(kind, " with this ",
                               txid.has_value() ? "creation txid" : "name",
                               " not found: ", text)};
}

MaybeError SubscribedStream(const NodeState& state, const Json& params,
                            uint32_t* stream) {
  if (MaybeError error = FindStream(state, params.at(0), "Stream", stream)) {
    return error;
  }
  if (!state.chain.streams()[*stream].subscribed) {
    return RpcError{kErrorNotSubscribed, "Not subscribed to this stream"};
  }
  return absl::nullopt;
}

}  // namespace windproof::fake_node
