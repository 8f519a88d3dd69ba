#include "common/pipeline/spec.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/crypto/sha256.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr absl::string_view kWeather =
    R"({"aggregated":["temperature"],"amend_ms":0,"fields":{"dew_point":"number","ground_temperature":"number","humidity":"number","pressure":"number","temperature":"number"},"future_skew_ms":300000,"grace_ms":1200000,"key_field":"station_id","late_policy":"REJECT","name":"weather","timestamp_field":"timestamp","version":1,"window_ms":3600000})";

PipelineSpec Weather() { return *BuiltInSpec("weather"); }

TEST(SpecTest, BuiltInSpecsAreThoseOfTheFormats) {
  EXPECT_EQ(CanonicalSpec(Weather()), kWeather);
  EXPECT_EQ(HexOf(SpecHash(Weather())),
            "14f0040301c0ea2e700ca6c55c3fd95eb5547d0dd9d029cc0d73fe0e670f8fca");
  EXPECT_EQ(HexOf(SpecHash(*BuiltInSpec("weather-hourly"))),
            "a68ab69a6e22e70e0906ab3b7764f47385bfe4f4f31cf25c1ef7fdf3b9faeaf6");
  EXPECT_EQ(BuiltInSpec("Weather"), nullptr);
  EXPECT_EQ(BuiltInSpec(""), nullptr);
  EXPECT_EQ(BuiltInSpecNames(),
            (std::vector<std::string>{"weather", "weather-hourly"}));
  for (const std::string& name : BuiltInSpecNames()) {
    PipelineSpec spec = *BuiltInSpec(name);
    EXPECT_EQ(ValidateSpec(&spec), absl::OkStatus());
    EXPECT_EQ(spec.units.size(), spec.fields.size());
  }
  EXPECT_EQ(Weather().units.at("temperature"), "°C");
}

TEST(SpecTest, TopicsAndUnitsAreNotPartOfTheHash) {
  PipelineSpec spec = Weather();
  spec.topics = {"other"};
  spec.units = {};
  EXPECT_EQ(SpecHash(spec), SpecHash(Weather()));
}

TEST(SpecTest, ValidationSortsAggregatedByUtf16) {
  PipelineSpec spec = Weather();
  // U+FFFD sorts after U+1F600 by UTF-16 code units, before it by UTF-8.
  const std::vector<std::string> sorted = {
      "", "a", "b", "ü", "\xf0\x9f\x98\x80", "\xef\xbf\xbd"};
  spec.aggregated = {sorted.rbegin(), sorted.rend()};
  spec.units = {};
  spec.fields = {};
  for (const std::string& name : sorted) spec.fields[name] = FieldType::kNumber;
  ASSERT_EQ(ValidateSpec(&spec), absl::OkStatus());
  EXPECT_EQ(spec.aggregated, sorted);
}

struct Change {
  const char* name;
  std::function<void(PipelineSpec*)> apply;
  // What the message names; empty: valid.
  std::vector<std::string> parts;
};

