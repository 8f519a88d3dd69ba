#include "common/spec_file/spec_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "common/spec_file/spec_proto.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string WriteFile(const std::string& name, const std::string& content) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(SpecFileTest, LoadsBuiltInSpecs) {
  for (const std::string& name : BuiltInSpecNames()) {
    const auto spec = LoadSpec(name);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->name, name);
  }
}

TEST(SpecFileTest, LoadsAFile) {
  PipelineSpec spec = *BuiltInSpec("weather");
  spec.name = "mine";
  const auto loaded = LoadSpec(WriteFile("mine.json", SpecToProtoJson(spec)));
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(SpecHash(*loaded), SpecHash(spec));
}

TEST(SpecFileTest, ErrorsNameTheFile) {
  const auto missing = LoadSpec("no-such-pipeline");
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  EXPECT_TRUE(absl::StrContains(missing.status().message(), "weather-hourly"));

  for (const std::string& content :
       {std::string(), std::string("{}"), std::string("\xff"),
        std::string((1 << 20) + 1, ' ')}) {
    const std::string path = WriteFile("bad.json", content);
    const auto spec = LoadSpec(path);
    EXPECT_TRUE(absl::IsInvalidArgument(spec.status())) << spec.status();
    EXPECT_TRUE(absl::StrContains(spec.status().message(), path));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(LoadSpec(testing::TempDir()).status()));
}

}  // namespace
}  // namespace windproof
