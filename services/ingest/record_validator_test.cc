#include "services/ingest/record_validator.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr int64_t kNow = 1'769'904'000'000;  // 2026-02-01T00:00:00Z

NewRecord Record(std::optional<std::string> key, std::string value) {
  NewRecord record;
  record.topic = "weather.00433";
  record.key = std::move(key);
  record.value = std::move(value);
  record.log_time_ms = kNow;
  return record;
}

NewRecord Good() {
  return Record("00433",
                "{\"station_id\":\"00433\",\"timestamp\":"
                "\"2026-01-25T12:00:00Z\",\"temperature\":3.1}");
}

class RecordValidatorTest : public ::testing::Test {
 protected:
  RecordValidatorTest() : specs_{*BuiltInSpec("weather")} { Make(); }

  void Make() {
    auto validator = RecordValidator::Create(specs_, limits_);
    ASSERT_TRUE(validator.ok()) << validator.status();
    validator_ = *std::move(validator);
  }

  // The refusal of `record` where it comes after a good one.
  std::optional<Refusal> Check(const NewRecord& record) {
    return validator_->Check({Good(), record});
  }

  IngestLimits limits_;
  std::vector<PipelineSpec> specs_;
  std::unique_ptr<RecordValidator> validator_;
};

TEST_F(RecordValidatorTest, TakesWhatThePipelineTakes) {
  EXPECT_FALSE(Check(Good()).has_value());
  // Without a message key, or without the field.
  NewRecord no_key = Good();
  no_key.key.reset();
  EXPECT_FALSE(Check(no_key).has_value());
  EXPECT_FALSE(Check(Record("00433", "{\"timestamp\":1769904000000,\"x\":[1]}"))
                   .has_value());
  NewRecord control = Record("00433", "2026-01-25T12:00:00Z");
  control.headers = {{"windproof-control", "watermark"}};
  EXPECT_FALSE(Check(control).has_value());
  NewRecord headers = Good();
  headers.headers = {{"a", ""}, {"a", std::string("\0\xff", 2)}};
  EXPECT_FALSE(Check(headers).has_value());
}

struct BadRow {
  const char* name;
  std::optional<std::string> key;
  std::string value;
  Refusal::Reason reason;
  // What the message must name: field, value found, what is accepted.
  std::vector<const char*> named;
};

TEST_F(RecordValidatorTest, RefusesWhatThePipelineWouldNotTake) {
  const BadRow kRows[] = {
      {"NotJson",
       "00433",
       "temperature=3",
       Refusal::Reason::kInvalid,
       {"value", "temperature=3", "JSON object"}},
      {"NoTimestamp",
       "00433",
       "{\"station_id\":\"00433\"}",
       Refusal::Reason::kInvalid,
       {"timestamp", "nothing", "RFC 3339"}},
      {"BadTimestamp",
       "00433",
       "{\"timestamp\":\"yesterday\"}",
       Refusal::Reason::kInvalid,
       {"timestamp", "yesterday", "RFC 3339"}},
      {"OtherKey",
       "00433",
       "{\"station_id\":\"00427\",\"timestamp\":\"2026-01-25T12:00:00Z\"}",
       Refusal::Reason::kInvalid,
       {"station_id", "00427", "00433"}},
      {"TheFuture",
       "00433",
       "{\"timestamp\":\"2026-02-01T00:05:00.001Z\"}",
       Refusal::Reason::kInvalid,
       {"timestamp", "2026-02-01T00:05:00.001Z", "300000 ms"}},
      {"NobodysKey",
       std::string("a\0b", 3),
       "{\"timestamp\":\"2026-01-25T12:00:00Z\"}",
       Refusal::Reason::kNobodys,
       {"message key", "without control characters"}},
      {"NoKeyAtAll",
       std::nullopt,
       "{\"timestamp\":\"2026-01-25T12:00:00Z\"}",
       Refusal::Reason::kNobodys,
       {"station_id", "nothing"}},
  };
  for (const BadRow& row : kRows) {
    const auto refusal = Check(Record(row.key, row.value));
    ASSERT_TRUE(refusal.has_value()) << row.name;
    EXPECT_EQ(refusal->reason, row.reason) << row.name;
    EXPECT_TRUE(absl::StrContains(refusal->message, "records[1]"))
        << refusal->message;
    EXPECT_TRUE(absl::StrContains(refusal->message, "weather"))
        << refusal->message;
    for (const char* const word : row.named) {
      EXPECT_TRUE(absl::StrContains(refusal->message, word))
          << row.name << ": " << word << " in " << refusal->message;
    }
  }
}

