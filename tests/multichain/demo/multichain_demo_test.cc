// The demo on the stand-in node, as a new user runs it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace windproof {
namespace {

// The binaries lie below the runfiles as they do below bazel-bin.
void ExpectShown(const std::vector<std::string>& args,
                 const std::vector<std::string>& lines) {
  const Outcome demo = RunProcess("deploy/demo/multichain.sh", args,
                                  {{"TMPDIR", testing::TempDir()}});
  EXPECT_EQ(demo.code, 0) << demo.out << demo.err;
  for (const std::string& line : lines) {
    EXPECT_NE((demo.out + demo.err).find(line), std::string::npos)
        << line << "\n"
        << demo.out << demo.err;
  }
}

TEST(MultiChainDemoTest, VerifiesEveryWindowAgainstTheChain) {
  ExpectShown({"."}, {"STAND-IN", "\"kind\": \"multichain\"",
                      "132 verified, 0 empty, 0 failed, 0 incomplete",
                      "\"confirmed\":132"});
}

TEST(MultiChainDemoTest, VerifiesEveryWindowAgainstHeadsOnTheChain) {
  ExpectShown({".", "--batched"},
              {"STAND-IN", "\"mode\": \"batched\"",
               "132 verified, 0 empty, 0 failed, 0 incomplete",
               "\"keys\":[\"head:windproof/ledger-"});
}

}  // namespace
}  // namespace windproof
