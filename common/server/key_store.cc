#include "common/server/key_store.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/server/files.h"
#include "common/server/trust_file.h"

namespace windproof {
namespace {

constexpr mode_t kPrivateFolder = 0700;
constexpr mode_t kPrivateFile = 0600;
constexpr mode_t kPublicFile = 0644;
constexpr size_t kMaxPemBytes = 1 << 16;

std::string KeyPath(const std::string& data_dir, absl::string_view role,
                    absl::string_view ending) {
  return absl::StrCat(data_dir, "/keys/", role, ending);
}

NamedKey Named(absl::string_view role, Ed25519PrivateKey key) {
  const Ed25519PublicKeyBytes raw = key.PublicKey().raw();
  const std::string digits = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(raw.data()), 4));
  return NamedKey{absl::StrCat("windproof/", role, "-", digits),
                  std::move(key)};
}

absl::Status TrustsProducer(const TrustConfig& trust, const std::string& path,
                            const std::string& data_dir,
                            const VerifierKey& producer) {
  const VerifierKey* trusted = trust.FindProducer(producer.name);
  if (trusted == nullptr ||
      FormatVerifierKey(*trusted) != FormatVerifierKey(producer)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " does not trust the producer ", FormatVerifierKey(producer),
        ", whose key is ", data_dir,
        "/keys/producer.pem: one of the two is not of this data folder"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NamedKey> LoadKey(const std::string& data_dir,
                                 absl::string_view role) {
  const std::string path = KeyPath(data_dir, role, ".pem");
  const absl::StatusOr<std::string> pem = ReadFile(path, kMaxPemBytes);
  if (!pem.ok()) return pem.status();
  absl::StatusOr<Ed25519PrivateKey> key = Ed25519PrivateKey::FromPem(*pem);
  if (!key.ok()) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " is no Ed25519 private key in PEM: ", key.status().message()));
  }
  return Named(role, *std::move(key));
}

absl::StatusOr<NamedKey> LoadOrMakeKey(const std::string& data_dir,
                                       absl::string_view role) {
  absl::StatusOr<NamedKey> key = LoadKey(data_dir, role);
  if (absl::IsNotFound(key.status())) {
    absl::Status made =
        MakeFolders(absl::StrCat(data_dir, "/keys"), kPrivateFolder);
    if (!made.ok()) return made;
    absl::StatusOr<Ed25519PrivateKey> fresh = Ed25519PrivateKey::Generate();
    if (!fresh.ok()) return fresh.status();
    made = WriteNewFile(KeyPath(data_dir, role, ".pem"), fresh->ToPem(),
                        kPrivateFile);
    if (!made.ok()) return made;
    key = Named(role, *std::move(fresh));
  }
  if (!key.ok()) return key.status();
  const absl::Status shown = WriteNewFile(
      KeyPath(data_dir, role, ".vkey"),
      absl::StrCat(FormatVerifierKey(key->Public()), "\n"), kPublicFile);
  if (!shown.ok() && !absl::IsAlreadyExists(shown)) return shown;
  return key;
}

std::string TrustPath(const std::string& data_dir) {
  return absl::StrCat(data_dir, "/trust.json");
}

absl::Status EnsureTrust(const std::string& data_dir, const VerifierKey& ledger,
                         const VerifierKey& producer) {
  const std::string path = TrustPath(data_dir);
  const absl::StatusOr<TrustConfig> trust = LoadTrust(path);
  if (absl::IsNotFound(trust.status())) {
    return WriteNewFile(path,
                        FormatTrust({.ledger_kind = "embedded",
                                     .ledger = ledger,
                                     .producers = {producer}}),
                        kPublicFile);
  }
  if (!trust.ok()) return trust.status();
  const std::string ledger_vkey = FormatVerifierKey(ledger);
  const std::string trusted_ledger = trust->ledger.has_value()
                                         ? FormatVerifierKey(*trust->ledger)
                                         : trust->ledger_kind;
  if (ledger_vkey != trusted_ledger) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " trusts the ledger ", trusted_ledger, ", but the key in ",
        data_dir, "/keys/ledger.pem is ", ledger_vkey,
        ": one of the two is not of this data folder"));
  }
  return TrustsProducer(*trust, path, data_dir, producer);
}

absl::Status EnsureChainTrust(const std::string& data_dir,
                              const ChainTrust& chain,
                              const std::optional<VerifierKey>& log,
                              const VerifierKey& producer) {
  const std::string path = TrustPath(data_dir);
  const absl::StatusOr<TrustConfig> trust = LoadTrust(path);
  if (absl::IsNotFound(trust.status())) {
    return WriteNewFile(path,
                        FormatTrust({.ledger_kind = "multichain",
                                     .ledger = log,
                                     .chain = chain,
                                     .producers = {producer}}),
                        kPublicFile);
  }
  if (!trust.ok()) return trust.status();
  if (!trust->chain.has_value() || trust->chain->chain != chain.chain ||
      trust->chain->genesis != chain.genesis ||
      trust->chain->stream != chain.stream) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " does not trust the stream ", chain.stream,
                     " of the chain ", chain.chain, " that begins with ",
                     chain.genesis, ": it is not of this configuration"));
  }
  const auto shown = [](const std::optional<VerifierKey>& key) {
    return key.has_value()
               ? "batched mode with the log " + FormatVerifierKey(*key)
               : std::string("direct mode");
  };
  if (shown(trust->ledger) != shown(log)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " trusts ", shown(trust->ledger), "; what is configured is ",
        shown(log), ": one of the two is not of this data folder"));
  }
  return TrustsProducer(*trust, path, data_dir, producer);
}

}  // namespace windproof
