#include "common/crypto/ed25519.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr size_t kSignatureSize = 64;

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using UniqueBio = std::unique_ptr<BIO, BioDeleter>;
using UniqueContext = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

std::shared_ptr<void> Own(EVP_PKEY* key) {
  return std::shared_ptr<void>(
      key, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); });
}

EVP_PKEY* KeyOf(const std::shared_ptr<void>& key) {
  return static_cast<EVP_PKEY*>(key.get());
}

const unsigned char* UnsignedBytes(absl::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// A key file is never encrypted; without this OpenSSL would ask the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

Ed25519PublicKey::Ed25519PublicKey(std::shared_ptr<void> key,
                                   Ed25519PublicKeyBytes raw)
    : key_(std::move(key)), raw_(raw) {}

absl::StatusOr<Ed25519PublicKey> Ed25519PublicKey::FromRaw(
    absl::string_view raw) {
  Ed25519PublicKeyBytes bytes;
  if (raw.size() != bytes.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Ed25519 public key has ", raw.size(), " bytes; 32 are accepted"));
  }
  std::memcpy(bytes.data(), raw.data(), bytes.size());
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                              bytes.data(), bytes.size());
  if (key == nullptr) {
    return absl::InvalidArgumentError("Ed25519 public key is refused");
  }
  return Ed25519PublicKey(Own(key), bytes);
}

bool Ed25519PublicKey::Verify(absl::string_view message,
                              absl::string_view signature) const {
  if (signature.size() != kSignatureSize) return false;
  const UniqueContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr,
                              KeyOf(key_)) == 1 &&
         EVP_DigestVerify(context.get(), UnsignedBytes(signature),
                          signature.size(), UnsignedBytes(message),
                          message.size()) == 1;
}

// libsodium signs in less than half of OpenSSL's time (docs/adr/0005); a
// signature is the same whoever makes it.
struct Ed25519PrivateKey::Secret {
  explicit Secret(const EVP_PKEY* key) {
    std::array<unsigned char, crypto_sign_SEEDBYTES> seed;
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key;
    size_t size = seed.size();
    if (sodium_init() < 0 ||
        EVP_PKEY_get_raw_private_key(key, seed.data(), &size) != 1 ||
        size != seed.size() ||
        crypto_sign_seed_keypair(public_key.data(), bytes.data(),
                                 seed.data()) != 0) {
      std::abort();
    }
    sodium_memzero(seed.data(), seed.size());
  }
  ~Secret() { sodium_memzero(bytes.data(), bytes.size()); }

  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> bytes;
};

Ed25519PrivateKey::Ed25519PrivateKey(std::shared_ptr<void> key)
    : key_(std::move(key)),
      secret_(std::make_shared<const Secret>(KeyOf(key_))) {}

absl::StatusOr<Ed25519PrivateKey> Ed25519PrivateKey::Generate() {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  if (key == nullptr) {
    return absl::InternalError("OpenSSL could not make an Ed25519 key");
  }
  return Ed25519PrivateKey(Own(key));
}

absl::StatusOr<Ed25519PrivateKey> Ed25519PrivateKey::FromPem(
    absl::string_view pem) {
  const UniqueBio bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* key =
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr);
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        "not a private key; unencrypted PKCS #8 PEM with an Ed25519 key is "
        "accepted");
  }
  std::shared_ptr<void> owned = Own(key);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) {
    return absl::InvalidArgumentError(absl::StrCat("private key is of type ",
                                                   EVP_PKEY_get0_type_name(key),
                                                   "; ED25519 is accepted"));
  }
  return Ed25519PrivateKey(std::move(owned));
}

std::string Ed25519PrivateKey::ToPem() const {
  const UniqueBio bio(BIO_new(BIO_s_mem()));
  // Out of memory is all that can fail here.
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), KeyOf(key_), nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1) {
    std::abort();
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string Ed25519PrivateKey::Sign(absl::string_view message) const {
  static_assert(kSignatureSize == crypto_sign_BYTES);
  std::string signature(kSignatureSize, '\0');
  if (crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()),
                           nullptr, UnsignedBytes(message), message.size(),
                           secret_->bytes.data()) != 0) {
    std::abort();
  }
  return signature;
}

Ed25519PublicKey Ed25519PrivateKey::PublicKey() const {
  Ed25519PublicKeyBytes raw;
  size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(KeyOf(key_), raw.data(), &size) != 1) {
    std::abort();
  }
  absl::StatusOr<Ed25519PublicKey> key = Ed25519PublicKey::FromRaw(
      absl::string_view(reinterpret_cast<const char*>(raw.data()), size));
  if (!key.ok()) std::abort();
  return *std::move(key);
}

}  // namespace windproof
