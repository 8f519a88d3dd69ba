#include "common/crypto/signed_note.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/crypto/ed25519.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// The pair that c2sp.org/signed-note prints.
constexpr absl::string_view kNote =
    "This is an example message.\n"
    "\n"
    "\xE2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRK"
    "uw"
    "HjG1Yu72IneyaQM=\n";
constexpr absl::string_view kVkey =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

VerifierKey KeyOf(absl::string_view vkey) {
  absl::StatusOr<VerifierKey> key = ParseVerifierKey(vkey);
  EXPECT_TRUE(key.ok()) << key.status();
  return *key;
}

TEST(SignedNoteTest, OpensTheExampleOfTheSpecification) {
  const absl::StatusOr<std::string> text = OpenNote(kNote, KeyOf(kVkey));
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "This is an example message.\n");
}

TEST(SignedNoteTest, SignsWhatItOpens) {
  const Ed25519PrivateKey key = *Ed25519PrivateKey::Generate();
  const VerifierKey verifier = MakeVerifierKey("log/1", key.PublicKey());
  EXPECT_EQ(FormatVerifierKey(KeyOf(FormatVerifierKey(verifier))),
            FormatVerifierKey(verifier));
  // Blank lines may be part of the text.
  const std::string text = "a\n\n\xE2\x80\x94 b c\n\nd\n";
  const absl::StatusOr<std::string> note = SignNote(text, "log/1", key);
  ASSERT_TRUE(note.ok()) << note.status();
  const absl::StatusOr<std::string> opened = OpenNote(*note, verifier);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(*opened, text);
}

TEST(SignedNoteTest, ChangedTextIsAWrongSignature) {
  const std::string changed =
      absl::StrReplaceAll(kNote, {{"example message", "other message"}});
  EXPECT_TRUE(
      absl::IsPermissionDenied(OpenNote(changed, KeyOf(kVkey)).status()));
}

TEST(SignedNoteTest, OthersSignaturesAreIgnored) {
  const Ed25519PrivateKey other = *Ed25519PrivateKey::Generate();
  const absl::string_view text = "This is an example message.\n";
  // By another key of the same name, which therefore has another id.
  const std::string foreign = *SignNote(text, "example.com/foo", other);
  EXPECT_TRUE(
      absl::IsPermissionDenied(OpenNote(foreign, KeyOf(kVkey)).status()));
  const std::string both =
      absl::StrCat(foreign, absl::StripPrefix(kNote, absl::StrCat(text, "\n")));
  EXPECT_TRUE(OpenNote(both, KeyOf(kVkey)).ok());
}

TEST(SignedNoteTest, AWrongSignatureBesideAGoodOneIsRefused) {
  std::string bad(kNote.substr(kNote.find("\xE2\x80\x94")));
  bad[bad.find("Uw2QOkn8") + 7] = '9';
  EXPECT_TRUE(absl::IsPermissionDenied(
      OpenNote(absl::StrCat(kNote, bad), KeyOf(kVkey)).status()));
  EXPECT_TRUE(
      OpenNote(absl::StrCat(kNote, kNote.substr(29)), KeyOf(kVkey)).ok())
      << "the same signature twice";
}

