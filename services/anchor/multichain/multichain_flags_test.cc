#include "services/anchor/multichain/multichain_flags.h"

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// A file with all that has no default but the lines of `but`.
std::string FileWithout(absl::string_view but) {
  const std::string path =
      absl::StrCat(::testing::TempDir(), "/", but, ".properties");
  std::ofstream file(path);
  for (const std::string& line :
       {std::string("node.urls=http://127.0.0.1:7208"),
        std::string("chain=weather"),
        absl::StrCat("genesis=", std::string(64, 'a')),
        std::string("stream=checkpoints"),
        std::string("address=1YWGPAhVXqWxFAGVCeV9hYsF85GCJhFPxTPfVb"),
        std::string("publishers=1YWGPAhVXqWxFAGVCeV9hYsF85GCJhFPxTPfVb"),
        std::string("user=u"), std::string("password=p")}) {
    if (but.empty() || !absl::StartsWith(line, but)) file << line << "\n";
  }
  return path;
}

TEST(MultiChainFlagsTest, TheEmbeddedLedgerNeedsNoFile) {
  const MultiChainFlags flags;
  const auto options = flags.Options();
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->has_value());
}

TEST(MultiChainFlagsTest, OneFlagNeedsTheOther) {
  MultiChainFlags only_ledger;
  only_ledger.ledger = "multichain";
  EXPECT_TRUE(absl::StrContains(only_ledger.Options().status().message(),
                                "needs --multichain-config FILE"));
  MultiChainFlags only_file;
  only_file.config = FileWithout("");
  EXPECT_TRUE(absl::StrContains(only_file.Options().status().message(),
                                "goes with --ledger multichain"));
}

TEST(MultiChainFlagsTest, TheFileIsReadAndWhatIsMissingIsNamed) {
  MultiChainFlags flags;
  flags.ledger = "multichain";
  flags.config = FileWithout("");
  const auto options = flags.Options();
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_TRUE(options->has_value());
  EXPECT_EQ((*options)->chain, "weather");
  for (const char* missing : {"chain", "genesis", "stream", "address"}) {
    flags.config = FileWithout(missing);
    const absl::Status status = flags.Options().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << missing;
    EXPECT_TRUE(absl::StrContains(status.message(), missing)) << status;
  }
  flags.config = "/nowhere";
  EXPECT_FALSE(flags.Options().ok());
}

TEST(MultiChainFlagsTest, AnAuditorNeedsNoAddressAndHasNone) {
  MultiChainFlags flags;
  flags.ledger = "multichain";
  flags.read_only = true;
  flags.compare_with = "http://a:1,https://b:2";
  for (const char* without : {"", "address"}) {
    flags.config = FileWithout(without);
    const auto options = flags.Options();
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ((*options)->address, "");
    EXPECT_EQ((*options)->compare_urls,
              (std::vector<std::string>{"http://a:1", "https://b:2"}));
  }
  flags.compare_with = "http://me:s3cret@a:1";
  const absl::Status secret = flags.Options().status();
  EXPECT_TRUE(absl::IsInvalidArgument(secret)) << secret;
  EXPECT_FALSE(absl::StrContains(secret.message(), "s3cret")) << secret;
  flags.compare_with.clear();
  std::ofstream(flags.config, std::ios::app) << "mode=batched\n";
  EXPECT_TRUE(absl::StrContains(flags.Options().status().message(),
                                "--read-only is set, and mode is batched"));
  flags.ledger = "embedded";
  flags.config.clear();
  EXPECT_TRUE(absl::StrContains(flags.Options().status().message(),
                                "it goes with --ledger multichain"));
}

}  // namespace
}  // namespace windproof
