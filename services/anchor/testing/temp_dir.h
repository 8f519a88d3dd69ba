// A folder of its own for a test, removed at the end.
#ifndef WINDPROOF_SERVICES_ANCHOR_TESTING_TEMP_DIR_H_
#define WINDPROOF_SERVICES_ANCHOR_TESTING_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace windproof {

class TempDir {
 public:
  TempDir() {
    path_ = ::testing::TempDir() + "/ledger-XXXXXX";
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_TESTING_TEMP_DIR_H_
