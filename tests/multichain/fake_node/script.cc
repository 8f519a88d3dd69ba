#include "tests/multichain/fake_node/script.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/multichain/fake_node/bytes.h"

namespace windproof::fake_node {
namespace {

constexpr absl::string_view kPayStart("\x76\xA9\x14", 3);
constexpr absl::string_view kPayEnd("\x88\xAC", 2);
constexpr size_t kPaySize = 25;
constexpr size_t kEntitySize = 16;

constexpr uint8_t kParameterName = 1;
constexpr uint8_t kParameterDetails = 5;
constexpr uint8_t kParameterRestricts = 6;

void AppendDropped(absl::string_view tag, absl::string_view data,
                   std::string* script) {
  AppendPush(absl::StrCat(tag, data), script);
  script->push_back(static_cast<char>(kOpDrop));
}

void AppendParameter(uint8_t code, absl::string_view value, std::string* out) {
  out->push_back('\0');
  out->push_back(static_cast<char>(code));
  AppendCompactSize(value.size(), out);
  out->append(value.data(), value.size());
}

// The data of the dropped push at `at`, without `tag`.
absl::optional<absl::string_view> Dropped(const std::vector<ScriptOp>& ops,
                                          size_t at, absl::string_view tag) {
  if (at + 1 >= ops.size() || ops[at + 1].code != kOpDrop) return absl::nullopt;
  absl::string_view data = ops[at].data;
  if (!absl::ConsumePrefix(&data, tag)) return absl::nullopt;
  return data;
}

}  // namespace

void AppendPush(absl::string_view data, std::string* script) {
  if (data.size() < kOpPushData1) {
    AppendLittle(data.size(), 1, script);
  } else if (data.size() <= 0xFF) {
    script->push_back(static_cast<char>(kOpPushData1));
    AppendLittle(data.size(), 1, script);
  } else if (data.size() <= 0xFFFF) {
    script->push_back(static_cast<char>(kOpPushData2));
    AppendLittle(data.size(), 2, script);
  } else {
    script->push_back(static_cast<char>(kOpPushData4));
    AppendLittle(data.size(), 4, script);
  }
  script->append(data.data(), data.size());
}

absl::optional<std::vector<ScriptOp>> ScriptOps(absl::string_view script) {
  std::vector<ScriptOp> ops;
  ByteReader reader(script);
  while (reader.ok() && !reader.done()) {
    ScriptOp op;
    op.code = static_cast<uint8_t>(reader.Little(1));
    if (op.code < kOpPushData1) {
      op.data = reader.Take(op.code);
    } else if (op.code <= kOpPushData4) {
      op.data = reader.Take(reader.Little(1 << (op.code - kOpPushData1)));
    }
    ops.push_back(op);
  }
  if (!reader.ok()) return absl::nullopt;
  return ops;
}

std::string ScriptAsm(absl::string_view script) {
  const absl::optional<std::vector<ScriptOp>> ops = ScriptOps(script);
  if (!ops.has_value()) return "[error]";
  std::string text;
  for (const ScriptOp& op : *ops) {
    if (!text.empty()) text.push_back(' ');
    if (op.code <= kOpPushData4) {
      // Short pushes are shown as numbers.
      if (op.data.size() <= 4) {
        int64_t number = 0;
        for (size_t i = op.data.size(); i-- > 0;) {
          number = number << 8 | static_cast<uint8_t>(op.data[i]);
        }
        const int64_t sign = int64_t{0x80} << (8 * op.data.size()) >> 8;
        if (!op.data.empty() && (number & sign) != 0) number = -(number ^ sign);
        absl::StrAppend(&text, number);
      } else {
        text.append(ToHex(op.data));
      }
      continue;
    }
    switch (op.code) {
      case kOpReturn:
        text.append("OP_RETURN");
        break;
      case kOpDrop:
        text.append("OP_DROP");
        break;
      case 0x76:
        text.append("OP_DUP");
        break;
      case 0xA9:
        text.append("OP_HASH160");
        break;
      case 0x88:
        text.append("OP_EQUALVERIFY");
        break;
      case 0xAC:
        text.append("OP_CHECKSIG");
        break;
      default:
        text.append("OP_UNKNOWN");
    }
  }
  return text;
}

std::string EntityOf(const Digest& create_txid) {
  return std::string(BytesOf(create_txid).substr(16));
}

std::string PayToScript(absl::string_view public_key_hash) {
  return absl::StrCat(kPayStart, public_key_hash, kPayEnd);
}

absl::optional<std::string> PaidTo(absl::string_view script) {
  if (script.size() < kPaySize || !absl::StartsWith(script, kPayStart) ||
      script.substr(kPaySize - 2, 2) != kPayEnd) {
    return absl::nullopt;
  }
  return std::string(script.substr(kPayStart.size(), 20));
}

std::string MakeItemScript(const ItemScript& item) {
  std::string script;
  script.reserve(item.data.size() + 64);
  AppendDropped("spke", item.entity, &script);
  for (const absl::string_view key : item.keys) {
    AppendDropped("spkk", key, &script);
  }
  if (item.format != kFormatRaw) {
    AppendDropped("spkf", std::string(1, static_cast<char>(item.format)),
                  &script);
  }
  if (item.offchain) {
    std::string chunk = item.chunk;
    AppendLittle(item.chunk_size, 8, &chunk);
    AppendDropped("spkc", chunk, &script);
    script.push_back(static_cast<char>(kOpReturn));
  } else {
    script.push_back(static_cast<char>(kOpReturn));
    AppendPush(item.data, &script);
  }
  return script;
}

absl::optional<ItemScript> ParseItemScript(absl::string_view script) {
  const absl::optional<std::vector<ScriptOp>> parsed = ScriptOps(script);
  if (!parsed.has_value()) return absl::nullopt;
  const std::vector<ScriptOp>& ops = *parsed;
  const auto entity = Dropped(ops, 0, "spke");
  if (!entity.has_value() || entity->size() != kEntitySize) {
    return absl::nullopt;
  }
  ItemScript item;
  item.entity = std::string(*entity);
  size_t at = 2;
  while (const auto key = Dropped(ops, at, "spkk")) {
    item.keys.push_back(*key);
    at += 2;
  }
  if (const auto format = Dropped(ops, at, "spkf")) {
    if (format->size() != 1) return absl::nullopt;
    item.format = static_cast<uint8_t>((*format)[0]);
    at += 2;
  }
  if (const auto chunk = Dropped(ops, at, "spkc")) {
    if (chunk->size() != 40) return absl::nullopt;
    item.offchain = true;
    item.chunk = std::string(chunk->substr(0, 32));
    item.chunk_size = ByteReader(chunk->substr(32)).Little(8);
    return item;
  }
  if (at + 2 != ops.size() || ops[at].code != kOpReturn ||
      ops[at + 1].code > kOpPushData4) {
    return absl::nullopt;
  }
  item.data = ops[at + 1].data;
  return item;
}

std::string MakeCreateScript(const CreateScript& create) {
  std::string data("\x02", 1);
  AppendParameter(kParameterRestricts,
                  std::string(1, static_cast<char>(create.restricts)), &data);
  AppendParameter(kParameterName, create.name, &data);
  if (!create.details.empty()) {
    AppendParameter(kParameterDetails, create.details, &data);
  }
  std::string script;
  AppendDropped("spkn", data, &script);
  script.push_back(static_cast<char>(kOpReturn));
  return script;
}

absl::optional<CreateScript> ParseCreateScript(absl::string_view script) {
  const absl::optional<std::vector<ScriptOp>> ops = ScriptOps(script);
  if (!ops.has_value() || ops->size() != 3) return absl::nullopt;
  const auto data = Dropped(*ops, 0, "spkn");
  if (!data.has_value()) return absl::nullopt;
  CreateScript create;
  ByteReader reader(*data);
  if (reader.Little(1) != 2) return absl::nullopt;
  while (reader.ok() && !reader.done()) {
    reader.Little(1);
    const uint64_t code = reader.Little(1);
    const absl::string_view value = reader.Take(reader.CompactSize());
    if (code == kParameterName) create.name = std::string(value);
    if (code == kParameterDetails) create.details = std::string(value);
    if (code == kParameterRestricts && value.size() == 1) {
      create.restricts = static_cast<uint8_t>(value[0]);
    }
  }
  if (!reader.ok()) return absl::nullopt;
  return create;
}

std::string MakePermissionScript(const PermissionScript& permission) {
  std::string script = PayToScript(permission.public_key_hash);
  if (!permission.entity.empty()) {
    AppendDropped("spke", permission.entity, &script);
  }
  std::string data;
  for (const uint32_t number :
       {permission.type, permission.from, permission.to, permission.time}) {
    AppendLittle(number, 4, &data);
  }
  AppendDropped("spkp", data, &script);
  return script;
}

absl::optional<PermissionScript> ParsePermissionScript(
    absl::string_view script) {
  const absl::optional<std::string> paid_to = PaidTo(script);
  if (!paid_to.has_value()) return absl::nullopt;
  const absl::optional<std::vector<ScriptOp>> ops =
      ScriptOps(script.substr(kPaySize));
  if (!ops.has_value()) return absl::nullopt;
  PermissionScript permission;
  permission.public_key_hash = *paid_to;
  size_t at = 0;
  if (const auto entity = Dropped(*ops, 0, "spke")) {
    permission.entity = std::string(*entity);
    at = 2;
  }
  const auto data = Dropped(*ops, at, "spkp");
  if (!data.has_value()) return absl::nullopt;
  ByteReader reader(*data);
  permission.type = static_cast<uint32_t>(reader.Little(4));
  permission.from = static_cast<uint32_t>(reader.Little(4));
  permission.to = static_cast<uint32_t>(reader.Little(4));
  permission.time = static_cast<uint32_t>(reader.Little(4));
  if (!reader.ok()) return absl::nullopt;
  return permission;
}

}  // namespace windproof::fake_node
