#include "services/anchor/multichain/transaction.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/anchor/multichain/chain_bytes.h"

namespace windproof {
namespace {

constexpr uint8_t kPushData1 = 0x4C;
constexpr uint8_t kPushData2 = 0x4D;
constexpr uint8_t kPushData4 = 0x4E;
constexpr uint8_t kReturn = 0x6A;
constexpr uint8_t kDrop = 0x75;
constexpr uint8_t kSigHashAll = 0x01;
constexpr size_t kStreamBytes = 16;
constexpr size_t kCompressedKeyBytes = 33;
// More than a transaction of MultiChain's largest size can have.
constexpr uint64_t kCountMax = 1'000'000;

absl::Status NotAnItem(absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("the output has no stream item: ", why));
}

// The data that the next instruction pushes. Nothing for another one.
std::optional<absl::string_view> TakePush(ChainReader* script) {
  const auto op = static_cast<uint8_t>(script->Little(1));
  if (!script->ok() || op > kPushData4) return std::nullopt;
  uint64_t size = op;
  if (op >= kPushData1) {
    size = script->Little(op == kPushData1 ? 1 : op == kPushData2 ? 2 : 4);
  }
  const absl::string_view data = script->Take(size);
  if (!script->ok()) return std::nullopt;
  return data;
}

// What is signed of a transaction whose only looked-at input is `input`.
std::string SignedBytes(const ChainTransaction& transaction, size_t input,
                        absl::string_view script) {
  std::string out;
  AppendLittle(transaction.version, 4, &out);
  AppendCompactSize(transaction.inputs.size(), &out);
  for (size_t i = 0; i < transaction.inputs.size(); ++i) {
    const ChainInput& in = transaction.inputs[i];
    absl::StrAppend(&out, BytesOf(in.previous));
    AppendLittle(in.previous_vout, 4, &out);
    const absl::string_view shown = i == input ? script : absl::string_view();
    AppendCompactSize(shown.size(), &out);
    absl::StrAppend(&out, shown);
    AppendLittle(in.sequence, 4, &out);
  }
  AppendCompactSize(transaction.outputs.size(), &out);
  for (const ChainOutput& output : transaction.outputs) {
    AppendLittle(output.value, 8, &out);
    AppendCompactSize(output.script.size(), &out);
    absl::StrAppend(&out, output.script);
  }
  AppendLittle(transaction.lock_time, 4, &out);
  AppendLittle(kSigHashAll, 4, &out);
  return out;
}

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};

// ECDSA over secp256k1 of a hash.
bool IsSignatureOf(absl::string_view public_key, absl::string_view signature,
                   const Digest& hash) {
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> maker(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  if (maker == nullptr || EVP_PKEY_fromdata_init(maker.get()) != 1) {
    return false;
  }
  char curve[] = "secp256k1";
  std::string point(public_key);
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                        point.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    return false;
  }
  const std::unique_ptr<EVP_PKEY, FreeKey> key(made);
  const std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(
      EVP_PKEY_CTX_new(key.get(), nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(
             context.get(),
             reinterpret_cast<const unsigned char*>(signature.data()),
             signature.size(), hash.data(), hash.size()) == 1;
}

}  // namespace

absl::StatusOr<ChainTransaction> ParseChainTransaction(absl::string_view raw) {
  ChainReader reader(raw);
  ChainTransaction transaction;
  transaction.version = static_cast<uint32_t>(reader.Little(4));
  const uint64_t inputs = reader.CompactSize();
  for (uint64_t i = 0; i < std::min(inputs, kCountMax) && reader.ok(); ++i) {
    ChainInput input;
    input.previous = reader.Hash();
    input.previous_vout = static_cast<uint32_t>(reader.Little(4));
    input.script = reader.Take(reader.CompactSize());
    input.sequence = static_cast<uint32_t>(reader.Little(4));
    transaction.inputs.push_back(input);
  }
  const uint64_t outputs = reader.CompactSize();
  for (uint64_t i = 0; i < std::min(outputs, kCountMax) && reader.ok(); ++i) {
    ChainOutput output;
    output.value = reader.Little(8);
    output.script = reader.Take(reader.CompactSize());
    transaction.outputs.push_back(output);
  }
  transaction.lock_time = static_cast<uint32_t>(reader.Little(4));
  if (!reader.ok() || !reader.done() || inputs == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        raw.size(), " bytes are not one transaction and nothing else"));
  }
  return transaction;
}

