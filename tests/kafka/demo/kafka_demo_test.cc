// The demo on a real Kafka broker, as a new user runs it: five processes.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

TEST(KafkaDemoTest, VerifiesEveryWindowOnARealBroker) {
  if (std::getenv("WINDPROOF_KAFKA") == nullptr) {
    GTEST_SKIP() << "WINDPROOF_KAFKA is not set: the folder of Kafka's jars";
  }
  // The binaries lie below the runfiles as they do below bazel-bin.
  const std::string command =
      "TMPDIR=\"$TEST_TMPDIR\" deploy/demo/kafka.sh . 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 4096> buffer;
  size_t read = 0;
  while ((read = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    output.append(buffer.data(), read);
  }
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << output;
  EXPECT_NE(output.find("132 verified, 0 empty, 0 failed, 0 incomplete"),
            std::string::npos)
      << output;
}

}  // namespace
