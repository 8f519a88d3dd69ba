#include "common/canonical/json_value.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/canonical/json_parser.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "rapidcheck/gtest.h"

namespace windproof {
namespace {

TEST(JsonValueTest, BuildsTheTree) {
  const auto value = ParseJson(
      R"({"b":[1,-2.5,true,false,null,"x\u0041"],"a":{"":{}},"c":[]})");
  ASSERT_TRUE(value.ok()) << value.status();
  ASSERT_EQ(value->kind, JsonValue::Kind::kObject);
  ASSERT_EQ(value->members.size(), size_t{3});
  EXPECT_EQ(value->members[0].first, "b");
  const JsonValue* const array = value->Find("b");
  ASSERT_NE(array, nullptr);
  ASSERT_EQ(array->elements.size(), size_t{6});
  EXPECT_EQ(array->elements[0].number, 1);
  EXPECT_EQ(array->elements[1].number, -2.5);
  EXPECT_TRUE(array->elements[2].boolean);
  EXPECT_FALSE(array->elements[3].boolean);
  EXPECT_EQ(array->elements[4].kind, JsonValue::Kind::kNull);
  EXPECT_EQ(array->elements[5].string, "xA");
  ASSERT_NE(value->Find("a"), nullptr);
  ASSERT_NE(value->Find("a")->Find(""), nullptr);
  EXPECT_EQ(value->Find("a")->Find("")->kind, JsonValue::Kind::kObject);
  EXPECT_EQ(value->Find("d"), nullptr);
  EXPECT_EQ(array->Find("b"), nullptr);
}

TEST(JsonValueTest, RefusesWhatTheParserRefuses) {
  EXPECT_FALSE(ParseJson("").ok());
  EXPECT_FALSE(ParseJson(R"({"a":1,"\u0061":2})").ok());
  EXPECT_FALSE(CanonicalizeJson("[1e999]").ok());
}

struct CanonicalCase {
  const char* name;
  const char* document;
  const char* canonical;
};

class CanonicalJsonTest : public testing::TestWithParam<CanonicalCase> {};

TEST_P(CanonicalJsonTest, HasItsForm) {
  const auto canonical = CanonicalizeJson(GetParam().document);
  ASSERT_TRUE(canonical.ok()) << canonical.status();
  EXPECT_EQ(*canonical, GetParam().canonical);
  EXPECT_EQ(CanonicalizeJson(*canonical).value(), *canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, CanonicalJsonTest,
    testing::Values(
        CanonicalCase{"Scalar", " null ", "null"},
        CanonicalCase{"EmptyContainers", "[ { } , [ ] ]", "[{},[]]"},
        CanonicalCase{
            "Record",
            R"({"station_id": "00433", "timestamp": )"
            R"("2026-01-25T12:00:00Z", "humidity": 81.0, )"
            R"("temperature": 3.10})",
            R"({"humidity":81,"station_id":"00433",)"
            R"("temperature":3.1,"timestamp":"2026-01-25T12:00:00Z"})"},
        CanonicalCase{
            "Rfc8785Section3_2_2",
            R"({"numbers": [333333333.33333329, 1E30, 4.50, 2e-3,)"
            R"( 0.000000000000000000000000001],)"
            R"("string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",)"
            R"("literals": [null, true, false]})",
            "{\"literals\":[null,true,false],\"numbers\":"
            "[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
        CanonicalCase{"Rfc8785Section3_2_3",
                      R"({"\u20ac":"Euro Sign","\r":"Carriage Return",)"
                      R"("\ufb33":"Hebrew Letter Dalet With Dagesh",)"
                      R"("1":"One","\ud83d\ude00":"Emoji: Grinning Face",)"
                      R"("\u0080":"Control",)"
                      R"("\u00f6":"Latin Small Letter O With Diaeresis"})",
                      "{\"\\r\":\"Carriage Return\",\"1\":\"One\","
                      "\"\xC2\x80\":\"Control\","
                      "\"ö\":\"Latin Small Letter O With Diaeresis\","
                      "\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\","
                      "\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}"},
        CanonicalCase{"PrefixFirst", R"({"ab":1,"a":2,"":3})",
                      R"({"":3,"a":2,"ab":1})"},
        CanonicalCase{"MinusZero", "[-0,-0.0,0e5,-1e-400]", "[0,0,0,0]"}),
    [](const auto& info) { return info.param.name; });

class Rfc8785VectorTest : public testing::TestWithParam<const char*> {};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_P(Rfc8785VectorTest, HasItsOutput) {
  const char* const shared = std::getenv("WINDPROOF_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "WINDPROOF_SHARED is not set";
  const std::string folder = absl::StrCat(shared, "/data/rfc8785/");
  const std::string input =
      ReadFile(absl::StrCat(folder, "input/", GetParam(), ".json"));
  if (input.empty()) GTEST_SKIP() << folder << " is not there";
  const std::string output =
      ReadFile(absl::StrCat(folder, "output/", GetParam(), ".json"));
  const auto canonical = CanonicalizeJson(input);
  ASSERT_TRUE(canonical.ok()) << canonical.status();
  EXPECT_EQ(*canonical, output);
  EXPECT_EQ(CanonicalizeJson(output).value(), output);
}

INSTANTIATE_TEST_SUITE_P(Files, Rfc8785VectorTest,
                         testing::Values("arrays", "french", "structures",
                                         "unicode", "values", "weird"),
                         [](const auto& info) { return info.param; });

std::u16string ToUtf16(absl::string_view text) {
  std::u16string units;
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&text](size_t k) {
      return static_cast<uint32_t>(static_cast<unsigned char>(text[k]));
    };
    const uint32_t first = byte(i);
    if (first < 0x80) {
      units += static_cast<char16_t>(first);
      i += 1;
    } else if (first < 0xE0) {
      units +=
          static_cast<char16_t>((first & 0x1F) << 6 | (byte(i + 1) & 0x3F));
      i += 2;
    } else if (first < 0xF0) {
      units += static_cast<char16_t>((first & 0x0F) << 12 |
                                     (byte(i + 1) & 0x3F) << 6 |
                                     (byte(i + 2) & 0x3F));
      i += 3;
    } else {
      const uint32_t c = ((first & 0x07) << 18 | (byte(i + 1) & 0x3F) << 12 |
                          (byte(i + 2) & 0x3F) << 6 | (byte(i + 3) & 0x3F)) -
                         0x10000;
      units += static_cast<char16_t>(0xD800 | c >> 10);
      units += static_cast<char16_t>(0xDC00 | (c & 0x3FF));
      i += 4;
    }
  }
  return units;
}

std::string RandomText(std::mt19937_64& random) {
  static constexpr absl::string_view kCharacters[] = {
      "a",      "b",      "\"",     "\\", "/", "\n",        "\x01",
      "\x1f",   "\x7f",   "é",      "ö",  "€", "\u2028",    "\ud7ff",
      "\ue000", "\ufb33", "\uffff", "😀",  "𝄞", "\U0010ffff"};
  std::string text;
  const size_t size = random() % 6;
  for (size_t i = 0; i < size; ++i) {
    absl::StrAppend(&text, kCharacters[random() % std::size(kCharacters)]);
  }
  return text;
}

TEST(Utf16LessTest, AgreesWithUtf16) {
  constexpr uint64_t kSeed = 16;
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 200'000; ++i) {
    const std::string a = RandomText(random);
    const std::string b = RandomText(random);
    ASSERT_EQ(Utf16Less(a, b), ToUtf16(a) < ToUtf16(b)) << a << " " << b;
  }
  EXPECT_FALSE(Utf16Less("a", "a"));
}

// A random document as a tree of nlohmann's, and as a text that spells it in a
// random way: white space, escapes, numbers.
class RandomDocument {
 public:
  explicit RandomDocument(uint64_t seed) : random_(seed) {}

