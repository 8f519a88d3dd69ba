#include "tests/kafka/testing/kafka_broker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(KafkaBrokerTest, LivesAsLongAsItIsWanted) {
  if (const auto reason = KafkaBroker::Unavailable()) GTEST_SKIP() << *reason;
  auto broker = KafkaBroker::Start();
  ASSERT_TRUE(broker.ok()) << broker.status();
  const std::string bootstrap = (*broker)->bootstrap();
  EXPECT_TRUE((*broker)->running());
  EXPECT_FALSE((*broker)->Restart().ok());

  (*broker)->Kill9();
  EXPECT_FALSE((*broker)->running());
  absl::Status restarted = (*broker)->Restart();
  ASSERT_TRUE(restarted.ok()) << restarted;
  EXPECT_EQ((*broker)->bootstrap(), bootstrap);

  (*broker)->Pause();
  (*broker)->Continue();
  (*broker)->Stop();
  EXPECT_FALSE((*broker)->running());
  (*broker)->Kill9();
  restarted = (*broker)->Restart();
  EXPECT_TRUE(restarted.ok()) << restarted;
}

// Whether any process runs with `folder` in its arguments.
bool IsInUse(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream in(entry.path() / "cmdline", std::ios::binary);
    const std::string line((std::istreambuf_iterator<char>(in)), {});
    if (absl::StrContains(line, folder + "/server.properties")) return true;
  }
  return false;
}

TEST(KafkaBrokerTest, EndsWithAProcessThatIsKilled) {
  if (const auto reason = KafkaBroker::Unavailable()) GTEST_SKIP() << *reason;
  const std::string folder =
      std::filesystem::path(::testing::TempDir() + "/orphan")
          .lexically_normal();
  int started[2];
  ASSERT_EQ(pipe(started), 0);
  const pid_t child = fork();
  if (child == 0) {
    KafkaBroker::Options options;
    options.dir = folder;
    const auto broker = KafkaBroker::Start(options);
    const char answer = broker.ok() ? 'y' : 'n';
    if (write(started[1], &answer, 1) != 1) _exit(1);
    pause();
    _exit(1);
  }
  char answer = 0;
  ASSERT_EQ(read(started[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_TRUE(IsInUse(folder));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  // The kernel has sent the signal; the test ends when it has worked.
  while (IsInUse(folder)) usleep(10'000);
}

}  // namespace
}  // namespace windproof
