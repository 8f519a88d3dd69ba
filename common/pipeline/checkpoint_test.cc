#include "common/pipeline/checkpoint.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "common/canonical/json_value.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// The first checkpoint of the worked example in docs/formats/.
constexpr absl::string_view kExample =
    R"({"aggregates":{"temperature":{"avg":3.483333,"count":3,"max":3.9,"min":3.1}},)"
    R"("dropped_root":"8f5cfd7e04c18b210a677bc9dd893453ff174d92c4c11757d221415587700a16",)"
    R"("key":"00433","offsets":{"begin":"0","end":"4"},"pipeline":"weather",)"
    R"("positions_sha256":"d59636e406b976bb7f6880ecfe41be074f134af26489d8fd20f7b574744450c7",)"
    R"("prev":"0000000000000000000000000000000000000000000000000000000000000000",)"
    R"("records":3,"revision":0,)"
    R"("root":"dfa15ad713d7a2687931f87e4ec7d35c8142921c8513968f168ef09882fbb131",)"
    R"("scan":{"accepted":4,"begin":"0","conflict":1,"control":0,"duplicate":1,)"
    R"("end":"10","gap":2,"invalid":1,"late":0,"low":"9","other":1},"seq":"0",)"
    R"("source":{"partition":0,"topic":"weather.00433"},)"
    R"("spec":"14f0040301c0ea2e700ca6c55c3fd95eb5547d0dd9d029cc0d73fe0e670f8fca",)"
    R"("version":1,"watermark":"2026-01-25T13:20:00Z",)"
    R"("window":{"end":"2026-01-25T13:00:00Z","start":"2026-01-25T12:00:00Z"}})";

std::string With(absl::string_view old_text, absl::string_view new_text) {
  std::string changed = absl::StrReplaceAll(kExample, {{old_text, new_text}});
  EXPECT_NE(changed, kExample) << "nothing to replace: " << old_text;
  return changed;
}

TEST(CheckpointTest, ParsesAndEncodesTheSameBytes) {
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpoint(kExample);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(EncodeCheckpoint(*checkpoint), kExample);
  EXPECT_EQ(checkpoint->key, "00433");
  EXPECT_EQ(checkpoint->scan.Sum(), 10);
  EXPECT_EQ(checkpoint->scan_low, 9);
  EXPECT_EQ(checkpoint->window_end_ms - checkpoint->window_start_ms, 3'600'000);
  EXPECT_EQ(HexOf(Sha256Of(kExample)),
            "d0ec6e640560dd9e35c28269a1a86a181314199a60f7721cb04b109c71f69920");
}

TEST(CheckpointTest, RevisionsSayWhatTheySupersede) {
  Checkpoint checkpoint = *ParseCheckpoint(kExample);
  checkpoint.revision = 2;
  checkpoint.supersedes = Sha256Of("revision 1");
  const absl::StatusOr<Checkpoint> again =
      ParseCheckpoint(EncodeCheckpoint(checkpoint));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, checkpoint);
  checkpoint.supersedes.reset();
  EXPECT_TRUE(absl::IsInvalidArgument(
      ParseCheckpoint(EncodeCheckpoint(checkpoint)).status()));
}

TEST(CheckpointTest, KeysMayBeAnyText) {
  Checkpoint checkpoint = *ParseCheckpoint(kExample);
  checkpoint.key = "a/\"\\\u00e9\U0001f300";
  const absl::StatusOr<Checkpoint> again =
      ParseCheckpoint(EncodeCheckpoint(checkpoint));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->key, checkpoint.key);
}

// Names that are not plain ASCII are read by another way than others: both must
// find the same things wrong.
TEST(CheckpointTest, EveryChangedByteIsRefusedOrReadAsItStands) {
  for (const absl::string_view key : {"00433", "\u00e9"}) {
    Checkpoint checkpoint = *ParseCheckpoint(kExample);
    checkpoint.key = std::string(key);
    const std::string good = EncodeCheckpoint(checkpoint);
    ASSERT_EQ(*ParseCheckpoint(good), checkpoint);
    for (size_t i = 0; i < good.size(); ++i) {
      EXPECT_FALSE(ParseCheckpoint(good.substr(0, i)).ok()) << i;
      for (const char c :
           absl::string_view("09-.eE\"\\,:{} \x7f\xff\0az", 20)) {
        std::string changed = good;
        changed[i] = c;
        const absl::StatusOr<Checkpoint> found = ParseCheckpoint(changed);
        if (!found.ok()) continue;
        EXPECT_EQ(EncodeCheckpoint(*found), changed);
        const absl::StatusOr<JsonValue> json = ParseJson(changed);
        ASSERT_TRUE(json.ok()) << changed;
        EXPECT_EQ(CanonicalJson(*json), changed);
      }
    }
  }
}

TEST(CheckpointTest, AnyNumberOfAggregates) {
  Checkpoint checkpoint = *ParseCheckpoint(kExample);
  checkpoint.aggregates.push_back(
      {.field = "wind", .count = 1, .min = -1e-7, .max = 1e21, .avg = -0.5});
  EXPECT_EQ(*ParseCheckpoint(EncodeCheckpoint(checkpoint)), checkpoint);
  Checkpoint out_of_order = checkpoint;
  std::swap(out_of_order.aggregates.front(), out_of_order.aggregates.back());
  EXPECT_FALSE(ParseCheckpoint(EncodeCheckpoint(out_of_order)).ok());
  checkpoint.aggregates.push_back(checkpoint.aggregates.back());
  EXPECT_FALSE(ParseCheckpoint(EncodeCheckpoint(checkpoint)).ok());
  checkpoint.aggregates.clear();
  EXPECT_EQ(*ParseCheckpoint(EncodeCheckpoint(checkpoint)), checkpoint);
}