  nlohmann::json Value(int depth) {
    switch (Below(depth > 0 ? 7 : 5)) {
      case 0:
        Write("null");
        return nullptr;
      case 1:
        Write("true");
        return true;
      case 2:
      case 3:
        return Number();
      case 4:
        return String();
      case 5: {
        nlohmann::json array = nlohmann::json::array();
        Write("[");
        const size_t size = Below(5);
        for (size_t i = 0; i < size; ++i) {
          if (i > 0) Write(",");
          array.push_back(Value(depth - 1));
        }
        Write("]");
        return array;
      }
      default: {
        nlohmann::json object = nlohmann::json::object();
        Write("{");
        const size_t size = Below(Below(10) == 0 ? 40 : 5);
        for (size_t i = 0; i < size; ++i) {
          if (i > 0) Write(",");
          // The number keeps the names apart.
          const std::string name = absl::StrCat(RandomText(random_), i);
          WriteString(name);
          Write(":");
          object[name] = Value(depth - 1);
        }
        Write("}");
        return object;
      }
    }
  }

  std::string& text() { return text_; }
  size_t Below(size_t n) { return random_() % n; }

 private:
  nlohmann::json Number() {
    const int64_t scaled = static_cast<int64_t>(Below(2'000'001)) - 1'000'000;
    const size_t places = Below(4);
    std::string number = absl::StrCat(scaled, "e-", places);
    if (places == 0 && Below(2) == 0) number = absl::StrCat(scaled);
    if (Below(4) == 0) number = absl::StrCat(scaled, ".", Below(1000));
    Write(number);
    return nlohmann::json(std::strtod(number.c_str(), nullptr));
  }