absl::StatusOr<ScriptItem> ParseItemScript(absl::string_view script) {
  ChainReader reader(script);
  ScriptItem item;
  bool stream_seen = false;
  bool format_seen = false;
  while (true) {
    // Each part is a push that is dropped again; OP_RETURN and the data follow.
    ChainReader ahead = reader;
    if (static_cast<uint8_t>(ahead.Little(1)) == kReturn) break;
    const std::optional<absl::string_view> part = TakePush(&reader);
    if (!part.has_value() || reader.Little(1) != kDrop || !reader.ok()) {
      return NotAnItem("it is not a list of dropped parts and OP_RETURN");
    }
    const absl::string_view name = part->substr(0, 4);
    const absl::string_view value =
        part->substr(std::min<size_t>(4, part->size()));
    if (name == "spke" && !stream_seen && value.size() == kStreamBytes) {
      item.stream.assign(value.rbegin(), value.rend());
      stream_seen = true;
    } else if (name == "spkk" && stream_seen) {
      item.keys.push_back(value);
    } else if (name == "spkf" && stream_seen && !format_seen &&
               value.size() == 1) {
      item.format = value[0] == 1   ? ScriptItem::Format::kText
                    : value[0] == 2 ? ScriptItem::Format::kJson
                                    : ScriptItem::Format::kOther;
      format_seen = true;
    } else {
      return NotAnItem("a part of it is unknown or out of order");
    }
  }
  static_cast<void>(reader.Little(1));
  const std::optional<absl::string_view> data =
      reader.done() ? absl::string_view() : TakePush(&reader);
  if (!stream_seen || !data.has_value() || !reader.done()) {
    return NotAnItem("it names no stream, or does not end with its data");
  }
  item.data = *data;
  return item;
}

absl::StatusOr<std::string> CheckedSigner(const ChainTransaction& transaction,
                                          size_t input) {
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("input ", input, ": ", why));
  };
  if (input >= transaction.inputs.size()) return bad("there is none");
  ChainReader reader(transaction.inputs[input].script);
  const std::optional<absl::string_view> signature = TakePush(&reader);
  const std::optional<absl::string_view> key =
      signature.has_value() ? TakePush(&reader) : std::nullopt;
  if (!key.has_value() || !reader.done() ||
      key->size() != kCompressedKeyBytes || signature->empty()) {
    return bad("not a signature and a compressed public key");
  }
  if (static_cast<uint8_t>(signature->back()) != kSigHashAll) {
    return bad("the signature is not over the whole transaction");
  }
  const std::string address = Hash160(*key);
  if (address.empty()) return bad("RIPEMD-160 is not there to check it");
  // What the output that it spends asks for: this key's signature. Whether it
  // asks for something else too (a permission) does not show here.
  const std::string script = absl::StrCat("\x76\xA9\x14", address, "\x88\xAC");
  const Digest hash = DoubleSha256(SignedBytes(transaction, input, script));
  if (!IsSignatureOf(*key, signature->substr(0, signature->size() - 1), hash)) {
    return bad("the signature is not the public key's");
  }
  return address;
}

absl::StatusOr<std::string> StreamPrefixOf(absl::string_view create_txid) {
  const absl::StatusOr<Digest> txid = DigestFromHex(create_txid);
  if (!txid.ok()) return txid.status();
  return std::string(BytesOf(*txid).substr(0, kStreamBytes));
}

}  // namespace windproof