TEST(SignedNoteTest, RefusesMalformedNotes) {
  const std::string note(kNote);
  const std::string sign = note.substr(note.find("\xE2\x80\x94"));
  const struct {
    const char* name;
    std::string note;
  } kCases[] = {
      {"Empty", ""},
      {"NoBlankLine", "text\n"},
      {"NoSignature", "text\n\n"},
      {"NoFinalNewline", note.substr(0, note.size() - 1)},
      {"NoText", absl::StrCat("\n", sign)},
      {"Hyphen", absl::StrReplaceAll(note, {{"\xE2\x80\x94", "-"}})},
      {"NoSpace",
       absl::StrReplaceAll(note, {{"\xE2\x80\x94 ", "\xE2\x80\x94"}})},
      {"EmptyName", absl::StrReplaceAll(note, {{"example.com/foo", ""}})},
      {"PlusInName", absl::StrReplaceAll(note, {{"example.com/foo", "a+b"}})},
      {"NoBreakSpaceInName",
       absl::StrReplaceAll(note, {{"example.com/foo", "a\xC2\xA0"}})},
      {"TrailingSpace", absl::StrReplaceAll(note, {{"yaQM=\n", "yaQM= \n"}})},
      {"NoPadding", absl::StrReplaceAll(note, {{"yaQM=\n", "yaQM\n"}})},
      {"LooseBits", absl::StrReplaceAll(note, {{"yaQM=\n", "yaQN=\n"}})},
      {"UrlSafe", absl::StrReplaceAll(note, {{"Uw2QOkn8", "Uw2QO-_8"}})},
      {"OnlyAKeyId", absl::StrCat("t\n\n\xE2\x80\x94 n AAAAAA==\n")},
      {"Tab", absl::StrReplaceAll(note, {{"This is", "This\tis"}})},
      {"CarriageReturn",
       absl::StrReplaceAll(note, {{"message.\n", "message.\r\n"}})},
      {"NotUtf8", absl::StrReplaceAll(note, {{"This", "Th\xFFs"}})},
      {"Surrogate", absl::StrReplaceAll(note, {{"This", "\xED\xA0\x80"}})},
      {"Overlong", absl::StrReplaceAll(note, {{"This", "\xC0\xAF"}})},
      {"CutOffUtf8", absl::StrReplaceAll(note, {{"foo ", "foo\xE2\x80 "}})},
      {"TooBig", absl::StrCat(std::string(1'000'000, 'x'), kNote)},
  };
  for (const auto& test : kCases) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseSignedNote(test.note).status()))
        << test.name << ": " << ParseSignedNote(test.note).status();
  }
  std::string many = note;
  for (int i = 0; i < 100; ++i) many += sign;
  EXPECT_TRUE(absl::IsInvalidArgument(ParseSignedNote(many).status()));
}

TEST(SignedNoteTest, SignNoteRefusesWhatCouldNotBeOpened) {
  const Ed25519PrivateKey key = *Ed25519PrivateKey::Generate();
  EXPECT_TRUE(absl::IsInvalidArgument(SignNote("", "n", key).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SignNote("no end", "n", key).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SignNote("a\tb\n", "n", key).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SignNote("a\n", "a b", key).status()));
}

TEST(VerifierKeyTest, RefusesMalformedKeys) {
  const std::string vkey(kVkey);
  for (const std::string& text :
       {std::string(), std::string("name"), std::string("name+00000000"),
        absl::StrReplaceAll(vkey, {{"530d903a", "530D903A"}}),
        absl::StrReplaceAll(vkey, {{"530d903a", "530d903b"}}),
        absl::StrReplaceAll(vkey, {{"530d903a", "0530d903a"}}),
        absl::StrReplaceAll(vkey, {{"foo", "bar"}}),
        absl::StrReplaceAll(vkey, {{"+Aek", "+Bek"}}),
        vkey.substr(0, vkey.size() - 4), vkey + "\n", " " + vkey,
        "+530d903a" + vkey.substr(vkey.rfind('+'))}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseVerifierKey(text).status()))
        << text;
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SignedNoteTest, C2spExamples) {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "WINDPROOF_SHARED is not set";
  const std::string dir = absl::StrCat(shared, "/data/c2sp/spec-examples/");
  if (ReadFile(dir + "signed-note-verifiable.txt").empty()) {
    GTEST_SKIP() << "no C2SP examples under " << shared;
  }
  const std::string vkey = ReadFile(dir + "signed-note-verifiable.vkey");
  EXPECT_TRUE(OpenNote(ReadFile(dir + "signed-note-verifiable.txt"),
                       KeyOf(absl::StripSuffix(vkey, "\n")))
                  .ok());
  for (const char* name :
       {"tlog-checkpoint.txt", "signed-note-quasimodo.txt"}) {
    const absl::StatusOr<SignedNote> note =
        ParseSignedNote(ReadFile(dir + name));
    ASSERT_TRUE(note.ok()) << name << ": " << note.status();
    EXPECT_EQ(note->signatures.size(), 1u) << name;
  }
  const absl::StatusOr<SignedNote> cosigned =
      ParseSignedNote(ReadFile(dir + "tlog-cosigned-checkpoint.txt"));
  ASSERT_TRUE(cosigned.ok()) << cosigned.status();
  EXPECT_EQ(cosigned->signatures.size(), 2u);
  // Its signatures are elided.
  EXPECT_TRUE(absl::IsInvalidArgument(
      ParseSignedNote(ReadFile(dir + "tlog-proof-shape.txt")).status()));
}

}  // namespace
}  // namespace windproof