  nlohmann::json String() {
    const std::string text = RandomText(random_);
    WriteString(text);
    return text;
  }

  void Write(absl::string_view token) {
    Space();
    absl::StrAppend(&text_, token);
    Space();
  }

  void Space() {
    while (Below(4) == 0) text_ += " \t\r\n"[Below(4)];
  }

  void WriteString(const std::string& text) {
    Space();
    text_ += '"';
    for (size_t i = 0; i < text.size();) {
      size_t end = i + 1;
      while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
      const std::string character = text.substr(i, end - i);
      const bool must = character[0] == '"' || character[0] == '\\' ||
                        static_cast<unsigned char>(character[0]) < 0x20;
      if (must || Below(4) == 0) {
        for (const char16_t unit : ToUtf16(character)) {
          constexpr char kHex[2][17] = {"0123456789abcdef", "0123456789ABCDEF"};
          text_ += "\\u";
          for (int shift = 12; shift >= 0; shift -= 4) {
            text_ += kHex[Below(2)][unit >> shift & 0xF];
          }
        }
      } else {
        text_ += character;
      }
      i = end;
    }
    text_ += '"';
    Space();
  }

  std::mt19937_64 random_;
  std::string text_;
};

bool Same(const JsonValue& ours, const nlohmann::json& theirs) {
  switch (ours.kind) {
    case JsonValue::Kind::kNull:
      return theirs.is_null();
    case JsonValue::Kind::kBool:
      return theirs.is_boolean() && theirs.get<bool>() == ours.boolean;
    case JsonValue::Kind::kNumber:
      return theirs.is_number() && theirs.get<double>() == ours.number;
    case JsonValue::Kind::kString:
      return theirs.is_string() && theirs.get<std::string>() == ours.string;
    case JsonValue::Kind::kArray:
      if (!theirs.is_array() || theirs.size() != ours.elements.size()) {
        return false;
      }
      for (size_t i = 0; i < ours.elements.size(); ++i) {
        if (!Same(ours.elements[i], theirs[i])) return false;
      }
      return true;
    case JsonValue::Kind::kObject:
      if (!theirs.is_object() || theirs.size() != ours.members.size()) {
        return false;
      }
      for (const auto& [name, value] : ours.members) {
        const auto it = theirs.find(name);
        if (it == theirs.end() || !Same(value, *it)) return false;
      }
      return true;
  }
  return false;
}

// What nlohmann's parser makes of the document, with the rules that it does not
// know: no name twice, at most 64 levels, no BOM, no NUL byte (to it an end of
// input). Numbers beyond a double it refuses by itself.
std::optional<nlohmann::json> ReferenceParse(const std::string& document) {
  if (document.compare(0, 3, "\xEF\xBB\xBF") == 0) return std::nullopt;
  if (document.find('\0') != std::string::npos) return std::nullopt;
  std::vector<std::vector<std::string>> names;
  bool twice = false;
  int deepest = 0;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event,
                         nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      deepest = std::max(deepest, depth + 1);
    }
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key) {
      const std::string name = parsed.get<std::string>();
      auto& known = names.back();
      twice =
          twice || std::find(known.begin(), known.end(), name) != known.end();
      known.push_back(name);
    }
    return true;
  };
  nlohmann::json value =
      nlohmann::json::parse(document, watch, /*allow_exceptions=*/false);
  if (value.is_discarded() || twice || deepest > kJsonMaxDepth) {
    return std::nullopt;
  }
  return value;
}

