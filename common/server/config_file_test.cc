#include "common/server/config_file.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

std::string Shown(const std::string& text) {
  const auto entries = ParseConfig(text);
  if (!entries.ok()) return std::string(entries.status().message());
  return absl::StrJoin(*entries, ";",
                       [](std::string* out, const ConfigEntry& entry) {
                         absl::StrAppend(out, entry.line, ":", entry.name, "=",
                                         absl::StrJoin(entry.values, "|"));
                       });
}

struct ConfigCase {
  const char* name;
  const char* text;
  const char* shown;
};

class ConfigFileTest : public testing::TestWithParam<ConfigCase> {};

TEST_P(ConfigFileTest, Reads) {
  EXPECT_EQ(Shown(GetParam().text), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Good, ConfigFileTest,
    testing::ValuesIn(std::vector<ConfigCase>{
        {"Empty", "", ""},
        {"Comments", "# one\n; two\n  # three\n\n", ""},
        {"Bare", "listen = 127.0.0.1:7400\n", "1:listen=127.0.0.1:7400"},
        {"NoBlanks", "a=b", "1:a=b"},
        {"CrLfAndBom",
         "\xef\xbb\xbf"
         "a = b\r\nc = d\r\n",
         "1:a=b;2:c=d"},
        {"TrailingComment", "a = b # c", "1:a=b"},
        {"HashInAWord", "a = b#c", "1:a=b#c"},
        {"Quoted", R"(a = " x # \" \\ " # c)", R"(1:a= x # " \ )"},
        {"QuotedEmpty", R"(a = "")", "1:a="},
        {"Array", R"(p = ["x y", z, "w",] # c)", "1:p=x y|z|w"},
        {"EmptyArray", "p = []", "1:p="},
        {"Repeated", "p = a\np = b", "1:p=a;2:p=b"},
        {"BlanksInside", "a = b  c", "1:a=b  c"},
    }),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Bad, ConfigFileTest,
    testing::ValuesIn(std::vector<ConfigCase>{
        {"NoEquals", "\nlisten", "line 2: the line is not `name = value`"},
        {"NoName", "= x", "line 1: the line is not `name = value`"},
        {"Section", "[serve]", "line 1: sections are not accepted"},
        {"NoValue",
         "a =", "line 1: a: there is no value; \"\" is the empty one"},
        {"OnlyComment", "a = # b",
         "line 1: a: there is no value; \"\" is the empty one"},
        {"OpenQuote", "a = \"b", "line 1: a: the closing quote is missing"},
        {"Escape", R"(a = "\n")",
         R"(line 1: a: after a backslash only " and \ are accepted)"},
        {"MoreAfter", R"(a = "b" c)",
         "line 1: a: there is more after the value: c"},
        {"OpenArray", "a = [b", "line 1: a: an array ends with ] on its line"},
    }),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace windproof
