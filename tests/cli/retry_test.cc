// `windproof ingest` when the server dies in the middle.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/command_run.h"

namespace windproof {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kBatch = 1000;  // records that the command sends at once

std::string SpecFile() {
  std::string path = FreshPath("sensors.json");
  WriteContent(path, R"({
    "name": "sensors", "topics": ["sensors"], "key_field": "id",
    "timestamp_field": "at", "fields": {"v": "NUMBER"}, "aggregated": ["v"],
    "window_ms": 60000, "grace_ms": 0, "future_skew_ms": 0})");
  return path;
}

// Records of one key, a second apart.
std::string Lines(int begin, int end) {
  const absl::Time start = absl::FromUnixSeconds(1'769'342'400);
  std::string lines;
  for (int i = begin; i < end; ++i) {
    absl::StrAppend(
        &lines, R"({"id":"a","v":1,"at":")",
        absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", start + absl::Seconds(i),
                         absl::UTCTimeZone()),
        "\"}\n");
  }
  return lines;
}

// The command reads a pipe, so the test has it where it wants it.
class RetryTest : public testing::Test {
 protected:
  RetryTest() { EXPECT_EQ(mkfifo(pipe_.c_str(), 0600), 0); }

  std::vector<std::string> Ingest(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"ingest",         "json", "--topic",
                                          "sensors",        pipe_,  "--server",
                                          server_.address()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  // Blocks until the command reads.
  void Open() { fd_ = open(pipe_.c_str(), O_WRONLY | O_CLOEXEC); }
  void Write(const std::string& text) const {
    size_t done = 0;
    while (done < text.size()) {
      const ssize_t n = write(fd_, text.data() + done, text.size() - done);
      ASSERT_GT(n, 0);
      done += static_cast<size_t>(n);
    }
  }
  void Close() const { close(fd_); }

  const std::string pipe_ = FreshPath("records");
  int fd_ = -1;
  TestServer server_{SpecFile()};
};

TEST_F(RetryTest, AServerThatDiesLeavesAnAccountOfWhatIsThere) {
  Process ingest(Binary("services/windproof/windproof"),
                 Ingest({"--retry-ms", "300"}));
  Open();
  Write(Lines(0, kBatch));
  server_.WaitForWindows(16);  // so the first batch is durable
  server_.Kill();
  Write(Lines(kBatch, kBatch + 10));
  Close();
  EXPECT_EQ(ingest.Wait(), 3);
  EXPECT_EQ(ingest.out(), "");
  EXPECT_THAT(ingest.err(),
              AllOf(HasSubstr("not reachable"), HasSubstr("trying again"),
                    HasSubstr("1000 records are acknowledged"),
                    HasSubstr(absl::StrCat("next comes ", pipe_, ":1001"))));
}

TEST_F(RetryTest, AServerThatComesBackInTimeGetsTheRest) {
  Process ingest(Binary("services/windproof/windproof"),
                 Ingest({"--retry-ms", "60000"}));
  Open();
  Write(Lines(0, kBatch));
  server_.WaitForWindows(16);
  server_.Kill();
  Write(Lines(kBatch, kBatch + 60));
  Close();
  server_.Restart();
  EXPECT_EQ(ingest.Wait(), 0) << ingest.err();
  EXPECT_THAT(ingest.out(), HasSubstr("1060 records to topic sensors"));
  const Outcome verify = server_.Run({"verify", "--all"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
}

TEST(RetryOfFilesTest, SaysOfHowManyAndWhichLineIsNext) {
  const std::string records = FreshPath("records.jsonl");
  WriteContent(records, Lines(0, 3));
  const Outcome got =
      Windproof({"ingest", "json", "--topic", "sensors", records, "--server",
                 "127.0.0.1:1", "--retry-ms", "0"});
  EXPECT_EQ(got.code, 3);
  EXPECT_THAT(got.err,
              AllOf(HasSubstr("0 of 3 records are acknowledged"),
                    HasSubstr(absl::StrCat("next comes ", records, ":1"))));
}

}  // namespace
}  // namespace windproof