TEST_F(RecordValidatorTest, RefusesControlRecordsThatWouldBeInvalid) {
  NewRecord control = Record("00433", "2026-01-25T12:00:00Z");
  control.headers = {{"windproof-control", "stop"}};
  auto refusal = Check(control);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_TRUE(absl::StrContains(refusal->message, "windproof-control"));
  EXPECT_TRUE(absl::StrContains(refusal->message, "stop"));
  control.headers = {{"windproof-control", "watermark"}};
  control.value = "2026-02-02T00:00:00Z";
  EXPECT_EQ(Check(control)->reason, Refusal::Reason::kInvalid);
}

TEST_F(RecordValidatorTest, RefusesTopicsThatNobodyReads) {
  for (const char* const topic : {"weather.433", "weather.00433x", "other"}) {
    NewRecord record = Good();
    record.topic = topic;
    const auto refusal = Check(record);
    ASSERT_TRUE(refusal.has_value()) << topic;
    EXPECT_EQ(refusal->reason, Refusal::Reason::kTopic);
    EXPECT_TRUE(absl::StrContains(refusal->message, topic));
    EXPECT_TRUE(absl::StrContains(refusal->message, "^weather"))
        << refusal->message;
  }
  NewRecord record = Good();
  record.topic = "no topic";
  EXPECT_EQ(Check(record)->reason, Refusal::Reason::kTopic);
}

TEST_F(RecordValidatorTest, SizesAtAndBeyondTheLimits) {
  const std::string frame =
      "{\"timestamp\":\"2026-01-25T12:00:00Z\",\"x\":\"\"}";
  const auto of_size = [&](size_t size) {
    NewRecord record = Record("00433", frame);
    record.value->insert(frame.size() - 2,
                         std::string(size - StoredSize(record), 'x'));
    return record;
  };
  EXPECT_FALSE(Check(of_size(1 << 20)).has_value());
  EXPECT_EQ(Check(of_size((1 << 20) + 1))->reason,
            Refusal::Reason::kRecordSize);

  EXPECT_EQ(validator_->Check({})->reason, Refusal::Reason::kBatchSize);
  std::vector<NewRecord> many(10'000, Good());
  EXPECT_FALSE(validator_->Check(many).has_value());
  many.push_back(Good());
  EXPECT_EQ(validator_->Check(many)->reason, Refusal::Reason::kBatchSize);
  const std::vector<NewRecord> heavy(17, of_size(1 << 20));
  EXPECT_EQ(validator_->Check(heavy)->reason, Refusal::Reason::kBatchSize);
  EXPECT_FALSE(
      validator_->Check(absl::MakeSpan(heavy).subspan(0, 16)).has_value());
}

TEST_F(RecordValidatorTest, RefusesHeadersThatAreNone) {
  for (const std::string& name :
       {std::string(), std::string("a\n"), std::string(129, 'x')}) {
    NewRecord record = Good();
    record.headers = {{"good", "1"}, {name, "2"}};
    const auto refusal = Check(record);
    ASSERT_TRUE(refusal.has_value()) << name;
    EXPECT_EQ(refusal->reason, Refusal::Reason::kHeader);
    EXPECT_TRUE(absl::StrContains(refusal->message, "headers[1].name"));
  }
  NewRecord record = Good();
  record.headers.assign(101, {"a", "b"});
  EXPECT_EQ(Check(record)->reason, Refusal::Reason::kHeader);
}

TEST_F(RecordValidatorTest, MustBeGoodForEveryPipelineOfTheTopic) {
  PipelineSpec strict = *BuiltInSpec("weather");
  strict.name = "strict";
  strict.future_skew_ms = 0;
  specs_.push_back(strict);
  Make();
  EXPECT_FALSE(Check(Good()).has_value());
  const auto refusal =
      Check(Record("00433", "{\"timestamp\":\"2026-02-01T00:01:00Z\"}"));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_TRUE(absl::StrContains(refusal->message, "pipeline strict"));
}

TEST_F(RecordValidatorTest, MemoryOfTopicsIsBounded) {
  for (int i = 0; i < 10'100; ++i) {
    NewRecord record = Good();
    record.topic = absl::StrCat("other-", i);
    EXPECT_EQ(validator_->Check({record})->reason, Refusal::Reason::kTopic);
  }
  EXPECT_FALSE(Check(Good()).has_value());
}

TEST(RefusalTest, ReasonsHaveNames) {
  std::vector<absl::string_view> names;
  for (size_t i = 0; i < Refusal::kReasons; ++i) {
    names.push_back(RefusalReasonName(static_cast<Refusal::Reason>(i)));
    EXPECT_FALSE(names.back().empty());
  }
}

}  // namespace
}  // namespace windproof
