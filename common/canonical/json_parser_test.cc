#include "common/canonical/json_parser.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// Writes each event as a word.
class EventWriter {
 public:
  void OnNull() { Write("null"); }
  void OnBool(bool value) { Write(value ? "true" : "false"); }
  void OnNumber(absl::string_view text) { Write(text); }
  void OnString(const JsonString& value) { WriteString("", value); }
  void OnObjectStart() { Write("{"); }
  void OnName(const JsonString& name) { WriteString("name:", name); }
  void OnObjectEnd() { Write("}"); }
  void OnArrayStart() { Write("["); }
  void OnArrayEnd() { Write("]"); }

  const std::string& events() const { return events_; }

 private:
  void Write(absl::string_view word) {
    absl::StrAppend(&events_, events_.empty() ? "" : " ", word);
  }
  void WriteString(absl::string_view kind, const JsonString& string) {
    std::string text;
    AppendUnescaped(string, &text);
    Write(absl::StrCat(kind, "'", text, "'", string.has_escapes ? "*" : ""));
  }

  std::string events_;
};

struct Ignore {
  void OnNull() {}
  void OnBool(bool) {}
  void OnNumber(absl::string_view) {}
  void OnString(const JsonString&) {}
  void OnObjectStart() {}
  void OnName(const JsonString&) {}
  void OnObjectEnd() {}
  void OnArrayStart() {}
  void OnArrayEnd() {}
};

absl::Status Check(absl::string_view document) {
  JsonParser parser;
  Ignore ignore;
  return parser.Parse(document, ignore);
}

std::string Repeat(absl::string_view text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) absl::StrAppend(&repeated, text);
  return repeated;
}

std::string Nested(int depth) {
  return Repeat("[", depth) + Repeat("]", depth);
}

std::string NestedObjects(int depth) {
  return Repeat("{\"a\":", depth - 1) + "{}" + Repeat("}", depth - 1);
}

TEST(JsonParserTest, EventsComeInOrder) {
  JsonParser parser;
  EventWriter writer;
  ASSERT_TRUE(parser
                  .Parse(" {\"a\" : [1, -2.5e3 ,true,false,null, {}, []] ,"
                         "\"\\u0062\":\"x\\ny\",\"c\":{\"d\":\"\"}}\r\n\t ",
                         writer)
                  .ok());
  EXPECT_EQ(writer.events(),
            "{ name:'a' [ 1 -2.5e3 true false null { } [ ] ] "
            "name:'b'* 'x\ny'* name:'c' { name:'d' '' } }");
}

TEST(JsonParserTest, ViewsPointIntoTheDocument) {
  struct Positions : Ignore {
    explicit Positions(const char* document) : begin(document) {}
    void OnNumber(absl::string_view text) { at.push_back(text.data() - begin); }
    void OnString(const JsonString& value) {
      at.push_back(value.raw.data() - begin);
    }
    void OnName(const JsonString& name) { OnString(name); }
    const char* begin;
    std::vector<ptrdiff_t> at;
  };
  const absl::string_view document = R"({"a":12,"b":["c"]})";
  JsonParser parser;
  Positions positions(document.data());
  ASSERT_TRUE(parser.Parse(document, positions).ok());
  EXPECT_EQ(positions.at, (std::vector<ptrdiff_t>{2, 5, 9, 14}));
}

struct Case {
  const char* name;
  std::string document;
};

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

class AcceptedJsonTest : public testing::TestWithParam<Case> {};

