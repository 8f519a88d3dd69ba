#include "services/anchor/multichain/stream_item.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_parser.h"
#include "common/crypto/sha256.h"
#include "common/server/utf8.h"
#include "services/anchor/multichain/chain_bytes.h"

namespace windproof {
namespace {

using Kind = JsonValue::Kind;

constexpr size_t kMaxKeys = 16;
constexpr size_t kMaxSigned = 1024;
constexpr size_t kMaxData = 1 << 20;
constexpr double kMaxWhole = 9007199254740992.0;

absl::Status BadMember(size_t index, absl::string_view member) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the node's list of stream items: [", index, "].", member,
      " is missing or has another type than MultiChain 2.3 gives it"));
}

bool TakeText(const JsonValue& item, const char* member, std::string* out) {
  const JsonValue* const value = item.Find(member);
  if (value == nullptr || value->kind != Kind::kString) return false;
  *out = value->string;
  return true;
}

bool TakeWhole(const JsonValue& item, const char* member, int64_t* out) {
  const JsonValue* const value = item.Find(member);
  if (value == nullptr || value->kind != Kind::kNumber || value->number < 0 ||
      value->number > kMaxWhole) {
    return false;
  }
  *out = static_cast<int64_t>(value->number);
  return true;
}

bool TakeTexts(const JsonValue& item, const char* member,
               std::vector<std::string>* out) {
  const JsonValue* const value = item.Find(member);
  if (value == nullptr || value->kind != Kind::kArray) return false;
  for (const JsonValue& element : value->elements) {
    if (element.kind != Kind::kString) return false;
    out->push_back(element.string);
  }
  return true;
}

// Text that comes back as it was: no other bytes are sent as text.
bool IsPlainText(const std::string& data) {
  return !data.empty() && MaskInvalidUtf8(data) == data &&
         !absl::StrContains(data, '\0');
}

}  // namespace

void TakeStreamData(const JsonValue& data, StreamItem* item) {
  item->data_is = StreamItem::Data::kOther;
  if (data.kind == Kind::kString) {
    absl::StatusOr<std::string> bytes = BytesFromHex(data.string);
    if (!bytes.ok()) return;
    item->data = *std::move(bytes);
    item->data_is = StreamItem::Data::kHere;
    return;
  }
  const JsonValue* const text = data.Find("text");
  if (text != nullptr && text->kind == Kind::kString &&
      data.members.size() == 1) {
    item->data = text->string;
    item->data_is = StreamItem::Data::kHere;
  } else if (data.Find("size") != nullptr && data.Find("vout") != nullptr) {
    item->data_is = StreamItem::Data::kElsewhere;
  }
}

absl::StatusOr<std::vector<StreamItem>> StreamItemsFrom(const JsonValue& list) {
  if (list.kind != Kind::kArray) {
    return absl::InvalidArgumentError(
        "the node's list of stream items is no array");
  }
  std::vector<StreamItem> items;
  items.reserve(list.elements.size());
  for (size_t i = 0; i < list.elements.size(); ++i) {
    const JsonValue& from = list.elements[i];
    StreamItem item;
    if (!TakeText(from, "txid", &item.txid) || !DigestFromHex(item.txid).ok()) {
      return BadMember(i, "txid");
    }
    if (!TakeWhole(from, "vout", &item.vout)) return BadMember(i, "vout");
    if (!TakeTexts(from, "keys", &item.keys)) return BadMember(i, "keys");
    if (!TakeTexts(from, "publishers", &item.publishers)) {
      return BadMember(i, "publishers");
    }
    const JsonValue* const valid = from.Find("valid");
    if (valid == nullptr || valid->kind != Kind::kBool) {
      return BadMember(i, "valid");
    }
    item.valid = valid->boolean;
    if (!TakeWhole(from, "time", &item.time_s)) return BadMember(i, "time");
    int64_t confirmations = 0;
    // Below 0 where the item lost to another one.
    static_cast<void>(TakeWhole(from, "confirmations", &confirmations));
    if (confirmations > 0 && (!TakeText(from, "blockhash", &item.block_hash) ||
                              !DigestFromHex(item.block_hash).ok() ||
                              !TakeWhole(from, "blockheight", &item.height))) {
      return BadMember(i, "blockhash or blockheight");
    }
    const JsonValue* const data = from.Find("data");
    if (data == nullptr) return BadMember(i, "data");
    TakeStreamData(*data, &item);
    items.push_back(std::move(item));
  }
  return items;
}

absl::Status CheckStreamDraft(const LedgerDraft& draft, size_t index) {
  const auto bad = [&](absl::string_view name, size_t is, size_t least,
                       size_t most, absl::string_view unit) {
    return absl::InvalidArgumentError(
        absl::StrCat("ledger item ", index, ": ", name, is, " ", unit, "; ",
                     least, " to ", most, " are accepted"));
  };
  if (draft.keys.empty() || draft.keys.size() > kMaxKeys) {
    return bad("has ", draft.keys.size(), 1, kMaxKeys, "keys");
  }
  if (draft.data.size() > kMaxData) {
    return bad("data has ", draft.data.size(), 0, kMaxData, "bytes");
  }
  if (draft.signer.size() > kMaxSigned) {
    return bad("signer has ", draft.signer.size(), 0, kMaxSigned, "bytes");
  }
  if (draft.signature.size() > kMaxSigned) {
    return bad("signature has ", draft.signature.size(), 0, kMaxSigned,
               "bytes");
  }
  for (const std::string& key : draft.keys) {
    if (key.empty() || key.size() > kStreamKeyBytesMax) {
      return bad("a key has ", key.size(), 1, kStreamKeyBytesMax, "bytes");
    }
    // In lists `*` means all keys; other bytes than UTF-8 would be recoded.
    if (key == "*" || MaskInvalidUtf8(key) != key ||
        absl::StrContains(key, '\0')) {
      return absl::InvalidArgumentError(absl::StrCat(
          "ledger item ", index, ": the key ", absl::Utf8SafeCHexEscape(key),
          " cannot be kept; UTF-8 other than * is accepted"));
    }
  }
  return absl::OkStatus();
}

size_t StreamCallSize(absl::Span<const LedgerDraft> drafts) {
  size_t count = 0;
  size_t bytes = 0;
  while (count < drafts.size() && count < kStreamItemsPerCall) {
    bytes += drafts[count].data.size();
    if (count > 0 && bytes > kStreamBytesPerCall) break;
    ++count;
  }
  return count;
}

std::string PublishParams(const std::string& address, const std::string& stream,
                          absl::Span<const LedgerDraft> drafts) {
  std::string out = "[";
  AppendQuoted(address, &out);
  out += ',';
  AppendQuoted(stream, &out);
  out += ",[";
  for (size_t i = 0; i < drafts.size(); ++i) {
    out += i == 0 ? "{\"keys\":[" : ",{\"keys\":[";
    for (size_t k = 0; k < drafts[i].keys.size(); ++k) {
      if (k > 0) out += ',';
      AppendQuoted(drafts[i].keys[k], &out);
    }
    out += "],\"data\":";
    if (IsPlainText(drafts[i].data)) {
      out += "{\"text\":";
      AppendQuoted(drafts[i].data, &out);
      out += '}';
    } else {
      absl::StrAppend(&out, "\"", absl::BytesToHexString(drafts[i].data), "\"");
    }
    out += '}';
  }
  out += "]]";
  return out;
}

}  // namespace windproof
