#include "common/server/data_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using Use = DataDir::Use;

std::string Fresh(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/data_dir_test-", getpid(), "-",
                      name);
}

TEST(DataDirTest, AWriterMakesTheFolderForItselfAlone) {
  const std::string path = Fresh("made");
  const auto dir = DataDir::Open(path, Use::kWrite);
  ASSERT_TRUE(dir.ok()) << dir.status();
  EXPECT_EQ((*dir)->path(), path);
  EXPECT_EQ((*dir)->Sub("log"), path + "/log");
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
}

TEST(DataDirTest, OneWriterOrManyReaders) {
  const std::string path = Fresh("shared");
  auto writer = DataDir::Open(path, Use::kWrite);
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (const Use use : {Use::kWrite, Use::kRead}) {
    const absl::Status second = DataDir::Open(path, use).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
    EXPECT_NE(second.message().find(absl::StrCat("process ", getpid())),
              absl::string_view::npos)
        << second;
  }
  writer->reset();

  auto reader = DataDir::Open(path, Use::kRead);
  ASSERT_TRUE(reader.ok()) << reader.status();
  auto another = DataDir::Open(path, Use::kRead);
  EXPECT_TRUE(another.ok()) << another.status();
  EXPECT_TRUE(
      absl::IsFailedPrecondition(DataDir::Open(path, Use::kWrite).status()));
  reader->reset();
  another->reset();
  EXPECT_TRUE(DataDir::Open(path, Use::kWrite).ok());
}

TEST(DataDirTest, AReaderMakesNothing) {
  const std::string path = Fresh("absent");
  EXPECT_TRUE(absl::IsNotFound(DataDir::Open(path, Use::kRead).status()));
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  // A copy of a store may come without its lock file.
  ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
  EXPECT_TRUE(DataDir::Open(path, Use::kRead).ok());
  EXPECT_NE(access((path + "/LOCK").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace windproof
