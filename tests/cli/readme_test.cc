// The README's own example, run as it stands there but for the port.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/process.h"

namespace windproof {
namespace {

using testing::HasSubstr;

// What stands between the markers, without the fence.
std::string ExampleOf(const std::string& readme) {
  std::string script;
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(readme, '\n')) {
    if (line == "<!-- example:end -->") break;
    if (inside && line != "```") absl::StrAppend(&script, line, "\n");
    if (line == "<!-- example:begin -->") inside = true;
  }
  return script;
}

// Free at this moment; the example has to name its port.
int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size),
            0);
  close(listener);
  return ntohs(address.sin_port);
}

TEST(ReadmeTest, TheFiveMinuteExampleWorks) {
  const std::string example =
      absl::StrReplaceAll(ExampleOf(FileContent(Binary("README.md"))),
                          {{":7410", absl::StrCat(":", FreePort())}});
  ASSERT_THAT(example, HasSubstr("windproof verify"));
  const std::string folder = FreshPath("example");
  std::filesystem::create_directories(folder + "/bin");
  // In PATH, as the reader has it: a shell function would be a shell between
  // the script and the server that it ends.
  std::filesystem::create_symlink(
      std::filesystem::absolute(Binary("services/windproof/windproof")),
      folder + "/bin/windproof");
  const Outcome got = RunProcess(
      "/bin/bash", {"-c", absl::StrCat("set -e\ncd '", folder,
                                       "'\nPATH=$PWD/bin:$PATH\n"
                                       "trap 'kill $(jobs -p); wait' EXIT\n",
                                       example)});
  EXPECT_EQ(got.code, 0) << got.out << got.err;
  EXPECT_THAT(got.out, HasSubstr("4 good, 0 invalid"));
  EXPECT_THAT(got.out, HasSubstr("4 records to topic sensors, 0 rejected"));
  EXPECT_THAT(got.out,
              HasSubstr("VERIFIED    sensors/s1/2026-01-25T12:00:00Z"));
  EXPECT_THAT(got.out, HasSubstr("1 verified, 0 empty, 0 failed"));
}

}  // namespace
}  // namespace windproof
