// What must hold for every record: random values, written in random ways.
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/canonical/decimal.h"
#include "common/canonical/json_value.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "common/pipeline/log_record.h"
#include "common/pipeline/record_reader.h"
#include "common/pipeline/spec.h"
#include "gtest/gtest.h"
#include "rapidcheck/gtest.h"

namespace windproof {
namespace {

using Kind = RecordReader::Kind;
using Random = std::mt19937_64;

constexpr int64_t kLogTimeMs = 1'769'904'000'000;

int Below(int end, Random* random) {
  return static_cast<int>((*random)() % static_cast<uint64_t>(end));
}

template <typename T>
const T& OneOf(const std::vector<T>& choices, Random* random) {
  return choices[Below(static_cast<int>(choices.size()), random)];
}

const PipelineSpec& Spec() {
  static const auto* const spec = [] {
    auto* made = new PipelineSpec(*BuiltInSpec("weather"));
    made->fields["note"] = FieldType::kString;
    made->fields["ok"] = FieldType::kBoolean;
    made->fields["ü\""] = FieldType::kNumber;
    made->aggregated = {"pressure", "temperature", "ü\""};
    return made;
  }();
  return *spec;
}

// The text of a JSON value that is not of another record's meaning: some are of
// the right type for their field, some of a wrong one.
std::string RandomJson(Random* random) {
  static const auto* const texts =
      new std::vector<std::string>{"null",
                                   "true",
                                   "false",
                                   "0",
                                   "-0",
                                   "3.1",
                                   "3.10",
                                   "-12.5e0",
                                   "1e15",
                                   "999999999999999",
                                   "1e-7",
                                   "0.1234567885",
                                   "123456789012345678901",
                                   "\"\"",
                                   "\"text\"",
                                   "\"a\\u0062\\n\\/\"",
                                   "\"\\ud83d\\ude00 ü\"",
                                   "[]",
                                   "{}",
                                   "[1,{\"temperature\":2}]",
                                   "{\"station_id\":\"x\",\"a\":[null]}",
                                   "1.7976931348623157e308",
                                   "\"2026-01-25T12:00:00Z\"",
                                   "81",
                                   "1012.3"};
  return OneOf(*texts, random);
}

std::string RandomTimestamp(Random* random) {
  static const auto* const texts =
      new std::vector<std::string>{"\"2026-01-25T12:00:00Z\"",
                                   "\"2026-01-25t13:10:00.500+01:00\"",
                                   "1769342400123",
                                   "-1",
                                   "0",
                                   "\"yesterday\"",
                                   "null",
                                   "1.5",
                                   "\"9999-12-31T23:30:00Z\"",
                                   "\"2026-02-01T00:05:00Z\"",
                                   "\"2026-02-01T00:05:00.000000001Z\"",
                                   "\"0000-01-01T00:00:00Z\"",
                                   "{}"};
  return OneOf(*texts, random);
}

std::string RandomKeyField(Random* random) {
  static const auto* const texts = new std::vector<std::string>{
      "\"00433\"", "\"00433\"", "\"\\u00300433\"", "\"00427\"", "null", "433",
      "\"\"",      "[]"};
  return OneOf(*texts, random);
}

// A name as JSON, some characters written as \u escapes.
std::string RandomSpelling(absl::string_view name, Random* random) {
  std::string json = "\"";
  for (const char c : name) {
    const bool must = c == '"' || c == '\\';
    if (must ||
        (static_cast<unsigned char>(c) < 0x80 && Below(8, random) == 0)) {
      absl::StrAppend(&json, "\\u00", absl::Hex(c, absl::kZeroPad2));
    } else {
      json.push_back(c);
    }
  }
  return json + "\"";
}

std::string RandomSpace(Random* random) {
  static const auto* const spaces =
      new std::vector<std::string>{"", "", "", " ", "\n", "\t", "\r\n  "};
  return OneOf(*spaces, random);
}

// The members of a value: name → the text of its JSON.
using Members = std::map<std::string, std::string>;

Members RandomMembers(Random* random) {
  Members members;
  if (Below(8, random) != 0) {
    members["station_id"] = RandomKeyField(random);
  }
  if (Below(20, random) != 0) members["timestamp"] = RandomTimestamp(random);
  for (const auto& [name, type] : Spec().fields) {
    if (Below(3, random) != 0) members[name] = RandomJson(random);
  }
  return members;
}

// The members in random order and spelling, with fields that nobody knows.
std::string RandomDocument(const Members& members, Random* random) {
  std::vector<std::string> parts;
  for (const auto& [name, json] : members) {
    parts.push_back(absl::StrCat(
        RandomSpace(random), RandomSpelling(name, random), RandomSpace(random),
        ":", RandomSpace(random), json, RandomSpace(random)));
  }
  const int unknown = Below(4, random);
  for (int i = 0; i < unknown; ++i) {
    parts.push_back(absl::StrCat(RandomSpelling(absl::StrCat("x", i), random),
                                 ":", RandomJson(random)));
  }
  std::shuffle(parts.begin(), parts.end(), *random);
  return absl::StrCat(RandomSpace(random), "{", absl::StrJoin(parts, ","), "}",
                      RandomSpace(random));
}

// The reader's rules once more, line by line from the formats page and by way
// of a tree.
struct Expected {
  Kind kind = Kind::kOther;
  std::string key;
  std::string canonical;
  Timestamp time;
};

std::optional<Timestamp> SlowTimestamp(const JsonValue* value) {
  if (value == nullptr) return std::nullopt;
  if (value->kind == JsonValue::Kind::kString) {
    return ParseTimestamp(value->string);
  }
  if (value->kind == JsonValue::Kind::kNumber) {
    return TimestampFromMillisDouble(value->number);
  }
  return std::nullopt;
}

bool SlowHasType(const std::string& name, FieldType type,
                 const JsonValue& value) {
  switch (type) {
    case FieldType::kString:
      return value.kind == JsonValue::Kind::kString;
    case FieldType::kBoolean:
      return value.kind == JsonValue::Kind::kBool;
    case FieldType::kNumber:
      break;
  }
  if (value.kind != JsonValue::Kind::kNumber) return false;
  const auto& aggregated = Spec().aggregated;
  return std::count(aggregated.begin(), aggregated.end(), name) == 0 ||
         (value.number < 1e15 && value.number > -1e15);
}

Expected SlowRead(const LogRecord& record) {
  Expected expected;
  const auto tree = ParseJson(*record.value);
  const bool object = tree.ok() && tree->kind == JsonValue::Kind::kObject;
  const JsonValue* key = object ? tree->Find("station_id") : nullptr;
  if (record.key.has_value()) {
    expected.key = std::string(*record.key);
  } else {
    if (key == nullptr || key->kind != JsonValue::Kind::kString ||
        !IsUsableKey(key->string)) {
      return expected;
    }
    expected.key = key->string;
  }
  expected.kind = Kind::kInvalid;
  if (!object) return expected;
  if (key != nullptr && key->kind != JsonValue::Kind::kNull &&
      (key->kind != JsonValue::Kind::kString || key->string != expected.key)) {
    return expected;
  }
  const auto time = SlowTimestamp(tree->Find("timestamp"));
  if (!time.has_value() || record.log_time_ms < 0 ||
      *time > TimestampFromMillis(record.log_time_ms + 300'000) ||
      !WindowFits(WindowStartMs(*time, Spec().window_ms), Spec().window_ms)) {
    return expected;
  }
  expected.kind = Kind::kCanonical;
  expected.time = *time;
  JsonValue out;
  out.kind = JsonValue::Kind::kObject;
  JsonValue text;
  text.kind = JsonValue::Kind::kString;
  text.string = expected.key;
  out.members.emplace_back("station_id", text);
  text.string = FormatTimestamp(*time);
  out.members.emplace_back("timestamp", text);
  for (const auto& [name, type] : Spec().fields) {
    const JsonValue* value = tree->Find(name);
    if (value != nullptr && SlowHasType(name, type, *value)) {
      out.members.emplace_back(name, *value);
    }
  }
  expected.canonical = CanonicalJson(out);
  return expected;
}

void CheckAggregated(const RecordReader::Result& result,
                     absl::string_view canonical) {
  const auto tree = ParseJson(canonical);
  RC_ASSERT(tree.ok());
  for (size_t i = 0; i < Spec().aggregated.size(); ++i) {
    const JsonValue* value = tree->Find(Spec().aggregated[i]);
    RC_ASSERT(result.aggregated[i].present == (value != nullptr));
    if (value == nullptr) continue;
    RC_ASSERT(result.aggregated[i].number == value->number);
    std::string number;
    AppendCanonicalNumber(value->number, &number);
    RC_ASSERT(result.aggregated[i].nanounits ==
              NanounitsFromCanonicalNumber(number));
  }
}

LogRecord Record(absl::string_view value, bool with_key) {
  LogRecord record;
  record.log_time_ms = kLogTimeMs;
  if (with_key) record.key = "00433";
  record.value = value;
  return record;
}

RC_GTEST_PROP(RecordReaderPropertyTest, AgreesWithTheSlowReader,
              (uint64_t seed, bool with_key)) {
  Random random(seed);
  RecordReader reader(Spec());
  for (int i = 0; i < 50; ++i) {
    const std::string value = RandomDocument(RandomMembers(&random), &random);
    const LogRecord record = Record(value, with_key);
    const Expected expected = SlowRead(record);
    const RecordReader::Result& result = reader.Read(record);
    RC_LOG() << value << "\n";
    RC_ASSERT(result.kind == expected.kind);
    RC_ASSERT(result.key == expected.key);
    if (result.kind == Kind::kCanonical) {
      RC_ASSERT(result.canonical == expected.canonical);
      RC_ASSERT(result.time == expected.time);
      CheckAggregated(result, expected.canonical);
    }
    RC_ASSERT(reader.Explain(record).has_value() ==
              (expected.kind != Kind::kCanonical));
  }
}

RC_GTEST_PROP(RecordReaderPropertyTest, WritingDoesNotMatter,
              (uint64_t seed, bool with_key)) {
  Random random(seed);
  RecordReader reader(Spec());
  const Members members = RandomMembers(&random);
  const std::string value = RandomDocument(members, &random);
  const RecordReader::Result& result = reader.Read(Record(value, with_key));
  const Kind kind = result.kind;
  const std::string canonical(result.canonical);
  for (int i = 0; i < 10; ++i) {
    const std::string other = RandomDocument(members, &random);
    const RecordReader::Result& again = reader.Read(Record(other, with_key));
    RC_ASSERT(again.kind == kind);
    RC_ASSERT(again.canonical == canonical);
  }
}

RC_GTEST_PROP(RecordReaderPropertyTest, CanonicalRecordsAreFixedPoints,
              (uint64_t seed, bool with_key)) {
  Random random(seed);
  RecordReader reader(Spec());
  for (int i = 0; i < 50; ++i) {
    const std::string value = RandomDocument(RandomMembers(&random), &random);
    const RecordReader::Result& result = reader.Read(Record(value, with_key));
    if (result.kind != Kind::kCanonical) continue;
    const std::string key(result.key);
    const std::string canonical(result.canonical);
    const Timestamp time = result.time;
    RC_ASSERT(CanonicalizeJson(canonical).value() == canonical);
    RC_ASSERT(reader.Read(Record(canonical, with_key)).canonical == canonical);
    RecordReader::Result again;
    RC_ASSERT(reader.ReadCanonical(key, canonical, &again));
    RC_ASSERT(again.time == time);
    // Any change of a byte is another record or none.
    std::string changed = canonical;
    changed[Below(static_cast<int>(changed.size()), &random)] ^= 1;
    if (reader.ReadCanonical(key, changed, &again)) {
      RC_ASSERT(again.canonical == changed);
    }
  }
}

// Whatever the bytes are, nothing crashes, and Explain() sees what Read() sees.
RC_GTEST_PROP(RecordReaderPropertyTest, AnyBytesHaveAnAnswer,
              (uint64_t seed, bool with_key, std::string bytes)) {
  Random random(seed);
  RecordReader reader(Spec());
  std::string value = RandomDocument(RandomMembers(&random), &random);
  const int changes = Below(4, &random);
  for (int i = 0; i < changes; ++i) {
    const int at = Below(static_cast<int>(value.size()), &random);
    switch (Below(3, &random)) {
      case 0:
        value[at] = static_cast<char>(random());
        break;
      case 1:
        value.erase(at, Below(8, &random));
        break;
      default:
        value.insert(at, bytes);
        break;
    }
    if (value.empty()) break;
  }
  const LogRecord record = Record(value, with_key);
  const Expected expected = SlowRead(record);
  const RecordReader::Result& result = reader.Read(record);
  RC_ASSERT(result.kind == expected.kind);
  if (expected.kind == Kind::kCanonical) {
    RC_ASSERT(result.canonical == expected.canonical);
  }
  RC_ASSERT(reader.Explain(record).has_value() ==
            (expected.kind != Kind::kCanonical));
}

}  // namespace
}  // namespace windproof