TEST_P(AcceptedJsonTest, IsAccepted) {
  EXPECT_TRUE(Check(GetParam().document).ok()) << Check(GetParam().document);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AcceptedJsonTest,
    testing::Values(
        Case{"Zero", "0"}, Case{"MinusZero", "-0"}, Case{"Decimal", "-0.10"},
        Case{"ExponentUpper", "1E+2"}, Case{"ExponentZeros", "1e-00"},
        Case{"BigInteger", Repeat("9", 308)},
        Case{"LongFraction", "0." + Repeat("3", 100'000)},
        Case{"Underflow", "1e-999999999999"},
        Case{"LargeExponentOfZero", "0e999999999999"},
        Case{"LargestDouble", "1.7976931348623157e308"},
        Case{"EmptyString", "\"\""}, Case{"AllSpace", " \t\r\n1 \t\r\n"},
        Case{"Delete", "\"\x7f\""},
        Case{"EscapedControls", R"("\u0000\u001F\b\f\n\r\t\/\\\"")"},
        Case{"EscapedPair", R"("\uD83D\ude00")"},
        Case{"TwoEscapedPairs", R"("\uD83D\uDE00\uD83D\uDE00")"},
        Case{"EncodedBeyondBmp", "\"\xF0\x9F\x98\x80\""},
        Case{"LastCodePoint", "\"\xF4\x8F\xBF\xBF\""},
        Case{"Noncharacters", "\"\xEF\xBF\xBF\xEF\xB7\x90\\uFFFE\""},
        Case{"MarkWithinString", "\"\xEF\xBB\xBF\""},
        Case{"Depth64", Nested(64)},
        Case{"DepthOfObjects64", NestedObjects(64)},
        Case{"WideAtDepth64", Repeat("[", 63) + "[],[],{}" + Repeat("]", 63)},
        Case{"SameNameInSiblings", R"([{"a":1},{"a":2}])"},
        Case{"SameNameAboveAndBelow", R"({"a":{"a":{"a":1}},"b":{"a":1}})"},
        Case{"NamesDifferInCase", R"({"a":1,"A":2})"},
        Case{"NamesDifferInForm", "{\"\xC3\xA9\":1,\"e\xCC\x81\":2}"},
        Case{"NamesDifferInTheMiddle", R"({"abc":1,"axc":2,"aac":3})"},
        Case{"EmptyName", R"({"":1,"a":{"":2}})"},
        Case{"TenMegabyteString", "\"" + Repeat("abcdefgh01", 1 << 20) + "\""},
        Case{"TenMegabyteFlat", "[" + Repeat("0.5,\"x\",", 1'300'000) + "0]"},
        Case{"TenMegabyteNested",
             "[" + Repeat(Nested(63) + ",", 82'000) + "[]]"}),
    NameOf);

class RefusedJsonTest : public testing::TestWithParam<Case> {};

TEST_P(RefusedJsonTest, IsInvalidArgument) {
  const absl::Status status = Check(GetParam().document);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

INSTANTIATE_TEST_SUITE_P(
    Documents, RefusedJsonTest,
    testing::Values(
        Case{"Nothing", ""}, Case{"OnlySpace", " \n\t\r "},
        Case{"NulByte", std::string("\0", 1)},
        Case{"NulAfterValue", std::string("1\0", 2)},
        Case{"ByteOrderMark", "\xEF\xBB\xBF{}"},
        Case{"ByteOrderMarkAfter", "{}\xEF\xBB\xBF"},
        Case{"Utf16", std::string("{\0}\0", 4)},
        Case{"NoBreakSpace", "\xC2\xA0{}"}, Case{"VerticalTab", "\v{}"},
        Case{"FormFeed", "{}\f"}, Case{"TrailingGarbage", "{}x"},
        Case{"TwoValues", "{}{}"}, Case{"TwoNumbers", "1 2"},
        Case{"TrailingComma", "{},"}, Case{"Comment", "{}//x"},
        Case{"Nan", "NaN"}, Case{"NanLower", "nan"},
        Case{"Infinity", "Infinity"}, Case{"MinusInfinity", "-Infinity"},
        Case{"CapitalTrue", "True"}, Case{"Tru", "tru"}, Case{"Trux", "trux"},
        Case{"Truex", "truex"}, Case{"Nul", "nul"}, Case{"Fals", "[fals]"},
        Case{"Undefined", "undefined"}, Case{"SingleQuotes", "'a'"},
        Case{"Depth65", Nested(65)},
        Case{"DepthOfObjects65", NestedObjects(65)},
        Case{"DepthMixed65",
             Repeat("[", 32) + NestedObjects(33) + Repeat("]", 32)},
        Case{"Depth10000", Nested(10'000)},
        Case{"Depth10000Unclosed", Repeat("[", 10'000)},
        Case{"DepthOfObjects10000Unclosed", Repeat("{\"a\":", 10'000)},
        Case{"TenMegabyteUnclosed", Repeat("[", 10 << 20)}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Numbers, RefusedJsonTest,
    testing::Values(
        Case{"LeadingZero", "01"}, Case{"MinusLeadingZero", "-01"},
        Case{"TwoZeros", "00"}, Case{"PointAtEnd", "1."},
        Case{"PointThenExponent", "1.e5"}, Case{"PointAtStart", ".5"},
        Case{"MinusPoint", "-.5"}, Case{"Plus", "+1"}, Case{"Minus", "-"},
        Case{"TwoMinus", "--1"}, Case{"MinusSpace", "- 1"},
        Case{"ExponentAlone", "e5"}, Case{"ExponentEmpty", "1e"},
        Case{"ExponentSignAlone", "1e+"}, Case{"ExponentFraction", "1e1.5"},
        Case{"TwoPoints", "1.2.3"}, Case{"TwoExponents", "1e2e3"},
        Case{"Hex", "0x10"}, Case{"Underscore", "1_000"}, Case{"Comma", "1,5"},
        Case{"Suffix", "1f"}, Case{"FullWidthDigit", "\xEF\xBC\x91"},
        Case{"BeyondADouble", "1e999"}, Case{"BeyondADoubleMinus", "-1e999"},
        Case{"BeyondADoubleDeep", R"({"a":[{"b":1e309}]})"},
        Case{"BeyondADoubleInFull", Repeat("9", 309)},
        Case{"RoundsBeyondADouble", "1.7976931348623159e308"},
        Case{"TenMegabyteInteger", Repeat("1234567890", 1 << 20)}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Strings, RefusedJsonTest,
    testing::Values(
        Case{"Unterminated", "\"abc"}, Case{"QuoteAlone", "\""},
        Case{"UnterminatedLong", "\"" + Repeat("a", 1000)},
        Case{"EndsInEscape", "\"abc\\"},
        Case{"EndsInEscapedQuote", "\"abc\\\""},
        Case{"EndsInUnicodeEscape", "\"\\u00"},
        Case{"ShortUnicodeEscape", R"("\u00")"},
        Case{"SpaceInUnicodeEscape", R"("\u 123")"},
        Case{"SignInUnicodeEscape", R"("\u+123")"},
        Case{"LetterInUnicodeEscape", R"("\u00g0")"},
        Case{"CapitalU", R"("\U0041")"}, Case{"EscapedA", R"("\a")"},
        Case{"EscapedV", R"("\v")"}, Case{"EscapedX", R"("\x41")"},
        Case{"EscapedZero", R"("\0")"}, Case{"EscapedApostrophe", R"("\'")"},
        Case{"EscapedNulByte", std::string("\"\\\0\"", 4)},
        Case{"NulByteWithin", std::string("\"a\0b\"", 5)},
        Case{"NewlineWithin", "\"a\nb\""}, Case{"TabWithin", "\"a\tb\""},
        Case{"UnitSeparatorLate", "\"" + Repeat("a", 29) + "\x1f\""},
        Case{"LoneHigh", R"("\uD83D")"},
        Case{"LoneHighThenText", R"("\uD83Dx")"},
        Case{"LoneHighThenEscape", R"("\uD83D\n")"},
        Case{"LoneHighThenBmp", R"("\uD83D\u0041")"},
        Case{"TwoHighs", R"("\uD83D\uD83D\uDE00")"},
        Case{"LoneLow", R"("\uDE00")"},
        Case{"ReversedPair", R"("\uDE00\uD83D")"},
        Case{"LowAfterPair", R"("\uD83D\uDE00\uDE00")"},
        Case{"HighAtTheVeryEnd", "\"\\uD83D\\u"},
        Case{"LoneHighInName", R"({"\uD800":1})"},
        Case{"EncodedHigh", "\"\xED\xA0\xBD\""},
        Case{"EncodedLow", "\"\xED\xB8\x80\""},
        Case{"EncodedPair", "\"\xED\xA0\xBD\xED\xB8\x80\""},
        Case{"HighEscapedLowEncoded", "\"\\uD83D\xED\xB8\x80\""},
        Case{"Overlong2", "\"\xC0\xAF\""},
        Case{"OverlongQuote", "\"\xC0\xA2\""},
        Case{"OverlongC1", "\"\xC1\xBF\""},
        Case{"Overlong3", "\"\xE0\x9F\xBF\""},
        Case{"Overlong4", "\"\xF0\x8F\xBF\xBF\""},
        Case{"BeyondUnicode", "\"\xF4\x90\x80\x80\""},
        Case{"FiveBytes", "\"\xF8\x88\x80\x80\x80\""},
        Case{"LoneContinuation", "\"\x80\""}, Case{"Latin1", "\"\xE9t\xE9\""},
        Case{"CutShort2", "\"\xC3\""}, Case{"CutShort3", "\"\xE2\x82\""},
        Case{"CutShort4", "\"\xF0\x9F\x98\""},
        Case{"CutShortAtTheEnd", "\"abc\xE2\x82"}, Case{"FF", "\"\xFF\""},
        Case{"InvalidUtf8InName", "{\"\xFF\":1}"},
        Case{"InvalidUtf8AfterTheValue", "{}\xFF"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Containers, RefusedJsonTest,
    testing::Values(
        Case{"OpenBrace", "{"}, Case{"OpenBracket", "["},
        Case{"CloseBrace", "}"}, Case{"CloseBracket", "]"},
        Case{"Crossed", "[}"}, Case{"CrossedNested", R"({"a":[})"},
        Case{"OneTooMany", "[]]"}, Case{"OneTooFew", "[[]"},
        Case{"CommaInEmptyArray", "[,]"}, Case{"CommaFirst", "[,1]"},
        Case{"CommaLast", "[1,]"}, Case{"CommaTwice", "[1,,2]"},
        Case{"NoComma", "[1 2]"}, Case{"ColonInArray", "[1:2]"},
        Case{"ArrayEndsAfterValue", "[1"}, Case{"ArrayEndsAfterComma", "[1,"},
        Case{"NameAlone", R"({"a"})"}, Case{"NameThenEnd", R"({"a")"},
        Case{"NameColonThenEnd", R"({"a":)"},
        Case{"NameColonThenBrace", R"({"a":})"},
        Case{"MemberThenEnd", R"({"a":1)"}, Case{"MemberComma", R"({"a":1,})"},
        Case{"MemberCommaEnd", R"({"a":1,)"}, Case{"ObjectComma", "{,}"},
        Case{"NoColon", R"({"a" 1})"}, Case{"TwoColons", R"({"a"::1})"},
        Case{"EqualsSign", R"({"a"=1})"}, Case{"NumberAsName", "{1:1}"},
        Case{"BareName", "{a:1}"}, Case{"NullAsName", "{null:1}"},
        Case{"ArrayAsName", "{[]:1}"},
        Case{"MembersWithoutComma", R"({"a":1"b":2})"},
        Case{"SameName", R"({"a":1,"a":1})"},
        Case{"SameNameEmpty", R"({"":1,"":2})"},
        Case{"SameNameEscaped", R"({"a":1,"\u0061":2})"},
        Case{"SameNameEscapedFirst", R"({"\u0061":1,"a":2})"},
        Case{"SameNameEscapedTwice", R"({"\u0061b":1,"a\u0062":2})"},
        Case{"SameNameSlash", R"({"a/b":1,"a\/b":2})"},
        Case{"SameNamePair", "{\"\xF0\x9F\x98\x80\":1,\"\\uD83D\\uDE00\":2}"},
        Case{"SameNameNul", R"({"\u0000":1,"\u0000":2})"},
        Case{"SameNameDeep", R"({"x":[[{"y":{"a":1,"b":2,"a":3}}]]})"},
        Case{"SameNameAfterObject", R"({"a":{"b":1,"c":{}},"a":2})"},
        Case{"SameNameAfterEscapes", R"({"\u0061":{"\u0062":{}},"\u0061":2})"},
        Case{"SameNameAfterUnescaped", R"({"\u0061":{"b":{}},"a":[]})"}),
    NameOf);

// Around the size at which an object's names move into a hash set, and with
// objects that take turns in being large.
TEST(JsonParserTest, FindsADuplicateOfAnyNameAtAnySize) {
  JsonParser parser;
  Ignore ignore;
  for (const int size : {1, 2, 15, 16, 17, 18, 33, 100}) {
    std::string members;
    for (int i = 0; i < size; ++i) {
      absl::StrAppend(&members, i == 0 ? "" : ",", "\"name", i, "\":{\"n\":", i,
                      "}");
    }
    const std::string fine = absl::StrCat("{", members, "}");
    ASSERT_TRUE(parser.Parse(fine, ignore).ok()) << size;
    const std::string nested =
        absl::StrCat("{\"name0\":", fine, ",\"name1\":[", fine, ",", fine, "],",
                     "\"m\":{", members, ",\"m\":", fine, "}}");
    ASSERT_TRUE(parser.Parse(nested, ignore).ok()) << size;
    for (int i = 0; i < size; ++i) {
      const std::string twice =
          absl::StrCat("{", members, ",\"\\u006eame", i, "\":0}");
      ASSERT_FALSE(parser.Parse(twice, ignore).ok()) << size << " " << i;
      const std::string deep = absl::StrCat("[", fine, ",{\"x\":", twice, "}]");
      ASSERT_FALSE(parser.Parse(deep, ignore).ok()) << size << " " << i;
    }
  }
}

// Quadratic work would take minutes here.
TEST(JsonParserTest, LargeObjectsAreNotQuadratic) {
  std::string document = "{";
  for (int i = 0; i < 400'000; ++i) {
    absl::StrAppend(&document, i % 2 == 0 ? "\"m" : "\"\\u006d", i, "\":0,");
  }
  JsonParser parser;
  Ignore ignore;
  EXPECT_TRUE(parser.Parse(document + "\"end\":0}", ignore).ok());
  EXPECT_FALSE(parser.Parse(document + "\"m0\":0}", ignore).ok());
  EXPECT_FALSE(parser.Parse(document + "\"m399999\":0}", ignore).ok());
}

// A quote, a backslash or a control character is found at every place of the
// eight bytes that are looked at together, whatever stands beside it.
TEST(JsonParserTest, EndOfStringIsFoundAtEveryPlace) {
  JsonParser parser;
  Ignore ignore;
  for (size_t length = 0; length < 40; ++length) {
    for (const std::string filler :
         {"a", "!", "#", "[", "]", " ", "\x7f", "\xC2\x80", "\xEF\xBF\xBF"}) {
      std::string text;
      while (text.size() < length) text += filler;
      const auto accepts = [&](const auto&... parts) {
        return parser.Parse(absl::StrCat("\"", parts..., "\""), ignore).ok();
      };
      EXPECT_TRUE(accepts(text));
      EXPECT_TRUE(accepts(text, "\\\\"));
      EXPECT_TRUE(accepts(text, "\\\"", text));
      EXPECT_FALSE(accepts(text, "\"", text));
      EXPECT_FALSE(accepts(text, "\\"));
      for (const char control : {'\0', '\x01', '\n', '\x1f'}) {
        EXPECT_FALSE(accepts(text, absl::string_view(&control, 1), text));
      }
    }
  }
}

// Every prefix of a document is refused: nothing reads past its end (ASan), and
// nothing takes a beginning for the whole.
TEST(JsonParserTest, RefusesEveryPrefix) {
  const std::string document =
      "{\"station_id\": \"00433\", \"x\\u0061\\uD83D\\uDE00\": [-1.5e+3, true, "
      "false, null, {\"\xE2\x82\xAC\": \"\\\"\"}, []]}";
  ASSERT_TRUE(Check(document).ok());
  for (size_t size = 0; size < document.size(); ++size) {
    // Of its own, so that ASan sees a read beyond.
    const std::vector<char> prefix(document.begin(), document.begin() + size);
    const absl::Status status =
        Check(absl::string_view(prefix.data(), prefix.size()));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << size;
  }
}

TEST(JsonParserTest, IsReusableAfterAnError) {
  JsonParser parser;
  Ignore ignore;
  EXPECT_FALSE(parser.Parse(R"({"a":{"\u0062":{"c":[)", ignore).ok());
  EXPECT_TRUE(parser.Parse(R"({"a":1,"b":2,"c":3})", ignore).ok());
  EXPECT_FALSE(parser.Parse(R"({"a":1,"b":2,"\u0061":3})", ignore).ok());
  EXPECT_TRUE(parser.Parse("[]", ignore).ok());
}

// A parser expects the names of the last document; that must show in nothing.
TEST(JsonParserTest, DocumentsBeforeDoNotMatter) {
  const std::string members[] = {
      "\"a\":1",
      "\"b\":2",
      "\"b\" :2",
      " \"b\":2",
      "\"\\u0062\":2",
      "\"bc\":3",
      "\"\":4",
      "\"b\"",
      "\"d\":{\"a\":1,\"b\":{\"a\":5}}",
      "\"a\":[{\"b\":1},{\"a\":2}]",
  };
  std::vector<std::string> documents = {"", "[]", "[{\"a\":1},{\"b\":2}]"};
  for (const std::string& first : members) {
    documents.push_back(absl::StrCat("{", first, "}"));
    for (const std::string& second : members) {
      documents.push_back(absl::StrCat("{", first, ",", second, "}"));
      for (const std::string& third : {members[0], members[1], members[5]}) {
        documents.push_back(
            absl::StrCat("{", first, ",", second, ",", third, "}"));
      }
    }
  }
  JsonParser parser;
  for (const std::string& before : documents) {
    for (const std::string& document : documents) {
      Ignore ignore;
      (void)parser.Parse(before, ignore);
      EventWriter events;
      const absl::Status status = parser.Parse(document, events);
      JsonParser fresh;
      EventWriter fresh_events;
      ASSERT_EQ(status, fresh.Parse(document, fresh_events))
          << document << " after " << before;
      ASSERT_EQ(events.events(), fresh_events.events())
          << document << " after " << before;
    }
  }
}

// More names than are expected, longer ones than are, and fewer.
TEST(JsonParserTest, LargeObjectsBeforeDoNotMatter) {
  const auto object = [](int names, int size, int twice) {
    std::string text = "{";
    for (int i = 0; i < names; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "\"",
                      std::string(size, static_cast<char>('a' + i)), "\":0");
    }
    if (twice >= 0) {
      absl::StrAppend(&text, ",\"",
                      std::string(size, static_cast<char>('a' + twice)),
                      "\":0");
    }
    return text + "}";
  };
  JsonParser parser;
  Ignore ignore;
  for (const int size : {1, 5, 7, 13, 14, 29, 30, 40}) {
    for (int names = 1; names <= 20; ++names) {
      EXPECT_TRUE(parser.Parse(object(names, size, -1), ignore).ok());
      EXPECT_TRUE(parser.Parse(object(names, size, -1), ignore).ok());
      for (int twice = 0; twice < names; ++twice) {
        EXPECT_FALSE(parser.Parse(object(names, size, twice), ignore).ok());
      }
    }
  }
}

TEST(JsonParserTest, ErrorsNameThePositionAndWhatIsWrong) {
  const struct {
    std::string document;
    absl::string_view message;
  } kRows[] = {
      {R"({"a":1,"a":2})",
       "JSON byte 7: an object must not have the same name twice"},
      {"[1,01]", "JSON byte 4: a number must not begin with 0"},
      {"[1e999]", "JSON byte 1: a number must not be beyond a double"},
      {R"(["ab\uD800"])", "JSON byte 4: lone surrogate"},
      {"[\"ab\xED\xA0\x80\"]", "JSON byte 4: invalid UTF-8"},
      {"\xEF\xBB\xBF{}",
       "JSON byte 0: a byte order mark must not precede the value"},
      {Nested(65), "JSON byte 64: more than 64 levels of objects and arrays"},
      {"[\"a\nb\"]",
       "JSON byte 3: a control character in a string must be escaped"},
      {"{}x", "JSON byte 2: nothing may follow the value"},
      {"", "JSON byte 0: the document ends where a value must follow"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(Check(row.document).message(), row.message);
  }
}

// Every two-byte and many longer sequences, against the table of the Unicode
// standard as ranges of code points.
TEST(JsonParserTest, AcceptsExactlyTheEncodedScalarValues) {
  const auto accepted = [](absl::string_view bytes) {
    return Check(absl::StrCat("\"", bytes, "\"")).ok();
  };
  const auto encode = [](uint32_t c, int size) {
    std::string bytes;
    for (int i = size - 1; i > 0; --i) {
      bytes += static_cast<char>(0x80 | (c >> (6 * i) & 0x3F));
    }
    constexpr uint32_t kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    std::string text(1, static_cast<char>(kLead[size] | c >> (6 * (size - 1))));
    for (int i = size - 2; i >= 0; --i) {
      text += static_cast<char>(0x80 | (c >> (6 * i) & 0x3F));
    }
    return text;
  };
  for (uint32_t c = 0; c < 0x800; ++c) {
    EXPECT_EQ(accepted(encode(c, 2)), c >= 0x80) << c;
  }
  for (uint32_t c = 0; c < 0x10000; ++c) {
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    ASSERT_EQ(accepted(encode(c, 3)), c >= 0x800 && !surrogate) << c;
  }
  for (uint32_t c = 0; c < 0x200000; c += 0x3F) {
    ASSERT_EQ(accepted(encode(c, 4)), c >= 0x10000 && c <= 0x10FFFF) << c;
  }
}

struct StringCase {
  const char* name;
  std::string json;       // with its quotes
  std::string text;       // unescaped
  std::string canonical;  // with its quotes
};

class JsonStringTest : public testing::TestWithParam<StringCase> {};

TEST_P(JsonStringTest, HasItsTextAndCanonicalForm) {
  struct Strings : Ignore {
    void OnString(const JsonString& value) {
      AppendUnescaped(value, &text);
      AppendCanonicalString(value, &canonical);
    }
    std::string text;
    std::string canonical;
  };
  JsonParser parser;
  Strings strings;
  ASSERT_TRUE(parser.Parse(GetParam().json, strings).ok());
  EXPECT_EQ(strings.text, GetParam().text);
  EXPECT_EQ(strings.canonical, GetParam().canonical);
  std::string quoted;
  AppendQuoted(GetParam().text, &quoted);
  EXPECT_EQ(quoted, GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, JsonStringTest,
    testing::Values(
        StringCase{"Empty", R"("")", "", R"("")"},
        StringCase{"Plain", R"("00433")", "00433", R"("00433")"},
        StringCase{"Short", R"("\b\t\n\f\r\"\\")", "\b\t\n\f\r\"\\",
                   R"("\b\t\n\f\r\"\\")"},
        StringCase{"LongForShort",
                   R"("\u0008\u0009\u000a\u000C\u000d\u0022\u005C")",
                   "\b\t\n\f\r\"\\", R"("\b\t\n\f\r\"\\")"},
        StringCase{"Slash", R"("\/\u002f/")", "///", R"("///")"},
        StringCase{"Controls", R"("\u0000\u0001\u000B\u001F\u007f")",
                   std::string("\0\x01\x0B\x1F\x7F", 5),
                   "\"\\u0000\\u0001\\u000b\\u001f\x7F\""},
        StringCase{"Latin", R"("\u00e9\u00E9é")", "ééé", "\"ééé\""},
        StringCase{"Euro", R"("\u20AC$\u000F\u000aA'\u0042\u0022\u005c\\\"\/")",
                   "€$\x0F\nA'B\"\\\\\"/",
                   "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""},
        StringCase{"Pair", R"("\ud83D\uDe00\uDBFF\uDFFF")", "😀\xF4\x8F\xBF\xBF",
                   "\"😀\xF4\x8F\xBF\xBF\""},
        StringCase{"LineSeparators", R"("\u2028\u2029")",
                   "\xE2\x80\xA8\xE2\x80\xA9", "\"\xE2\x80\xA8\xE2\x80\xA9\""},
        StringCase{"NotNormalised", R"("e\u0301\u00e9")", "e\xCC\x81\xC3\xA9",
                   "\"e\xCC\x81\xC3\xA9\""}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace windproof
