// The demo on a real Kafka broker, as a new user runs it: five processes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/e2e/process.h"

namespace windproof {
namespace {

TEST(KafkaDemoTest, VerifiesEveryWindowOnARealBroker) {
  const char* kafka = std::getenv("WINDPROOF_KAFKA");
  if (kafka == nullptr) {
    GTEST_SKIP() << "WINDPROOF_KAFKA is not set: the folder of Kafka's jars";
  }
  // The binaries lie below the runfiles as they do below bazel-bin.
  const Outcome demo =
      RunProcess("deploy/demo/kafka.sh", {"."},
                 {{"TMPDIR", testing::TempDir()}, {"WINDPROOF_KAFKA", kafka}});
  EXPECT_EQ(demo.code, 0) << demo.out << demo.err;
  EXPECT_NE((demo.out + demo.err)
                .find("132 verified, 0 empty, 0 failed, 0 incomplete"),
            std::string::npos)
      << demo.out << demo.err;
}

}  // namespace
}  // namespace windproof
