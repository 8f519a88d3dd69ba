#include "common/server/trust_file.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/json_value.h"
#include "common/server/files.h"

namespace windproof {
namespace {

using Kind = JsonValue::Kind;

constexpr absl::string_view kEmbedded = "embedded";
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

absl::StatusOr<VerifierKey> ParseLedger(const JsonValue* ledger) {
  if (ledger == nullptr || ledger->kind != Kind::kObject) {
    return absl::InvalidArgumentError(
        "ledger is no object; {\"kind\":\"embedded\",\"vkey\":…} is accepted");
  }
  const absl::Status members = OnlyMembers(*ledger, "ledger", {"kind", "vkey"});
  if (!members.ok()) return members;
  const JsonValue* kind = ledger->Find("kind");
  if (kind == nullptr || kind->kind != Kind::kString) {
    return absl::InvalidArgumentError(
        "ledger.kind is no string; \"embedded\" is accepted");
  }
  if (kind->string != kEmbedded) {
    return absl::UnimplementedError(absl::StrCat(
        "ledger.kind is \"", absl::Utf8SafeCHexEscape(kind->string),
        "\"; \"embedded\" is accepted"));
  }
  return KeyOf(ledger->Find("vkey"), "ledger.vkey");
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

  absl::StatusOr<VerifierKey> ledger = ParseLedger(root->Find("ledger"));
  if (!ledger.ok()) return ledger.status();

  const JsonValue* producers = root->Find("producers");
  if (producers == nullptr || producers->kind != Kind::kArray) {
    return absl::InvalidArgumentError(
        "producers is no array; an array of verifier keys is accepted");
  }
  TrustConfig trust{
      .ledger_kind = std::string(kEmbedded),
      .ledger = *std::move(ledger),
      .producers = {},
  };
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
  out += ", \"vkey\": ";
  AppendQuoted(FormatVerifierKey(trust.ledger), &out);
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
