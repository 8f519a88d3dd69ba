#include "common/crypto/sha256.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// FIPS 180-4 examples and NIST's million letters.
TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(HexOf(Sha256Of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(Sha256Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf(Sha256Of(
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexOf(Sha256Of(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, PartsAreOneMessageWhereverItIsCut) {
  std::string message;
  for (int i = 0; i < 200; ++i) message.push_back(static_cast<char>(i));
  const Digest expected = Sha256Of(message);
  Sha256 hasher;
  for (size_t cut = 0; cut <= message.size(); ++cut) {
    const absl::string_view head = absl::string_view(message).substr(0, cut);
    const absl::string_view tail = absl::string_view(message).substr(cut);
    EXPECT_EQ(Sha256Of({head, tail}), expected) << cut;
    hasher.Update(head);
    hasher.Update(tail);
    EXPECT_EQ(hasher.Finish(), expected) << cut;
  }
  EXPECT_EQ(hasher.Finish(), Sha256Of("")) << "Finish() begins anew";
}

// Short messages are padded by our own code.
TEST(Sha256Test, APrefixIsTheFirstByteAtEverySize) {
  std::string message;
  for (int size = 0; size <= 700; ++size) {
    for (const uint8_t prefix : {0x00, 0x01, 0x80, 0xFF}) {
      EXPECT_EQ(Sha256OfPrefixed(prefix, message),
                Sha256Of(std::string(1, static_cast<char>(prefix)) + message))
          << size;
    }
    message.push_back(static_cast<char>(0xFF - size % 251));
  }
}

TEST(Sha256Test, APrefixComesBeforeTwoDigests) {
  Digest first = Sha256Of("first");
  for (int i = 0; i < 300; ++i) {
    const Digest second = Sha256OfPrefixed(static_cast<uint8_t>(i), "second");
    const uint8_t prefix = static_cast<uint8_t>(i * 7);
    const std::string message =
        absl::StrCat(std::string(1, static_cast<char>(prefix)), BytesOf(first),
                     BytesOf(second));
    const Digest found = Sha256OfPrefixed(prefix, first, second);
    ASSERT_EQ(found, Sha256Of(message)) << i;
    first = found;
  }
}

TEST(DigestTest, HexGoesThereAndBack) {
  const Digest digest = Sha256Of("abc");
  const absl::StatusOr<Digest> again = DigestFromHex(HexOf(digest));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, digest);
  EXPECT_EQ(BytesOf(digest).size(), 32u);
  EXPECT_EQ(*DigestFromBytes(BytesOf(digest)), digest);
}

TEST(DigestTest, RefusesOtherThan64LowerCaseDigits) {
  const std::string good = HexOf(Sha256Of("abc"));
  std::string upper = good;
  upper[0] = 'B';
  std::string letter = good;
  letter[63] = 'g';
  for (const std::string& hex :
       {std::string(), good.substr(1), good + "0", upper, letter,
        " " + good.substr(1), std::string(64, '\0')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(DigestFromHex(hex).status())) << hex;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(DigestFromBytes("short").status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(DigestFromBytes(std::string(33, 'x')).status()));
}

}  // namespace
}  // namespace windproof
