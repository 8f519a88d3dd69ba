#include "services/ingest/json_lines.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

class JsonLinesTest : public ::testing::Test {
 protected:
  std::unique_ptr<JsonLinesReader> Reader(const std::string& text) {
    const std::string path = absl::StrCat(
        ::testing::TempDir(), "/",
        ::testing::UnitTest::GetInstance()->current_test_info()->name(),
        ".jsonl");
    std::ofstream(path, std::ios::binary) << text;
    auto reader = JsonLinesReader::Open(path);
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }

  // NUMBER:TEXT of each line.
  std::vector<std::string> Lines(const std::string& text) {
    const auto reader = Reader(text);
    std::vector<std::string> lines;
    while (true) {
      const auto line = reader->Next();
      EXPECT_TRUE(line.ok()) << line.status();
      if (!line.ok() || !line->has_value()) return lines;
      lines.push_back(absl::StrCat((*line)->number, ":", (*line)->text));
    }
  }
};

TEST_F(JsonLinesTest, LinesAndTheirNumbers) {
  EXPECT_EQ(Lines("{\"a\":1}\n{\"a\":2}\r\n\n \t\r\nx"),
            (std::vector<std::string>{"1:{\"a\":1}", "2:{\"a\":2}", "5:x"}));
  EXPECT_EQ(Lines("\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n"),
            (std::vector<std::string>{"1:{}", "2:\xef\xbb\xbf{}"}));
  EXPECT_EQ(Lines(std::string("a\0b\n", 4)),
            (std::vector<std::string>{std::string("1:a\0b", 5)}));
  EXPECT_TRUE(Lines("").empty());
  EXPECT_TRUE(Lines("\n\n").empty());
}

TEST_F(JsonLinesTest, ALineThatIsTooLongIsNamedAndPassedOver) {
  const auto reader =
      Reader(absl::StrCat(std::string(JsonLinesReader::kLineBytesMax, 'x'),
                          "\n", std::string(5 << 20, 'y'), "\n{}\n"));
  auto line = reader->Next();
  ASSERT_TRUE(line.ok() && line->has_value());
  EXPECT_EQ((*line)->text.size(), JsonLinesReader::kLineBytesMax);
  line = reader->Next();
  EXPECT_TRUE(absl::IsInvalidArgument(line.status()));
  EXPECT_TRUE(absl::StrContains(line.status().message(),
                                absl::StrCat(reader->path(), ":2:")))
      << line.status();
  line = reader->Next();
  ASSERT_TRUE(line.ok() && line->has_value());
  EXPECT_EQ((*line)->number, 3);
}

TEST_F(JsonLinesTest, WhatCannotBeOpenedIsNamed) {
  const auto missing = JsonLinesReader::Open("/no/such/file.jsonl");
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  EXPECT_TRUE(
      absl::StrContains(missing.status().message(), "/no/such/file.jsonl"));
  EXPECT_TRUE(absl::IsInvalidArgument(
      JsonLinesReader::Open(::testing::TempDir()).status()));
}

}  // namespace
}  // namespace windproof