struct Refused {
  const char* name;
  std::string bytes;
  absl::StatusCode code;
  const char* says;  // part of the message
};

void PrintTo(const Refused& refused, std::ostream* out) {
  *out << refused.name;
}

class RefusedCheckpointTest : public testing::TestWithParam<Refused> {};

TEST_P(RefusedCheckpointTest, SaysWhy) {
  const absl::Status status = ParseCheckpoint(GetParam().bytes).status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_NE(status.message().find(GetParam().says), absl::string_view::npos)
      << status;
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kUnsupported = absl::StatusCode::kUnimplemented;

INSTANTIATE_TEST_SUITE_P(
    All, RefusedCheckpointTest,
    testing::Values(
        Refused{"Empty", "", kInvalid, "no JSON"},
        Refused{"NoObject", "[]", kInvalid, "an object"},
        Refused{"AnotherVersion", With("\"version\":1", "\"version\":2"),
                kUnsupported, "checkpoint.version is 2; accepted is 1"},
        Refused{"UnknownMember",
                With("{\"aggregates\"", "{\"a\":1,\"aggregates\""),
                kUnsupported, "checkpoint.a is no member of version 1"},
        Refused{"UnknownCount",
                With("\"accepted\":4", "\"abandoned\":0,\"accepted\":4"),
                kUnsupported, "checkpoint.scan.abandoned"},
        Refused{"MissingMember", With("\"seq\":\"0\",", ""), kUnsupported,
                "checkpoint.seq is missing"},
        Refused{"UnknownMemberBesideAWrongValue",
                With("\"seq\":\"0\"", "\"seq\":0,\"sequel\":1"), kUnsupported,
                "checkpoint.sequel is no member of version 1"},
        Refused{"MissingVersion", With("\"version\":1,", ""), kUnsupported,
                "checkpoint.version is missing"},
        Refused{"VersionAsText", With("\"version\":1", "\"version\":\"1\""),
                kUnsupported, "checkpoint.version is \"1\"; accepted is 1"},
        Refused{"MissingInnerMember", With("\"late\":0,", ""), kUnsupported,
                "checkpoint.scan.late is missing"},
        Refused{"AggregateOfText",
                With("\"count\":3,\"max\":3.9", "\"count\":3,\"max\":\"3.9\""),
                kInvalid, "checkpoint.aggregates.temperature.max is \"3.9\""},
        Refused{"AggregateNoObject",
                With("{\"temperature\":{\"avg\":3.483333,\"count\":3,"
                     "\"max\":3.9,\"min\":3.1}}",
                     "{\"temperature\":3}"),
                kInvalid,
                "checkpoint.aggregates.temperature is 3; accepted is an "
                "object"},
        Refused{"SeqAsNumber", With("\"seq\":\"0\"", "\"seq\":0"), kInvalid,
                "checkpoint.seq is 0; accepted is a string"},
        Refused{"OffsetBeyond63Bits",
                With("\"low\":\"9\"", "\"low\":\"9223372036854775808\""),
                kInvalid, "checkpoint.scan.low"},
        Refused{"NegativeOffset", With("\"low\":\"9\"", "\"low\":\"-9\""),
                kInvalid, "checkpoint.scan.low"},
        Refused{"NegativeCount", With("\"late\":0", "\"late\":-1"), kInvalid,
                "checkpoint.scan.late is -1"},
        Refused{"FractionalCount", With("\"late\":0", "\"late\":0.5"), kInvalid,
                "checkpoint.scan.late is 0.5"},
        Refused{"NoRecords", With("\"records\":3", "\"records\":0"), kInvalid,
                "checkpoint.records is 0; accepted is a whole number of at "
                "least 1"},
        Refused{"UpperCaseHash", With("\"root\":\"dfa", "\"root\":\"DFA"),
                kInvalid, "checkpoint.root"},
        Refused{"ShortHash", With("\"root\":\"dfa", "\"root\":\"df"), kInvalid,
                "64 lower-case hex digits"},
        Refused{"SpaceInside", With("\"version\":1", "\"version\": 1"),
                kInvalid, "canonical form"},
        Refused{"LeadingZero", With("\"low\":\"9\"", "\"low\":\"09\""),
                kInvalid, "canonical form"},
        Refused{"OtherTimeSpelling", With("12:00:00Z\"}", "12:00:00.000Z\"}"),
                kInvalid, "canonical form"},
        Refused{"WindowOfNanoseconds",
                With("12:00:00Z\"}", "12:00:00.000001Z\"}"), kInvalid,
                "checkpoint.window.start"},
        Refused{"SupersedesInAClosing",
                With("\"version\":1",
                     "\"supersedes\":\"00000000000000000000000000000000"
                     "00000000000000000000000000000000\",\"version\":1"),
                kInvalid, "revisions from 1 up have it"},
        Refused{"NegativePartition",
                With("\"partition\":0", "\"partition\":-1"), kInvalid,
                "checkpoint.source.partition"},
        Refused{"HugePartition",
                With("\"partition\":0", "\"partition\":2147483648"), kInvalid,
                "checkpoint.source.partition"},
        Refused{"TwiceTheSameName",
                With("\"seq\":\"0\"", "\"seq\":\"0\",\"seq\":\"0\""), kInvalid,
                "no JSON"},
        Refused{"TrailingByte", std::string(kExample) + "\n", kInvalid,
                "canonical form"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace windproof
