#include "common/server/trust_file.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

VerifierKey Key(absl::string_view name, char fill) {
  return MakeVerifierKey(
      name, Ed25519PublicKey::FromRaw(std::string(32, fill)).value());
}

std::string Ledger() {
  return absl::StrCat(R"({"kind":"embedded","vkey":")",
                      FormatVerifierKey(Key("ledger", 'l')), R"("})");
}

TEST(TrustFileTest, GoesBothWays) {
  for (const std::vector<VerifierKey>& producers :
       {std::vector<VerifierKey>{},
        std::vector<VerifierKey>{Key("a", 'a'), Key("b", 'b')}}) {
    const auto trust = ParseTrust(FormatTrust({.ledger_kind = "embedded",
                                               .ledger = Key("ledger", 'l'),
                                               .producers = producers}));
    ASSERT_TRUE(trust.ok()) << trust.status();
    EXPECT_EQ(trust->ledger->name, "ledger");
    ASSERT_EQ(trust->producers.size(), producers.size());
    for (const VerifierKey& producer : producers) {
      const VerifierKey* found = trust->FindProducer(producer.name);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(FormatVerifierKey(*found), FormatVerifierKey(producer));
    }
    EXPECT_EQ(trust->FindProducer("nobody"), nullptr);
  }
}

struct WrongTrust {
  std::string json;
  const char* says;
};

TEST(TrustFileTest, WhatIsWrongIsNamed) {
  const std::string vkey = FormatVerifierKey(Key("a", 'a'));
  for (const WrongTrust& wrong : std::vector<WrongTrust>{
           {"", ""},
           {"[]", "one JSON object"},
           {"{}", "version"},
           {R"({"version":"1"})", "version"},
           {R"({"version":1})", "ledger"},
           {R"({"version":1,"ledger":{"kind":"embedded"},"producers":[]})",
            "ledger.vkey"},
           {R"({"version":1,"ledger":{"vkey":"x"},"producers":[]})",
            "ledger.kind"},
           {absl::StrCat(R"({"version":1,"ledger":)", Ledger(), "}"),
            "producers"},
           {absl::StrCat(R"({"version":1,"ledger":)", Ledger(),
                         R"(,"producers":["x"]})"),
            "producers[0]"},
           {absl::StrCat(R"({"version":1,"ledger":)", Ledger(),
                         R"(,"producers":[")", vkey, R"(",")", vkey, R"("]})"),
            "producers[1]"},
           {absl::StrCat(R"({"version":1,"ledger":)", Ledger(),
                         R"(,"producers":[],"extra":1})"),
            "extra"},
       }) {
    const absl::Status status = ParseTrust(wrong.json).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << wrong.json;
    EXPECT_TRUE(absl::StrContains(status.message(), wrong.says)) << status;
  }
}

TEST(TrustFileTest, WhatIsNewerIsNotUnderstoodRatherThanWrong) {
  EXPECT_TRUE(absl::IsUnimplemented(
      ParseTrust(R"({"version":2,"ledger":{},"more":1})").status()));
  EXPECT_TRUE(absl::IsUnimplemented(
      ParseTrust(R"({"version":1,"ledger":{"kind":"papyrus",)"
                 R"("vkey":"x"},"producers":[]})")
          .status()));
}

constexpr char kChainTrust[] =
    R"({"version":1,"ledger":{"kind":"multichain","chain":"weather",)"
    R"("genesis":"00aa00aa00aa00aa00aa00aa00aa00aa)"
    R"(00aa00aa00aa00aa00aa00aa00aa00aa","stream":"checkpoints",)"
    R"("publishers":["1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk"],)"
    R"("confirmations":2},"producers":[]})";

TEST(TrustFileTest, AChainIsTrustedByGenesisAndPublishers) {
  const auto trust = ParseTrust(kChainTrust);
  ASSERT_TRUE(trust.ok()) << trust.status();
  EXPECT_FALSE(trust->ledger.has_value());
  ASSERT_TRUE(trust->chain.has_value());
  const auto again = ParseTrust(FormatTrust(*trust));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->chain->chain, "weather");
  EXPECT_EQ(again->chain->genesis, trust->chain->genesis);
  EXPECT_EQ(again->chain->stream, "checkpoints");
  EXPECT_EQ(again->chain->publishers, trust->chain->publishers);
  EXPECT_EQ(again->chain->confirmations, 2);
}

TEST(TrustFileTest, InBatchedModeTheLogsKeyIsTrustedToo) {
  const std::string vkey = FormatVerifierKey(Key("log", 'l'));
  const auto with = [](absl::string_view members) {
    return absl::StrReplaceAll(
        kChainTrust, {{"\"confirmations\":2",
                       absl::StrCat("\"confirmations\":2", members)}});
  };
  const std::string json =
      with(absl::StrCat(R"(,"mode":"batched","vkey":")", vkey, "\""));
  auto trust = ParseTrust(json);
  ASSERT_TRUE(trust.ok()) << trust.status();
  trust = ParseTrust(FormatTrust(*trust));
  ASSERT_TRUE(trust.ok()) << trust.status();
  ASSERT_TRUE(trust->chain.has_value() && trust->ledger.has_value());
  EXPECT_EQ(FormatVerifierKey(*trust->ledger), vkey);
  EXPECT_TRUE(ParseTrust(with(R"(,"mode":"direct")")).ok());
  for (const std::string& wrong :
       {std::string(R"(,"mode":"batched")"), std::string(R"(,"mode":1)"),
        absl::StrCat(R"(,"vkey":")", vkey, "\""),
        std::string(R"(,"mode":"batched","vkey":"x")")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseTrust(with(wrong)).status()))
        << wrong;
  }
  EXPECT_TRUE(
      absl::IsUnimplemented(ParseTrust(with(R"(,"mode":"turbo")")).status()));
}

TEST(TrustFileTest, EachMemberOfAChainsTrustIsNeeded) {
  for (const char* member :
       {"chain", "genesis", "stream", "publishers", "confirmations"}) {
    const std::string json = absl::StrReplaceAll(
        kChainTrust, {{absl::StrCat("\"", member, "\""), "\"other\""}});
    const absl::Status status = ParseTrust(json).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << json;
    EXPECT_TRUE(absl::StrContains(status.message(), "other")) << status;
  }
  for (const auto& [right, wrong] :
       std::vector<std::pair<const char*, const char*>>{
           {"\"confirmations\":2", "\"confirmations\":0"},
           {"\"confirmations\":2", "\"confirmations\":1.5"},
           {"00aa00aa00aa00aa00aa00aa00aa00aa", "00AA"},
           {"[\"1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk\"]", "[]"},
           {"[\"1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk\"]", "[1]"}}) {
    const std::string json = absl::StrReplaceAll(kChainTrust, {{right, wrong}});
    EXPECT_TRUE(absl::IsInvalidArgument(ParseTrust(json).status())) << json;
  }
}

TEST(TrustFileTest, AFileThatIsMissingIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(LoadTrust("/nonexistent/trust.json").status()));
}

}  // namespace
}  // namespace windproof
