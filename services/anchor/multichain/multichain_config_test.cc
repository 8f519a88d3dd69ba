#include "services/anchor/multichain/multichain_config.h"

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr char kGood[] =
    "node.urls = http://127.0.0.1:1, https://node:2\n"
    "chain = wxchain\n"
    "genesis = "
    "00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa00aa\n"
    "stream = checkpoints\n"
    "address = 1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk\n"
    "user = me\n"
    "password = s3cret\n";

TEST(MultiChainConfigTest, DefaultsAreAsTheHeaderSays) {
  const auto config = ParseMultiChainConfig(kGood, "f");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->urls,
            (std::vector<std::string>{"http://127.0.0.1:1", "https://node:2"}));
  EXPECT_EQ(config->chain, "wxchain");
  EXPECT_EQ(config->stream, "checkpoints");
  EXPECT_EQ(config->user, "me");
  EXPECT_EQ(config->password, "s3cret");
  EXPECT_EQ(config->confirmations, 1);
  EXPECT_EQ(config->publishers, (std::vector<std::string>{config->address}));
  EXPECT_FALSE(config->batched);
  EXPECT_FALSE(config->create_stream);
  EXPECT_FALSE(config->any_confirmations);
  EXPECT_EQ(config->timeout_ms, 10'000);
}

TEST(MultiChainConfigTest, EveryMissingKeyIsNamed) {
  for (const char* key :
       {"node.urls", "chain", "genesis", "stream", "user", "password"}) {
    const std::string text = absl::StrReplaceAll(
        kGood, {{absl::StrCat(key, " ="), absl::StrCat("# ", key, " =")}});
    const absl::Status status = ParseMultiChainConfig(text, "f").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << key;
    EXPECT_TRUE(absl::StrContains(status.message(), key)) << status;
  }
  const std::string reader =
      absl::StrReplaceAll(kGood, {{"address", "publishers"}});
  ASSERT_TRUE(ParseMultiChainConfig(reader, "f").ok());
  const absl::Status nobody =
      ParseMultiChainConfig(
          absl::StrReplaceAll(kGood, {{"address", "# address"}}), "f")
          .status();
  EXPECT_TRUE(absl::StrContains(nobody.message(), "publishers")) << nobody;
}

TEST(MultiChainConfigTest, WhatIsWrongIsNamedWithItsLine) {
  for (const auto& [line, says] : {
           std::pair<const char*, const char*>{"strem = x", "strem is unknown"},
           {"mode = turbo", "mode is turbo"},
           {"flush-count = 5", "it goes with mode = batched"},
           {"mode = batched\nflush-count = 0", "flush-count is 0"},
           {"mode = batched\nflush-interval-ms = soon",
            "flush-interval-ms is soon"},
           {"confirmations = 0", "confirmations is 0"},
           {"compare.urls = node:1", "compare.urls is node:1"},
           {"compare.urls = http://me:s3cret@node", "compare.urls"},
           {"compare.user = a\ncompare.user.file = b", "both set"},
           {"confirmations = many", "confirmations is many"},
           {"create-stream = yes", "create-stream is yes"},
           {"publishers = nobody", "publishers is nobody"},
           {"timeout-ms = -1", "timeout-ms is -1"},
           {"tls.cert = c.pem", "tls.key is missing"},
           {"user.file = u", "user and user.file are both set"},
           {"chain = other", "chain is set already"},
       }) {
    const absl::Status status =
        ParseMultiChainConfig(absl::StrCat(kGood, line, "\n"), "f").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << line;
    EXPECT_TRUE(absl::StrContains(status.message(), says)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "f:")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "s3cret")) << status;
  }
}

TEST(MultiChainConfigTest, BatchedModeHasItsOwnSettings) {
  auto config =
      ParseMultiChainConfig(absl::StrCat(kGood, "mode = batched\n"), "f");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->batched);
  EXPECT_EQ(config->flush_interval_ms, 10'000);
  EXPECT_EQ(config->flush_count, 10'000);
  config = ParseMultiChainConfig(
      absl::StrCat(kGood,
                   "mode = batched\nflush-interval-ms = 5\nflush-count = 7\n"),
      "f");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->flush_interval_ms, 5);
  EXPECT_EQ(config->flush_count, 7);
}

TEST(MultiChainConfigTest, OtherNodesAreComparedWithTheirCredentialsOrOurs) {
  const std::string urls = "compare.urls = http://a:1, https://b:2\n";
  const auto same = ParseMultiChainConfig(absl::StrCat(kGood, urls), "f");
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->compare_urls,
            (std::vector<std::string>{"http://a:1", "https://b:2"}));
  EXPECT_EQ(same->compare_user, "me");
  EXPECT_EQ(same->compare_password, "s3cret");
  const auto own = ParseMultiChainConfig(
      absl::StrCat(kGood, urls,
                   "compare.user = they\ncompare.password = theirs\n"),
      "f");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->compare_user, "they");
  EXPECT_EQ(own->compare_password, "theirs");
  EXPECT_EQ(own->password, "s3cret");
}

TEST(MultiChainConfigTest, SecretsCanLieInFilesOfTheirOwn) {
  const std::string path = absl::StrCat(testing::TempDir(), "/password");
  std::ofstream(path) << "from a file\n";
  const std::string text = absl::StrReplaceAll(
      kGood, {{"password = s3cret", absl::StrCat("password.file = ", path)}});
  const auto config = ParseMultiChainConfig(text, "f");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->password, "from a file");
  const absl::Status missing =
      ParseMultiChainConfig(
          absl::StrReplaceAll(
              kGood, {{"password = s3cret", "password.file = /nonexistent"}}),
          "f")
          .status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_TRUE(absl::StrContains(missing.message(), "password.file")) << missing;
}

}  // namespace
}  // namespace windproof
