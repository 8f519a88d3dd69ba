#include "common/server/trust_file.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/json_value.h"
#include "common/crypto/sha256.h"
#include "common/server/files.h"

namespace windproof {
namespace {

using Kind = JsonValue::Kind;

constexpr absl::string_view kEmbedded = "embedded";
constexpr absl::string_view kMultiChain = "multichain";
constexpr double kConfirmationsMax = 1'000'000;
constexpr size_t kMaxTrustBytes = 1 << 20;

absl::Status OnlyMembers(const JsonValue& object, absl::string_view where,
                         std::initializer_list<absl::string_view> accepted) {
  for (const auto& [name, value] : object.members) {
    bool known = false;
    for (const absl::string_view one : accepted) known = known || one == name;
    if (!known) {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown member \"", absl::Utf8SafeCHexEscape(name),
                       "\" in ", where));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<VerifierKey> KeyOf(const JsonValue* value,
                                  absl::string_view where) {
  if (value == nullptr || value->kind != Kind::kString) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, " is no string; a verifier key NAME+ID+BASE64 is accepted"));
  }
  absl::StatusOr<VerifierKey> key = ParseVerifierKey(value->string);
  if (!key.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": ", key.status().message()));
  }
  return key;
}

absl::Status BadMember(absl::string_view name, absl::string_view accepted) {
  return absl::InvalidArgumentError(
      absl::StrCat("ledger.", name, " is missing or wrong; ", accepted));
}

bool IsHash(absl::string_view text) { return DigestFromHex(text).ok(); }

absl::StatusOr<ChainTrust> ParseChain(const JsonValue& ledger) {
  const absl::Status members =
      OnlyMembers(ledger, "ledger",
                  {"kind", "mode", "vkey", "chain", "genesis", "stream",
                   "publishers", "confirmations"});
  if (!members.ok()) return members;
  ChainTrust trust;
  const auto text = [&](absl::string_view name, std::string* out) {
    const JsonValue* value = ledger.Find(name);
    if (value == nullptr || value->kind != Kind::kString) return false;
    *out = value->string;
    return !out->empty();
  };
  if (!text("chain", &trust.chain)) {
    return BadMember("chain", "the chain's name is accepted");
  }
  if (!text("genesis", &trust.genesis) || !IsHash(trust.genesis)) {
    return BadMember("genesis",
                     "the first block's hash, 64 lower-case hex digits, is "
                     "accepted");
  }
  if (!text("stream", &trust.stream)) {
    return BadMember("stream",
                     "the stream's name, or the txid that created "
                     "it, is accepted");
  }
  const JsonValue* publishers = ledger.Find("publishers");
  if (publishers != nullptr && publishers->kind == Kind::kArray) {
    for (const JsonValue& publisher : publishers->elements) {
      trust.publishers.push_back(publisher.string);
      if (publisher.string.empty()) trust.publishers.clear();
    }
  }
  if (trust.publishers.empty()) {
    return BadMember("publishers", "an array of addresses is accepted");
  }
  const JsonValue* confirmations = ledger.Find("confirmations");
  if (confirmations == nullptr || confirmations->kind != Kind::kNumber ||
      confirmations->number < 1 || confirmations->number > kConfirmationsMax ||
      confirmations->number !=
          static_cast<double>(static_cast<int64_t>(confirmations->number))) {
    return BadMember("confirmations", "a whole number from 1 on is accepted");
  }
  trust.confirmations = static_cast<int64_t>(confirmations->number);
  return trust;
}

// The log's key, in batched mode; nothing in direct mode.
absl::StatusOr<std::optional<VerifierKey>> ParseLog(const JsonValue& ledger) {
  const JsonValue* mode = ledger.Find("mode");
  const JsonValue* vkey = ledger.Find("vkey");
  if (mode != nullptr && mode->kind != Kind::kString) {
    return BadMember("mode", "\"direct\" or \"batched\" is accepted");
  }
  if (mode == nullptr || mode->string == "direct") {
    if (vkey == nullptr) return std::optional<VerifierKey>();
    return absl::InvalidArgumentError(
        "ledger.vkey is the key of a log: it goes with \"mode\": \"batched\"");
  }
  if (mode->string != "batched") {
    return absl::UnimplementedError(absl::StrCat(
        "ledger.mode is \"", absl::Utf8SafeCHexEscape(mode->string),
        "\"; \"direct\" or \"batched\" is accepted"));
  }
  absl::StatusOr<VerifierKey> key = KeyOf(vkey, "ledger.vkey");
  if (!key.ok()) return key.status();
  return std::optional<VerifierKey>(*std::move(key));
}

