// What was acknowledged is there after a kill -9, whole batches only.
//
// WINDPROOF_KILLS sets how many times (10 if unset). The seed of a run is
// printed with a failure.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/record_log/embedded_log.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr char kTopic[] = "killed";

std::unique_ptr<EmbeddedLog> OpenLog(const std::string& path) {
  EmbeddedLog::Options options;
  options.path = path;
  // Small, so that files are written and merged meanwhile as well.
  options.write_buffer_bytes = 64 << 10;
  auto log = EmbeddedLog::Open(options);
  if (!log.ok()) return nullptr;
  return *std::move(log);
}

// Appends until it is killed: batches of 1 to 20 records, each with its place
// in the batch. Writes the log's end to `acknowledged` after each.
[[noreturn]] void AppendForEver(const std::string& path, int acknowledged,
                                uint32_t seed) {
  std::mt19937 random(seed);
  const std::unique_ptr<EmbeddedLog> log = OpenLog(path);
  while (log != nullptr) {
    std::vector<NewRecord> records(1 + random() % 20);
    for (size_t i = 0; i < records.size(); ++i) {
      records[i].topic = kTopic;
      records[i].value = absl::StrCat(i, "/", records.size(), "/",
                                      std::string(random() % 500, 'x'));
    }
    const auto appended = log->Append(records);
    if (!appended.ok()) break;
    const int64_t end = appended->back().offset + 1;
    if (write(acknowledged, &end, sizeof(end)) != sizeof(end)) break;
  }
  _exit(1);
}

// Checks that the log is made of whole batches, and returns its end.
int64_t CheckWhole(EmbeddedLog& log) {
  const auto bounds = log.Bounds({kTopic, 0});
  if (!bounds.ok()) return 0;
  const auto reader = log.NewReader();
  reader->Assign({kTopic, 0}, 0);
  int64_t next = 0;
  size_t index = 0;
  size_t size = 0;
  while (next < bounds->end) {
    const auto batch = reader->Poll(1000, std::chrono::minutes(1));
    EXPECT_TRUE(batch.ok() && batch->has_value() && (*batch)->status.ok());
    if (::testing::Test::HasFailure()) return -1;
    for (const LogRecord& record : (*batch)->records) {
      EXPECT_EQ(record.offset, next++);
      const std::vector<absl::string_view> parts =
          absl::StrSplit(*record.value, '/');
      size_t found_index = 0;
      size_t found_size = 0;
      EXPECT_TRUE(absl::SimpleAtoi(parts[0], &found_index));
      EXPECT_TRUE(absl::SimpleAtoi(parts[1], &found_size));
      EXPECT_EQ(found_index, index);
      if (index > 0) {
        EXPECT_EQ(found_size, size);
      }
      size = found_size;
      index = index + 1 == size ? 0 : index + 1;
    }
  }
  EXPECT_EQ(index, 0u) << "the last batch is not whole";
  return next;
}

TEST(EmbeddedLogKillTest, AcknowledgedRecordsSurvive) {
  const std::string path = ::testing::TempDir() + "/killed-log";
  int kills = 10;
  if (const char* const text = std::getenv("WINDPROOF_KILLS")) {
    ASSERT_TRUE(absl::SimpleAtoi(text, &kills));
  }
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer cannot follow a fork of a process that has "
                  "had threads";
#endif
  std::random_device device;
  for (int round = 0; round < kills; ++round) {
    const uint32_t seed = device();
    SCOPED_TRACE(absl::StrCat("round ", round, ", seed ", seed));
    std::mt19937 random(seed);
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_ends[0]);
      AppendForEver(path, pipe_ends[1], seed);
    }
    close(pipe_ends[1]);
    // Killed after some acknowledgements, and some way into the next append.
    int64_t acknowledged = 0;
    const int wanted = static_cast<int>(random() % 30);
    for (int i = 0; i < wanted; ++i) {
      ASSERT_EQ(read(pipe_ends[0], &acknowledged, sizeof(acknowledged)),
                static_cast<ssize_t>(sizeof(acknowledged)));
    }
    usleep(random() % 5000);
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    while (read(pipe_ends[0], &acknowledged, sizeof(acknowledged)) ==
           static_cast<ssize_t>(sizeof(acknowledged))) {
    }
    close(pipe_ends[0]);

    const std::unique_ptr<EmbeddedLog> log = OpenLog(path);
    ASSERT_NE(log, nullptr);
    EXPECT_GE(CheckWhole(*log), acknowledged);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace windproof
