#include "common/server/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string Fresh(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/files_test-", getpid(), "-", name);
}

TEST(FilesTest, WhatIsWrittenIsReadWithItsMode) {
  const std::string path = Fresh("new");
  ASSERT_TRUE(WriteNewFile(path, std::string("a\0b", 3), 0600).ok());
  EXPECT_EQ(ReadFile(path, 100).value(), std::string("a\0b", 3));
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST(FilesTest, AFileIsNeverReplaced) {
  const std::string path = Fresh("kept");
  ASSERT_TRUE(WriteNewFile(path, "old", 0600).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(WriteNewFile(path, "new", 0600)));
  EXPECT_EQ(ReadFile(path, 100).value(), "old");
}

TEST(FilesTest, OfManyWritersAtOnceOneWins) {
  const std::string path = Fresh("raced");
  std::vector<absl::Status> outcomes(8);
  std::vector<std::thread> writers;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    writers.emplace_back([&, i] {
      outcomes[i] = WriteNewFile(path, absl::StrCat("writer ", i), 0600);
    });
  }
  for (std::thread& writer : writers) writer.join();
  int winner = -1;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].ok()) {
      EXPECT_TRUE(absl::IsAlreadyExists(outcomes[i])) << outcomes[i];
      continue;
    }
    EXPECT_EQ(winner, -1);
    winner = static_cast<int>(i);
  }
  EXPECT_EQ(ReadFile(path, 100).value(), absl::StrCat("writer ", winner));
}

TEST(FilesTest, WhatCannotBeReadIsNamed) {
  EXPECT_TRUE(absl::IsNotFound(ReadFile(Fresh("missing"), 1).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(ReadFile(testing::TempDir(), 1).status()));
  const std::string path = Fresh("large");
  ASSERT_TRUE(WriteNewFile(path, "12345", 0600).ok());
  EXPECT_TRUE(ReadFile(path, 5).ok());
  const absl::Status large = ReadFile(path, 4).status();
  EXPECT_TRUE(absl::IsInvalidArgument(large));
  EXPECT_NE(large.message().find(path), absl::string_view::npos);
}

TEST(FilesTest, FoldersAreMadeOnceAndAFileIsNone) {
  const std::string path = Fresh("a/b/c");
  EXPECT_TRUE(MakeFolders(path, 0700).ok());
  EXPECT_TRUE(MakeFolders(path, 0700).ok());
  EXPECT_TRUE(MakeFolders(path + "/d/", 0700).ok());
  ASSERT_TRUE(WriteNewFile(path + "/file", "", 0600).ok());
  EXPECT_FALSE(MakeFolders(path + "/file", 0700).ok());
  EXPECT_FALSE(MakeFolders(path + "/file/below", 0700).ok());
  EXPECT_FALSE(MakeFolders("", 0700).ok());
}

}  // namespace
}  // namespace windproof