TEST(SpecTest, EveryRuleIsChecked) {
  const std::string longest(32, 'a');
  const Change changes[] = {
      {"LongestName", [&](auto* s) { s->name = longest; }, {}},
      {"NameWithAll", [](auto* s) { s->name = "0a.b_c-9"; }, {}},
      {"NoName", [](auto* s) { s->name = ""; }, {"name", "\"\"", "1 to 32"}},
      {"TooLongName", [&](auto* s) { s->name = longest + "a"; }, {"name"}},
      {"UpperCaseName", [](auto* s) { s->name = "Weather"; }, {"Weather"}},
      {"NameBeginsWithDot", [](auto* s) { s->name = ".a"; }, {".a"}},
      {"NameWithSlash", [](auto* s) { s->name = "a/b"; }, {"a/b"}},
      {"KeyIsTimestamp",
       [](auto* s) { s->timestamp_field = "station_id"; },
       {"timestamp_field", "station_id", "key_field"}},
      {"KeyNotUtf8", [](auto* s) { s->key_field = "\xff"; }, {"key_field"}},
      {"TimestampNotUtf8",
       [](auto* s) { s->timestamp_field = "\xed\xa0\x80"; },
       {"timestamp_field"}},
      {"KeyInFields",
       [](auto* s) { s->fields["station_id"] = FieldType::kString; },
       {"fields", "station_id"}},
      {"TimestampInFields",
       [](auto* s) { s->fields["timestamp"] = FieldType::kNumber; },
       {"fields", "timestamp"}},
      {"FieldNotUtf8",
       [](auto* s) { s->fields["\xc0\xaf"] = FieldType::kNumber; },
       {"fields"}},
      {"EmptyFieldName",
       [](auto* s) { s->fields[""] = FieldType::kNumber; },
       {}},
      {"NoFields",
       [](auto* s) {
         s->fields = {};
         s->aggregated = {};
         s->units = {};
       },
       {}},
      {"NothingAggregated", [](auto* s) { s->aggregated = {}; }, {}},
      {"AggregatedTwice",
       [](auto* s) {
         s->aggregated = {"pressure", "pressure"};
       },
       {"aggregated[0]", "pressure", "twice"}},
      {"AggregatedUnknown",
       [](auto* s) {
         s->aggregated = {"pressure", "wind"};
       },
       {"aggregated[1]", "wind", "number"}},
      {"AggregatedString",
       [](auto* s) { s->fields["temperature"] = FieldType::kString; },
       {"aggregated[0]", "temperature"}},
      {"AggregatedKey",
       [](auto* s) { s->aggregated = {"station_id"}; },
       {"station_id"}},
      {"SmallestWindow", [](auto* s) { s->window_ms = 1; }, {}},
      {"LargestWindow", [](auto* s) { s->window_ms = kMaxDurationMs; }, {}},
      {"NoWindow",
       [](auto* s) { s->window_ms = 0; },
       {"window_ms", "0", "1 to 31622400000"}},
      {"TooLargeWindow",
       [](auto* s) { s->window_ms = kMaxDurationMs + 1; },
       {"window_ms", "31622400001"}},
      {"NoGrace", [](auto* s) { s->grace_ms = 0; }, {}},
      {"NegativeGrace", [](auto* s) { s->grace_ms = -1; }, {"grace_ms", "-1"}},
      {"LargestGrace", [](auto* s) { s->grace_ms = kMaxDurationMs; }, {}},
      {"TooLargeGrace",
       [](auto* s) { s->grace_ms = kMaxDurationMs + 1; },
       {"grace_ms"}},
      {"NoSkew", [](auto* s) { s->future_skew_ms = 0; }, {}},
      {"NegativeSkew",
       [](auto* s) { s->future_skew_ms = INT64_MIN; },
       {"future_skew_ms", "-9223372036854775808"}},
      {"TooLargeSkew",
       [](auto* s) { s->future_skew_ms = INT64_MAX; },
       {"future_skew_ms"}},
      {"AmendMsWithReject",
       [](auto* s) { s->amend_ms = 1; },
       {"amend_ms", "REJECT"}},
      {"AmendWithoutMs",
       [](auto* s) { s->late_policy = LatePolicy::kAmend; },
       {"amend_ms", "0", "AMEND"}},
      {"Amend",
       [](auto* s) {
         s->late_policy = LatePolicy::kAmend;
         s->amend_ms = kMaxDurationMs;
       },
       {}},
      {"AmendTooLong",
       [](auto* s) {
         s->late_policy = LatePolicy::kAmend;
         s->amend_ms = kMaxDurationMs + 1;
       },
       {"amend_ms"}},
      {"NoTopics", [](auto* s) { s->topics = {}; }, {"topics"}},
      {"BadTopic",
       [](auto* s) {
         s->topics = {"a", "b c"};
       },
       {"topics[1]", "b c"}},
      {"BadPattern",
       [](auto* s) { s->topics = {"^(a"}; },
       {"topics[0]", "^(a"}},
      {"UnitOfUnknown",
       [](auto* s) { s->units["wind"] = "m/s"; },
       {"units", "wind"}},
      {"EmptyUnit",
       [](auto* s) { s->units["pressure"] = ""; },
       {"units.pressure"}},
      {"UnitWithControl",
       [](auto* s) { s->units["pressure"] = "\x1b[31m"; },
       {"units.pressure"}},
  };
  for (const Change& change : changes) {
    SCOPED_TRACE(change.name);
    PipelineSpec spec = Weather();
    change.apply(&spec);
    const absl::Status status = ValidateSpec(&spec);
    if (change.parts.empty()) {
      EXPECT_EQ(status, absl::OkStatus());
      const auto again = ParseCanonicalSpec(CanonicalSpec(spec));
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_EQ(CanonicalSpec(*again), CanonicalSpec(spec));
      continue;
    }
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    for (const std::string& part : change.parts) {
      EXPECT_TRUE(absl::StrContains(status.message(), part)) << status;
    }
  }
}

TEST(SpecTest, CanonicalSpecIsReadBack) {
  const auto spec = ParseCanonicalSpec(kWeather);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(CanonicalSpec(*spec), kWeather);
  EXPECT_TRUE(spec->topics.empty());
  EXPECT_TRUE(spec->units.empty());
}

