#include "common/merkle/tree_head.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/crypto/signed_note.h"
#include "common/merkle/tree.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr absl::string_view kRoot =
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

// The example of c2sp.org/tlog-checkpoint.
TEST(TreeHeadTest, GoesThereAndBack) {
  for (const char* extensions : {"", "one\n", "one\ntwo two\n"}) {
    const std::string text = absl::StrCat(
        "example.com/behind-the-sofa\n20852163\n", kRoot, "\n", extensions);
    const absl::StatusOr<TreeHead> head = ParseTreeHead(text);
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_EQ(head->origin, "example.com/behind-the-sofa");
    EXPECT_EQ(head->size, 20852163u);
    EXPECT_EQ(HexOf(head->root).substr(0, 8), "0ac5186a");
    EXPECT_EQ(FormatTreeHead(*head), text);
  }
}

TEST(TreeHeadTest, RefusesMalformedHeads) {
  const struct {
    const char* name;
    std::string text;
  } kCases[] = {
      {"Empty", ""},
      {"NoNewline", absl::StrCat("o\n1\n", kRoot)},
      {"NoRoot", "o\n1\n"},
      {"NoOrigin", absl::StrCat("\n1\n", kRoot, "\n")},
      {"LeadingZero", absl::StrCat("o\n01\n", kRoot, "\n")},
      {"Plus", absl::StrCat("o\n+1\n", kRoot, "\n")},
      {"Space", absl::StrCat("o\n 1\n", kRoot, "\n")},
      {"Negative", absl::StrCat("o\n-1\n", kRoot, "\n")},
      {"Hex", absl::StrCat("o\n0x1\n", kRoot, "\n")},
      {"TooLarge", absl::StrCat("o\n18446744073709551616\n", kRoot, "\n")},
      {"ShortRoot", "o\n1\nAAAA\n"},
      {"LooseBits", absl::StrCat("o\n1\n", kRoot.substr(0, 42), "J=\n")},
      {"NoPadding", absl::StrCat("o\n1\n", kRoot.substr(0, 43), "\n")},
      {"EmptyExtension", absl::StrCat("o\n1\n", kRoot, "\n\n")},
  };
  for (const auto& test : kCases) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseTreeHead(test.text).status()))
        << test.name;
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A whole log of sizes 0 to 15: signatures, roots and leaves.
TEST(TreeHeadTest, TesseraLog) {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "WINDPROOF_SHARED is not set";
  const std::string dir = absl::StrCat(shared, "/data/c2sp/");
  const std::string vkey = ReadFile(dir + "tessera-log.vkey");
  if (vkey.empty()) GTEST_SKIP() << "no C2SP vectors under " << shared;
  const absl::StatusOr<VerifierKey> key =
      ParseVerifierKey(absl::StripSuffix(vkey, "\n"));
  ASSERT_TRUE(key.ok()) << key.status();

  StreamingRoot expected;
  int verified = 0;
  for (int size = 0; size <= 15; ++size) {
    if (size > 0) {
      // Level 0 of the tiles holds leaf hashes; the bundle, the entries with
      // their lengths in front.
      const std::string tile =
          ReadFile(absl::StrCat(dir, "tessera-log/tile/0/000.p/", size));
      ASSERT_EQ(tile.size(), 32u * size);
      const absl::string_view leaf =
          absl::string_view(tile).substr(tile.size() - 32);
      const std::string bundle =
          ReadFile(absl::StrCat(dir, "tessera-log/tile/entries/000.p/", size));
      absl::string_view rest = bundle;
      absl::string_view last;
      for (int i = 0; i < size; ++i) {
        const size_t length = static_cast<unsigned char>(rest[0]) << 8 |
                              static_cast<unsigned char>(rest[1]);
        last = rest.substr(2, length);
        rest.remove_prefix(2 + length);
      }
      EXPECT_TRUE(rest.empty());
      EXPECT_EQ(BytesOf(HashLeaf(last)), leaf);
      expected.Add(HashLeaf(last));
    }
    const absl::StatusOr<std::string> text = OpenNote(
        ReadFile(absl::StrCat(dir, "tessera-log/checkpoint.", size)), *key);
    ASSERT_TRUE(text.ok()) << size << ": " << text.status();
    const absl::StatusOr<TreeHead> head = ParseTreeHead(*text);
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_EQ(head->origin, key->name);
    EXPECT_EQ(head->size, static_cast<uint64_t>(size));
    EXPECT_EQ(head->root, expected.Root()) << size;
    EXPECT_EQ(FormatTreeHead(*head), *text);
    ++verified;
  }
  EXPECT_EQ(verified, 16);
}

}  // namespace
}  // namespace windproof