TEST(JsonDifferentialTest, RandomDocumentsAreReadAsTheyWereWritten) {
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    RandomDocument document(seed);
    const nlohmann::json expected = document.Value(6);
    const auto value = ParseJson(document.text());
    ASSERT_TRUE(value.ok()) << value.status() << " seed " << seed << "\n"
                            << document.text();
    ASSERT_TRUE(Same(*value, expected)) << "seed " << seed;

    // The canonical form is a document of the same value, and its own form.
    const std::string canonical = CanonicalJson(*value);
    const auto reread = ReferenceParse(canonical);
    ASSERT_TRUE(reread.has_value()) << canonical;
    ASSERT_EQ(*reread, expected) << canonical;
    ASSERT_EQ(CanonicalizeJson(canonical).value(), canonical);
  }
}

TEST(JsonDifferentialTest, ChangedDocumentsAreJudgedAsByTheReference) {
  constexpr absl::string_view kPieces[] = {
      "\"",     "\\",   "{",       "}",       "[",    "]",
      ",",      ":",    "0",       "-",       ".",    "e",
      "1e999",  "\\u",  "\\uD800", "\\uDC00", "\xFF", "\xED\xA0\x80",
      "\n",     "null", "tr",      "\x01",    " ",    "\"a\":1,",
      "\"0\":", "\xC3", "[[["};
  int accepted = 0;
  int refused = 0;
  for (uint64_t seed = 0; seed < 30'000; ++seed) {
    RandomDocument document(seed);
    document.Value(4);
    std::string& text = document.text();
    const size_t changes = 1 + document.Below(3);
    for (size_t i = 0; i < changes && !text.empty(); ++i) {
      const size_t at = document.Below(text.size());
      switch (document.Below(4)) {
        case 0:
          text.erase(at, 1 + document.Below(3));
          break;
        case 1: {
          const auto piece = kPieces[document.Below(std::size(kPieces))];
          text.insert(at, piece.data(), piece.size());
          break;
        }
        case 2:
          text[at] = static_cast<char>(document.Below(256));
          break;
        default: {  // says something twice
          const std::string part = text.substr(at, document.Below(20));
          text.insert(document.Below(text.size()), part);
          break;
        }
      }
    }
    const auto value = ParseJson(text);
    const auto expected = ReferenceParse(text);
    ASSERT_EQ(value.ok(), expected.has_value())
        << "seed " << seed << " " << value.status() << "\n"
        << text;
    if (value.ok()) {
      ASSERT_TRUE(Same(*value, *expected)) << "seed " << seed << "\n" << text;
    }
    ++(value.ok() ? accepted : refused);
  }
  // Both ways must have been tried.
  EXPECT_GT(accepted, 1'000);
  EXPECT_GT(refused, 5'000);
}

RC_GTEST_PROP(JsonPropertyTest, CanonicalFormIsIdempotentAndKeepsTheValue, ()) {
  RandomDocument document(*rc::gen::arbitrary<uint64_t>());
  const nlohmann::json expected = document.Value(6);
  const std::string canonical = CanonicalizeJson(document.text()).value();
  RC_ASSERT(CanonicalizeJson(canonical).value() == canonical);
  RC_ASSERT(Same(ParseJson(canonical).value(), expected));
}

// Of an object's members the order does not matter.
RC_GTEST_PROP(JsonPropertyTest, OrderOfMembersDoesNotMatter, (uint64_t seed)) {
  std::mt19937_64 random(seed);
  JsonValue object;
  object.kind = JsonValue::Kind::kObject;
  for (int i = 0; i < 20; ++i) {
    JsonValue number;
    number.kind = JsonValue::Kind::kNumber;
    number.number = i;
    object.members.emplace_back(absl::StrCat(RandomText(random), i), number);
  }
  JsonValue shuffled = object;
  std::shuffle(shuffled.members.begin(), shuffled.members.end(), random);
  RC_ASSERT(CanonicalJson(shuffled) == CanonicalJson(object));
}

// Any bytes at all: an answer, never a crash.
RC_GTEST_PROP(JsonPropertyTest, AnyBytesAreAnswered,
              (const std::string& bytes)) {
  const auto value = ParseJson(bytes);
  RC_ASSERT(value.ok() == ReferenceParse(bytes).has_value());
}

}  // namespace
}  // namespace windproof
