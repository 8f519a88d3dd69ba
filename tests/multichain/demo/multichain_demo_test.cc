// The demo on the stand-in node, as a new user runs it.
#include <gtest/gtest.h>

#include <string>

#include "tests/e2e/process.h"

namespace windproof {
namespace {

TEST(MultiChainDemoTest, VerifiesEveryWindowAgainstTheChain) {
  // The binaries lie below the runfiles as they do below bazel-bin.
  const Outcome demo = RunProcess("deploy/demo/multichain.sh", {"."},
                                  {{"TMPDIR", testing::TempDir()}});
  EXPECT_EQ(demo.code, 0) << demo.out << demo.err;
  for (const char* line :
       {"STAND-IN", "\"kind\": \"multichain\"",
        "132 verified, 0 empty, 0 failed, 0 incomplete", "\"confirmed\":132"}) {
    EXPECT_NE((demo.out + demo.err).find(line), std::string::npos)
        << line << "\n"
        << demo.out << demo.err;
  }
}

}  // namespace
}  // namespace windproof
