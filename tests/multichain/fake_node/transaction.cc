#include "tests/multichain/fake_node/transaction.h"

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/script.h"

namespace windproof::fake_node {
namespace {

constexpr uint32_t kSequence = 0xFFFFFFFF;

std::string Serialized(const OutPoint& from, absl::string_view input_script,
                       const std::vector<std::string>& scripts) {
  size_t size = 128;
  for (const std::string& script : scripts) size += script.size() + 16;
  std::string raw;
  raw.reserve(size);
  AppendLittle(1, 4, &raw);
  AppendCompactSize(1, &raw);
  absl::StrAppend(&raw, BytesOf(from.txid));
  AppendLittle(from.vout, 4, &raw);
  AppendCompactSize(input_script.size(), &raw);
  absl::StrAppend(&raw, input_script);
  AppendLittle(kSequence, 4, &raw);
  AppendCompactSize(scripts.size(), &raw);
  for (const std::string& script : scripts) {
    AppendLittle(0, 8, &raw);
    AppendCompactSize(script.size(), &raw);
    raw.append(script);
  }
  AppendLittle(0, 4, &raw);
  return raw;
}

}  // namespace

absl::optional<ParsedTransaction> ReadTransaction(ByteReader* reader) {
  ParsedTransaction tx;
  tx.version = static_cast<uint32_t>(reader->Little(4));
  const uint64_t inputs = reader->CompactSize();
  for (uint64_t i = 0; i < inputs && reader->ok(); ++i) {
    TxInput input;
    input.from.txid = reader->Hash();
    input.from.vout = static_cast<uint32_t>(reader->Little(4));
    input.script = reader->Take(reader->CompactSize());
    input.sequence = static_cast<uint32_t>(reader->Little(4));
    tx.inputs.push_back(input);
  }
  const uint64_t outputs = reader->CompactSize();
  for (uint64_t i = 0; i < outputs && reader->ok(); ++i) {
    TxOutput output;
    output.value = reader->Little(8);
    output.script = reader->Take(reader->CompactSize());
    tx.outputs.push_back(output);
  }
  tx.lock_time = static_cast<uint32_t>(reader->Little(4));
  if (!reader->ok()) return absl::nullopt;
  return tx;
}

absl::optional<ParsedTransaction> ParseTransaction(absl::string_view raw) {
  ByteReader reader(raw);
  absl::optional<ParsedTransaction> tx = ReadTransaction(&reader);
  if (!reader.done()) return absl::nullopt;
  return tx;
}

std::string SignedTransaction(const OutPoint& from, const Key& key,
                              const std::vector<std::string>& scripts) {
  std::string preimage = Serialized(from, PayToScript(key.hash()), scripts);
  AppendLittle(1, 4, &preimage);  // SIGHASH_ALL
  std::string signature = key.Sign(DoubleSha256(preimage));
  signature.push_back('\x01');
  std::string input_script;
  AppendPush(signature, &input_script);
  AppendPush(key.public_key(), &input_script);
  return Serialized(from, input_script, scripts);
}

std::string CoinbaseTransaction(absl::string_view input_script,
                                const std::vector<std::string>& scripts) {
  return Serialized({kZeroDigest, 0xFFFFFFFF}, input_script, scripts);
}

std::string SignerOf(const TxInput& input) {
  const auto ops = ScriptOps(input.script);
  if (!ops.has_value() || ops->size() != 2 || (*ops)[1].data.size() != 33) {
    return "";
  }
  return Hash160((*ops)[1].data);
}

}  // namespace windproof::fake_node