TEST(SpecTest, ParseCanonicalSpecIsStrict) {
  struct Row {
    const char* name;
    const char* from;
    const char* to;
  };
  const Row rows[] = {
      {"Space", R"({"agg)", R"({ "agg)"},
      {"SpaceBehind", R"(3600000})", "3600000}\n"},
      {"NumberSpelling", R"(3600000})", "3.6e6}"},
      {"NumberAsText", R"(3600000})", "\"3600000\"}"},
      {"Fraction", R"(3600000})", "3600000.5}"},
      {"Huge", R"(3600000})", "1e300}"},
      {"Order", R"("version":1,"window_ms":3600000)",
       R"("window_ms":3600000,"version":1)"},
      {"Unknown", R"("version":1)", R"("topics":[],"version":1)"},
      {"Missing", R"("grace_ms":1200000,)", ""},
      {"Twice", R"("version":1)", R"("version":1,"version":1)"},
      {"VersionText", R"("version":1)", R"("version":"1")"},
      {"NoVersion", R"("version":1,)", ""},
      {"Policy", R"("REJECT")", R"("reject")"},
      {"PolicyNull", R"("REJECT")", "null"},
      {"Type", R"("pressure":"number")", R"("pressure":"NUMBER")"},
      {"TypeNumber", R"("pressure":"number")", R"("pressure":1)"},
      {"AggregatedText", R"(["temperature"])", R"("temperature")"},
      {"AggregatedNumber", R"(["temperature"])", R"([1])"},
      {"AggregatedOrder", R"(["temperature"])",
       R"(["temperature","pressure"])"},
      {"AggregatedTwice", R"(["temperature"])",
       R"(["temperature","temperature"])"},
      {"Rule", R"(3600000})", "0}"},
      {"Escape", R"("name":"weather")", R"("name":"\u0077eather")"},
      {"CutOff", R"(3600000})", "3600000"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    ASSERT_TRUE(absl::StrContains(kWeather, row.from));
    const auto spec =
        ParseCanonicalSpec(absl::StrReplaceAll(kWeather, {{row.from, row.to}}));
    EXPECT_TRUE(absl::IsInvalidArgument(spec.status())) << spec.status();
  }
  for (const char* json : {"", "null", "[]", "1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseCanonicalSpec(json).status()));
  }
}

TEST(SpecTest, AnotherVersionIsUnimplemented) {
  for (const char* version : {"2", "0", "-1", "1.5"}) {
    const auto spec = ParseCanonicalSpec(absl::StrReplaceAll(
        kWeather, {{"\"version\":1", absl::StrCat("\"version\":", version)}}));
    EXPECT_TRUE(absl::IsUnimplemented(spec.status())) << spec.status();
  }
  // Also where nothing else is as in version 1.
  EXPECT_TRUE(
      absl::IsUnimplemented(ParseCanonicalSpec(R"({"version":2})").status()));
}

TEST(TopicMatcherTest, MatchesNamesAndWholePatterns) {
  const auto matcher =
      TopicMatcher::Create({"plain.topic", R"(^weather\.[0-9]{5}$)", "^ab|cd"});
  ASSERT_TRUE(matcher.ok()) << matcher.status();
  struct Row {
    std::string topic;
    bool matches;
  };
  const Row rows[] = {
      {"plain.topic", true},
      {"plain_topic", false},
      {"plain.topics", false},
      {"weather.00433", true},
      {"weather.0043", false},
      {"weather.004333", false},
      {"xweather.00433", false},
      {"weather_00433", false},
      {"ab", true},
      {"cd", true},
      {"abcd", false},
      {"", false},
      {"weather.00433\n", false},
      {std::string(10'000, 'a'), false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(matcher->Matches(row.topic), row.matches) << row.topic;
  }
}

TEST(TopicMatcherTest, RefusesWhatIsNoTopic) {
  for (const std::string& topic :
       {std::string(), std::string("."), std::string(".."), std::string("a b"),
        std::string("ü"), std::string("a/b"), std::string(250, 'a'),
        std::string("^["), std::string("^*"), std::string("^a{2"),
        "^" + std::string(1000, 'a'), "^" + std::string(500, '(')}) {
    const auto matcher = TopicMatcher::Create({topic});
    EXPECT_TRUE(absl::IsInvalidArgument(matcher.status())) << topic;
  }
  EXPECT_TRUE(TopicMatcher::Create({std::string(249, 'a')}).ok());
  EXPECT_TRUE(TopicMatcher::Create({"^" + std::string(999, 'a')}).ok());
}

}  // namespace
}  // namespace windproof
