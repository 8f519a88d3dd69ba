// The proofs of github.com/transparency-dev/merkle, good and corrupted:
// inclusion and consistency of trees and of subtrees.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "common/crypto/sha256.h"
#include "common/merkle/proof.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace windproof {
namespace {

using nlohmann::json;

// Hostile cases leave members out or make them null.
std::string BytesMember(const json& vector, const char* name) {
  std::string bytes;
  if (!vector.contains(name) || vector[name].is_null()) return bytes;
  EXPECT_TRUE(absl::Base64Unescape(vector[name].get<std::string>(), &bytes));
  return bytes;
}

absl::StatusOr<std::vector<Digest>> Digests(const json& vector) {
  std::vector<Digest> digests;
  if (vector["proof"].is_null()) return digests;
  for (const json& text : vector["proof"]) {
    std::string bytes;
    EXPECT_TRUE(absl::Base64Unescape(text.get<std::string>(), &bytes));
    const absl::StatusOr<Digest> digest = DigestFromBytes(bytes);
    if (!digest.ok()) return digest.status();
    digests.push_back(*digest);
  }
  return digests;
}

// Some consistency cases call two roots "don't care 1" and so on: only whether
// they are equal matters, which their hashes tell as well.
Digest OpaqueRoot(const json& vector, const char* name) {
  const std::string bytes = BytesMember(vector, name);
  const absl::StatusOr<Digest> digest = DigestFromBytes(bytes);
  return digest.ok() ? *digest : Sha256Of(bytes);
}

absl::Status CheckRoot(const absl::StatusOr<Digest>& found,
                       const json& vector) {
  if (!found.ok()) return found.status();
  const absl::StatusOr<Digest> root =
      DigestFromBytes(BytesMember(vector, "root"));
  if (!root.ok()) return root.status();
  return *found == *root ? absl::OkStatus()
                         : absl::InvalidArgumentError("another root");
}

absl::Status CheckVector(const std::string& kind, const json& vector) {
  const auto number = [&](const char* name) {
    return vector[name].get<uint64_t>();
  };
  const absl::StatusOr<std::vector<Digest>> proof = Digests(vector);
  if (!proof.ok()) return proof.status();
  if (kind == "consistency") {
    return CheckConsistency({number("size1"), number("size2"), *proof},
                            OpaqueRoot(vector, "root1"),
                            OpaqueRoot(vector, "root2"));
  }
  if (kind == "subtreeconsistency") {
    return CheckSubtreeConsistency(
        {number("start"), number("end")}, number("size"), *proof,
        OpaqueRoot(vector, "root1"), OpaqueRoot(vector, "root2"));
  }
  const absl::StatusOr<Digest> leaf =
      DigestFromBytes(BytesMember(vector, "leafHash"));
  if (!leaf.ok()) return leaf.status();
  if (kind == "inclusion") {
    return CheckRoot(
        RootFromInclusionProof(*leaf,
                               {number("leafIdx"), number("treeSize"), *proof}),
        vector);
  }
  EXPECT_EQ(kind, "subtreeinclusion");
  return CheckRoot(
      RootFromSubtreeInclusionProof(*leaf, number("leafIdx"),
                                    {number("start"), number("end")}, *proof),
      vector);
}

TEST(ProofVectorsTest, TransparencyDev) {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "WINDPROOF_SHARED is not set";
  const std::filesystem::path dir =
      std::filesystem::path(shared) / "data/rfc6962/testdata";
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << "no " << dir;
  int accepted = 0;
  int refused = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(dir)) {
    if (file.path().extension() != ".json") continue;
    std::ifstream stream(file.path());
    const json vector = json::parse(stream);
    const std::string kind =
        file.path().lexically_relative(dir).begin()->string();
    const absl::Status status = CheckVector(kind, vector);
    EXPECT_EQ(!status.ok(), vector["wantErr"].get<bool>())
        << file.path() << ": " << status;
    ++(status.ok() ? accepted : refused);
  }
  EXPECT_EQ(accepted, 36);
  EXPECT_EQ(refused, 482);
}

}  // namespace
}  // namespace windproof