absl::Status ParseLedger(const JsonValue* ledger, TrustConfig* trust) {
  if (ledger == nullptr || ledger->kind != Kind::kObject) {
    return absl::InvalidArgumentError(
        "ledger is no object; {\"kind\":\"embedded\",\"vkey\":…} or "
        "{\"kind\":\"multichain\",…} is accepted");
  }
  const JsonValue* kind = ledger->Find("kind");
  if (kind == nullptr || kind->kind != Kind::kString) {
    return absl::InvalidArgumentError(
        "ledger.kind is no string; \"embedded\" or \"multichain\" is accepted");
  }
  trust->ledger_kind = kind->string;
  if (kind->string == kMultiChain) {
    absl::StatusOr<ChainTrust> chain = ParseChain(*ledger);
    if (!chain.ok()) return chain.status();
    absl::StatusOr<std::optional<VerifierKey>> log = ParseLog(*ledger);
    if (!log.ok()) return log.status();
    trust->chain = *std::move(chain);
    trust->ledger = *std::move(log);
    return absl::OkStatus();
  }
  if (kind->string != kEmbedded) {
    return absl::UnimplementedError(absl::StrCat(
        "ledger.kind is \"", absl::Utf8SafeCHexEscape(kind->string),
        "\"; \"embedded\" or \"multichain\" is accepted"));
  }
  const absl::Status members = OnlyMembers(*ledger, "ledger", {"kind", "vkey"});
  if (!members.ok()) return members;
  absl::StatusOr<VerifierKey> key = KeyOf(ledger->Find("vkey"), "ledger.vkey");
  if (!key.ok()) return key.status();
  trust->ledger = *std::move(key);
  return absl::OkStatus();
}

// The members of a chain's trust behind its kind.
void AppendChain(const ChainTrust& chain, std::string* out) {
  const auto member = [&](absl::string_view name, absl::string_view value) {
    absl::StrAppend(out, ", \"", name, "\": ");
    AppendQuoted(value, out);
  };
  member("chain", chain.chain);
  member("genesis", chain.genesis);
  member("stream", chain.stream);
  absl::StrAppend(out, ", \"publishers\": [");
  for (size_t i = 0; i < chain.publishers.size(); ++i) {
    if (i > 0) absl::StrAppend(out, ", ");
    AppendQuoted(chain.publishers[i], out);
  }
  absl::StrAppend(out, "], \"confirmations\": ", chain.confirmations);
}

}  // namespace

const VerifierKey* TrustConfig::FindProducer(absl::string_view name) const {
  for (const VerifierKey& producer : producers) {
    if (producer.name == name) return &producer;
  }
  return nullptr;
}

absl::StatusOr<TrustConfig> ParseTrust(absl::string_view json) {
  const absl::StatusOr<JsonValue> root = ParseJson(json);
  if (!root.ok()) return root.status();
  if (root->kind != Kind::kObject) {
    return absl::InvalidArgumentError(
        "a trust file is one JSON object with version, ledger and producers");
  }
  // The version first: what else there is depends on it.
  const JsonValue* version = root->Find("version");
  if (version == nullptr || version->kind != Kind::kNumber) {
    return absl::InvalidArgumentError("version is no number; 1 is accepted");
  }
  if (version->number != 1) {
    return absl::UnimplementedError(
        absl::StrCat("version is ", version->number, "; 1 is accepted"));
  }
  const absl::Status members =
      OnlyMembers(*root, "the trust file", {"version", "ledger", "producers"});
  if (!members.ok()) return members;

  TrustConfig trust;
  const absl::Status ledger = ParseLedger(root->Find("ledger"), &trust);
  if (!ledger.ok()) return ledger;

  const JsonValue* producers = root->Find("producers");
  if (producers == nullptr || producers->kind != Kind::kArray) {
    return absl::InvalidArgumentError(
        "producers is no array; an array of verifier keys is accepted");
  }
  for (size_t i = 0; i < producers->elements.size(); ++i) {
    absl::StatusOr<VerifierKey> key =
        KeyOf(&producers->elements[i], absl::StrCat("producers[", i, "]"));
    if (!key.ok()) return key.status();
    if (trust.FindProducer(key->name) != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("producers[", i, "] has the name ", key->name,
                       " a second time; one key a name is accepted"));
    }
    trust.producers.push_back(*std::move(key));
  }
  return trust;
}

std::string FormatTrust(const TrustConfig& trust) {
  std::string out = "{\n  \"version\": 1,\n  \"ledger\": {\"kind\": ";
  AppendQuoted(trust.ledger_kind, &out);
  if (trust.chain.has_value()) AppendChain(*trust.chain, &out);
  if (trust.ledger.has_value()) {
    if (trust.chain.has_value()) out += ", \"mode\": \"batched\"";
    out += ", \"vkey\": ";
    AppendQuoted(FormatVerifierKey(*trust.ledger), &out);
  }
  out += "},\n  \"producers\": [";
  for (size_t i = 0; i < trust.producers.size(); ++i) {
    out += i == 0 ? "\n    " : ",\n    ";
    AppendQuoted(FormatVerifierKey(trust.producers[i]), &out);
  }
  out += trust.producers.empty() ? "]\n}\n" : "\n  ]\n}\n";
  return out;
}

absl::StatusOr<TrustConfig> LoadTrust(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxTrustBytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<TrustConfig> trust = ParseTrust(*text);
  if (!trust.ok()) {
    return absl::Status(trust.status().code(),
                        absl::StrCat(path, ": ", trust.status().message()));
  }
  return trust;
}

}  // namespace windproof
