#include "tests/multichain/fake_node/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/multichain/fake_node/bytes.h"

namespace windproof::fake_node {
namespace {

constexpr absl::string_view kBase58 =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

std::string ToBase58(absl::string_view bytes) {
  std::vector<int> digits;  // the least first
  for (const char c : bytes) {
    int carry = static_cast<uint8_t>(c);
    for (int& digit : digits) {
      carry += digit * 256;
      digit = carry % 58;
      carry /= 58;
    }
    for (; carry > 0; carry /= 58) digits.push_back(carry % 58);
  }
  std::string text;
  for (const char c : bytes) {
    if (c != 0) break;
    text.push_back(kBase58[0]);
  }
  for (size_t i = digits.size(); i-- > 0;) {
    text.push_back(kBase58[static_cast<size_t>(digits[i])]);
  }
  return text;
}

absl::optional<std::string> FromBase58(absl::string_view text) {
  std::string bytes;  // the least first
  for (const char c : text) {
    const size_t digit = kBase58.find(c);
    if (digit == absl::string_view::npos) return absl::nullopt;
    int carry = static_cast<int>(digit);
    for (char& byte : bytes) {
      carry += static_cast<uint8_t>(byte) * 58;
      byte = static_cast<char>(carry & 0xFF);
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) {
      bytes.push_back(static_cast<char>(carry & 0xFF));
    }
  }
  for (const char c : text) {
    if (c != kBase58[0]) break;
    bytes.push_back('\0');
  }
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

std::string ChecksumOf(absl::string_view versioned) {
  const Digest hash = DoubleSha256(versioned);
  std::string checksum = *FromHex(kAddressChecksumHex);
  for (size_t i = 0; i < checksum.size(); ++i) {
    checksum[i] = static_cast<char>(checksum[i] ^ hash[i]);
  }
  return checksum;
}

struct Deleter {
  void operator()(BIGNUM* p) const { BN_free(p); }
  void operator()(EC_GROUP* p) const { EC_GROUP_free(p); }
  void operator()(EC_POINT* p) const { EC_POINT_free(p); }
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

const EC_GROUP* Group() {
  static const EC_GROUP* const group =
      EC_GROUP_new_by_curve_name(NID_secp256k1);
  return group;
}

EVP_PKEY* MakeKey(const BIGNUM* secret, absl::string_view public_key) {
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                  "secp256k1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                   public_key.data(), public_key.size());
  if (secret != nullptr) {
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret);
  }
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const Owned<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY_fromdata(context.get(), &key,
                    secret != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                    parameters.get());
  return key;
}

std::string WithLowS(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const Owned<ECDSA_SIG> signature(
      d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size())));
  const BIGNUM* order = EC_GROUP_get0_order(Group());
  Owned<BIGNUM> half(BN_dup(order));
  BN_rshift1(half.get(), half.get());
  if (BN_cmp(ECDSA_SIG_get0_s(signature.get()), half.get()) <= 0) return der;
  BIGNUM* low = BN_new();
  BN_sub(low, order, ECDSA_SIG_get0_s(signature.get()));
  ECDSA_SIG_set0(signature.get(), BN_dup(ECDSA_SIG_get0_r(signature.get())),
                 low);
  std::string out(80, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  out.resize(static_cast<size_t>(i2d_ECDSA_SIG(signature.get(), &to)));
  return out;
}

}  // namespace

std::string AddressOf(absl::string_view public_key_hash) {
  const std::string version = *FromHex(kAddressVersionHex);
  std::string versioned;
  for (size_t i = 0; i < version.size(); ++i) {
    versioned.push_back(version[i]);
    absl::StrAppend(&versioned, public_key_hash.substr(5 * i, 5));
  }
  return ToBase58(versioned + ChecksumOf(versioned));
}

absl::optional<std::string> HashOfAddress(absl::string_view address) {
  const absl::optional<std::string> bytes = FromBase58(address);
  if (!bytes.has_value() || bytes->size() != 28) return absl::nullopt;
  const std::string version = *FromHex(kAddressVersionHex);
  const std::string versioned = bytes->substr(0, 24);
  if (bytes->substr(24) != ChecksumOf(versioned)) return absl::nullopt;
  std::string hash;
  for (size_t i = 0; i < version.size(); ++i) {
    if (versioned[6 * i] != version[i]) return absl::nullopt;
    hash.append(versioned, 6 * i + 1, 5);
  }
  return hash;
}

Key::Key(absl::string_view seed) {
  const Digest digest = Sha256Of(seed);
  Owned<BIGNUM> secret(
      BN_bin2bn(digest.data(), static_cast<int>(digest.size()), nullptr));
  // Below the order with overwhelming probability, and so is its top bit off.
  BN_clear_bit(secret.get(), 255);
  const Owned<EC_POINT> point(EC_POINT_new(Group()));
  EC_POINT_mul(Group(), point.get(), secret.get(), nullptr, nullptr, nullptr);
  public_key_.resize(33);
  EC_POINT_point2oct(Group(), point.get(), POINT_CONVERSION_COMPRESSED,
                     reinterpret_cast<unsigned char*>(public_key_.data()),
                     public_key_.size(), nullptr);
  hash_ = Hash160(public_key_);
  address_ = AddressOf(hash_);
  key_ = MakeKey(secret.get(), public_key_);
}

Key::~Key() { EVP_PKEY_free(static_cast<EVP_PKEY*>(key_)); }

Key::Key(Key&& other) noexcept
    : key_(other.key_),
      public_key_(std::move(other.public_key_)),
      hash_(std::move(other.hash_)),
      address_(std::move(other.address_)) {
  other.key_ = nullptr;
}

std::string Key::Sign(const Digest& digest) const {
  const Owned<EVP_PKEY_CTX> context(
      EVP_PKEY_CTX_new(static_cast<EVP_PKEY*>(key_), nullptr));
  std::string der(80, '\0');
  size_t size = der.size();
  EVP_PKEY_sign_init(context.get());
  EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(der.data()),
                &size, digest.data(), digest.size());
  der.resize(size);
  return WithLowS(der);
}

bool VerifySignature(absl::string_view public_key, const Digest& digest,
                     absl::string_view signature) {
  const Owned<EVP_PKEY> key(MakeKey(nullptr, public_key));
  if (key == nullptr) return false;
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key.get(), nullptr));
  return EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(
             context.get(),
             reinterpret_cast<const unsigned char*>(signature.data()),
             signature.size(), digest.data(), digest.size()) == 1;
}

}  // namespace windproof::fake_node
