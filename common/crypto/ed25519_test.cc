#include "common/crypto/ed25519.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace windproof {
namespace {

// RFC 8032 section 7.1, test 2.
TEST(Ed25519Test, KnownSignature) {
  const absl::StatusOr<Ed25519PublicKey> key =
      Ed25519PublicKey::FromRaw(absl::HexStringToBytes(
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
  ASSERT_TRUE(key.ok()) << key.status();
  const std::string signature = absl::HexStringToBytes(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(key->Verify("\x72", signature));
  EXPECT_FALSE(key->Verify("\x73", signature));
  EXPECT_FALSE(key->Verify("\x72", signature.substr(1)));
  EXPECT_FALSE(key->Verify("\x72", signature + '\0'));
  EXPECT_FALSE(key->Verify("\x72", ""));
}

TEST(Ed25519Test, EveryChangedBitOfASignatureIsRefused) {
  const absl::StatusOr<Ed25519PrivateKey> key = Ed25519PrivateKey::Generate();
  ASSERT_TRUE(key.ok()) << key.status();
  const std::string signature = key->Sign("message");
  ASSERT_EQ(signature.size(), 64u);
  const Ed25519PublicKey verifier = key->PublicKey();
  ASSERT_TRUE(verifier.Verify("message", signature));
  for (size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    std::string changed = signature;
    changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_FALSE(verifier.Verify("message", changed)) << bit;
  }
}

TEST(Ed25519Test, PemGoesThereAndBack) {
  const absl::StatusOr<Ed25519PrivateKey> key = Ed25519PrivateKey::Generate();
  ASSERT_TRUE(key.ok()) << key.status();
  const absl::StatusOr<Ed25519PrivateKey> again =
      Ed25519PrivateKey::FromPem(key->ToPem());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->PublicKey().raw(), key->PublicKey().raw());
  EXPECT_EQ(again->Sign("x"), key->Sign("x"));
}

TEST(Ed25519Test, RefusesWhatIsNoKey) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      Ed25519PublicKey::FromRaw(std::string(31, 'k')).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Ed25519PrivateKey::FromPem("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      Ed25519PrivateKey::FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n"
                                 "-----END PRIVATE KEY-----\n")
          .status()));

  EVP_PKEY* other = EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519");
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, other, nullptr, nullptr, 0, nullptr,
                                nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  const absl::Status status =
      Ed25519PrivateKey::FromPem(
          absl::string_view(data, static_cast<size_t>(size)))
          .status();
  BIO_free(bio);
  EVP_PKEY_free(other);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("X25519"), absl::string_view::npos) << status;
}

// All of Wycheproof's cases, valid and invalid.
TEST(Ed25519Test, Wycheproof) {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "WINDPROOF_SHARED is not set";
  std::ifstream file(
      absl::StrCat(shared, "/data/wycheproof/ed25519_test.json"));
  if (!file) GTEST_SKIP() << "no Wycheproof vectors under " << shared;
  const nlohmann::json vectors = nlohmann::json::parse(file);
  int valid = 0;
  int invalid = 0;
  for (const auto& group : vectors["testGroups"]) {
    const absl::StatusOr<Ed25519PublicKey> key = Ed25519PublicKey::FromRaw(
        absl::HexStringToBytes(group["publicKey"]["pk"].get<std::string>()));
    ASSERT_TRUE(key.ok()) << key.status();
    for (const auto& test : group["tests"]) {
      const bool expected = test["result"] == "valid";
      ++(expected ? valid : invalid);
      EXPECT_EQ(
          key->Verify(absl::HexStringToBytes(test["msg"].get<std::string>()),
                      absl::HexStringToBytes(test["sig"].get<std::string>())),
          expected)
          << test["tcId"] << ": " << test["comment"];
    }
  }
  EXPECT_EQ(valid, 88);
  EXPECT_EQ(invalid, 63);
}

}  // namespace
}  // namespace windproof
