#include "common/spec_file/spec_proto.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr absl::string_view kSpec = R"({
  "name": "power",
  "topics": ["power"],
  "key_field": "meter",
  "timestamp_field": "at",
  "fields": {"kw": "NUMBER", "on": "BOOLEAN", "place": "STRING"},
  "aggregated": ["kw"],
  "window_ms": 60000,
  "grace_ms": 0,
  "late_policy": "AMEND",
  "amend_ms": 120000,
  "future_skew_ms": 0,
  "units": {"kw": "kW"}
})";

std::string Replaced(absl::string_view from, absl::string_view to) {
  EXPECT_TRUE(absl::StrContains(kSpec, from)) << from;
  return absl::StrReplaceAll(kSpec, {{from, to}});
}

TEST(SpecProtoTest, ReadsAFile) {
  const auto spec = SpecFromProtoJson(kSpec);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(
      CanonicalSpec(*spec),
      R"({"aggregated":["kw"],"amend_ms":120000,"fields":{"kw":"number","on":"boolean","place":"string"},"future_skew_ms":0,"grace_ms":0,"key_field":"meter","late_policy":"AMEND","name":"power","timestamp_field":"at","version":1,"window_ms":60000})");
  EXPECT_EQ(spec->topics, std::vector<std::string>{"power"});
  EXPECT_EQ(spec->units.at("kw"), "kW");
}

TEST(SpecProtoTest, OtherSpellingsGiveTheSameSpec) {
  const std::string expected = CanonicalSpec(*SpecFromProtoJson(kSpec));
  for (const std::string& json :
       {Replaced("key_field", "keyField"), Replaced("60000", "\"60000\""),
        Replaced("\"NUMBER\"", "\"number\""), Replaced("\"AMEND\"", "2"),
        Replaced("\"AMEND\"", "\"amend\""),
        Replaced(", \"on\": \"BOOLEAN\"", ", \"on\": 3")}) {
    const auto spec = SpecFromProtoJson(json);
    ASSERT_TRUE(spec.ok()) << spec.status() << json;
    EXPECT_EQ(CanonicalSpec(*spec), expected);
  }
}

TEST(SpecProtoTest, BuiltInSpecsGoThereAndBack) {
  for (const std::string& name : BuiltInSpecNames()) {
    const PipelineSpec& spec = *BuiltInSpec(name);
    const auto again = SpecFromProtoJson(SpecToProtoJson(spec));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(CanonicalSpec(*again), CanonicalSpec(spec));
    EXPECT_EQ(again->topics, spec.topics);
    EXPECT_EQ(again->units, spec.units);
  }
}

TEST(SpecProtoTest, LatePolicyIsRejectUnlessSaid) {
  const auto spec = SpecFromProtoJson(
      Replaced("\"late_policy\": \"AMEND\",\n  \"amend_ms\": 120000,", ""));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->late_policy, LatePolicy::kReject);
}

TEST(SpecProtoTest, ErrorsNameTheField) {
  struct Row {
    const char* name;
    std::string json;
    std::vector<std::string> parts;  // of the message
  };
  const Row rows[] = {
      {"NoJson", "name: power", {"JSON", "byte"}},
      {"NoObject", "[]", {"JSON object"}},
      {"TrailingComma", Replaced("\"kW\"}\n}", "\"kW\"},\n}"), {"JSON"}},
      {"SingleQuotes", Replaced("\"power\",\n", "'power',\n"), {"JSON"}},
      {"Unknown", Replaced("grace_ms", "grace"), {"\"grace\"", "grace_ms"}},
      {"TwiceAlike", Replaced("amend_ms", "grace_ms"), {"twice"}},
      {"TwiceUnlike",
       Replaced("\"amend_ms\": 120000", "\"graceMs\": 1"),
       {"grace_ms", "graceMs", "twice"}},
      {"TextForNumber", Replaced("60000", "\"hour\""), {"window_ms", "hour"}},
      {"Fraction", Replaced("60000", "0.5"), {"window_ms", "0.5"}},
      {"ListForText", Replaced("\"meter\"", "[1]"), {"key_field"}},
      {"NumberForText", Replaced("\"meter\"", "7"), {"key_field"}},
      {"TextForList", Replaced("[\"kw\"]", "\"kw\""), {"aggregated"}},
      {"ListForFields", Replaced("{\"kw\": \"kW\"}", "[]"), {"units"}},
      {"UnknownType", Replaced("\"NUMBER\"", "\"FLOAT\""), {"kw", "FLOAT"}},
      {"UnknownTypeNumber", Replaced("\"NUMBER\"", "9"), {"fields.kw", "9"}},
      {"TypeUnspecified", Replaced("\"NUMBER\"", "0"), {"fields.kw", "0"}},
      {"UnknownPolicy",
       Replaced("\"AMEND\"", "\"KEEP\""),
       {"late_policy", "KEEP"}},
      {"PolicyNumber", Replaced("\"AMEND\"", "7"), {"late_policy", "7"}},
      {"NoName", Replaced("\"name\": \"power\",", ""), {"name", "missing"}},
      {"NoKey", Replaced("\"key_field\": \"meter\",", ""), {"key_field"}},
      {"NoTime",
       Replaced("\"timestamp_field\": \"at\",", ""),
       {"timestamp_field", "missing"}},
      {"NoTopics", Replaced("[\"power\"]", "[]"), {"topics"}},
      {"NoWindow",
       Replaced("\"window_ms\": 60000,", ""),
       {"window_ms", "missing"}},
      {"NoGrace", Replaced("\"grace_ms\": 0,", ""), {"grace_ms", "missing"}},
      {"NullGrace",
       Replaced("\"grace_ms\": 0,", "\"grace_ms\": null,"),
       {"grace_ms", "missing"}},
      {"NoSkew",
       Replaced(",\n  \"future_skew_ms\": 0", ""),
       {"future_skew_ms", "missing"}},
      {"Rule",
       Replaced("\"window_ms\": 60000", "\"window_ms\": -1"),
       {"window_ms", "-1", "31622400000"}},
      {"Zero",
       Replaced("\"window_ms\": 60000", "\"window_ms\": 0"),
       {"window_ms is 0", "1 to 31622400000"}},
      {"Huge", Replaced("60000", "99999999999999999999"), {"window_ms"}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto spec = SpecFromProtoJson(row.json);
    EXPECT_TRUE(absl::IsInvalidArgument(spec.status())) << spec.status();
    for (const std::string& part : row.parts) {
      EXPECT_TRUE(absl::StrContains(spec.status().message(), part))
          << spec.status().message();
    }
  }
}

}  // namespace
}  // namespace windproof
