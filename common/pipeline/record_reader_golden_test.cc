// What the reader makes of each record of the golden logs, before any window.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/canonical/json_value.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace windproof {
namespace {

using Json = nlohmann::json;
using Kind = RecordReader::Kind;

// Bytes as golden logs write them: text, {"base64":"…"} or null.
std::optional<std::string> Bytes(const Json& json) {
  if (json.is_null()) return std::nullopt;
  if (json.is_string()) return json.get<std::string>();
  std::string bytes;
  EXPECT_TRUE(
      absl::Base64Unescape(json.at("base64").get<std::string>(), &bytes));
  return bytes;
}

Kind KindOfClass(const std::string& name) {
  if (name == "other") return Kind::kOther;
  if (name == "control") return Kind::kControl;
  if (name == "invalid") return Kind::kInvalid;
  return Kind::kCanonical;  // accepted, conflict, duplicate, late
}

// Feeds every entry of a golden log. Returns how many there were.
size_t CheckLog(const Json& log) {
  const auto spec =
      ParseCanonicalSpec(CanonicalizeJson(log.at("spec").dump()).value());
  EXPECT_TRUE(spec.ok()) << spec.status();
  if (!spec.ok()) return 0;
  EXPECT_EQ(HexOf(SpecHash(*spec)), log.at("spec_sha256"));

  std::map<std::string, std::pair<Json, std::string>> classes;
  for (const Json& row : log.at("classes")) {
    classes[row.at(0)] = {row.at(1), row.at(2)};
  }
  std::map<std::string, std::string> canonical;
  for (const Json& window : log.at("written")) {
    for (const Json& row : window.at("records")) canonical[row[0]] = row[1];
  }

  RecordReader reader(*spec);
  for (const Json& entry : log.at("entries")) {
    const std::string offset = entry.at("offset");
    SCOPED_TRACE(log.at("name").get<std::string>() + " offset " + offset);
    const std::optional<std::string> key = Bytes(entry.at("key"));
    const std::optional<std::string> value = Bytes(entry.at("value"));
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
    for (const Json& header : entry.at("headers")) {
      headers.emplace_back(*Bytes(header.at(0)), Bytes(header.at(1)));
    }
    LogRecord record;
    record.offset = std::stoll(offset);
    record.log_time_ms = std::stoll(entry.at("log_time_ms").get<std::string>());
    if (key.has_value()) record.key = *key;
    if (value.has_value()) record.value = *value;
    for (const auto& [name, text] : headers) {
      record.headers.push_back({name, std::nullopt});
      if (text.has_value()) record.headers.back().value = *text;
    }

    const auto& [owner, class_name] = classes.at(offset);
    const RecordReader::Result& result = reader.Read(record);
    EXPECT_EQ(result.kind, KindOfClass(class_name)) << class_name;
    if (!owner.is_null()) {
      EXPECT_EQ(result.key, owner.get<std::string>());
    }
    if (result.kind == Kind::kCanonical) {
      const auto expected = canonical.find(offset);
      if (expected != canonical.end()) {
        EXPECT_EQ(result.canonical, expected->second);
      }
      const std::string bytes(result.canonical);
      const std::string owner_key(result.key);
      RecordReader::Result again;
      EXPECT_TRUE(reader.ReadCanonical(owner_key, bytes, &again)) << bytes;
    }
    EXPECT_EQ(reader.Explain(record).has_value(),
              KindOfClass(class_name) == Kind::kInvalid ||
                  KindOfClass(class_name) == Kind::kOther);
  }
  return log.at("entries").size();
}

TEST(RecordReaderGoldenTest, ReadsEveryRecordAsTheLogsSay) {
  const char* shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) {
    GTEST_SKIP() << "WINDPROOF_SHARED names no folder with golden logs";
  }
  const std::filesystem::path folder =
      std::filesystem::path(shared) / "data" / "windproof";
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << folder << " is no folder";
  }
  size_t entries = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    std::ifstream stream(file.path());
    entries += CheckLog(Json::parse(stream));
  }
  EXPECT_GT(entries, 0u);
}

}  // namespace
}  // namespace windproof
