#include "common/proto/convert.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

constexpr int64_t kNoon = 1'769'342'400'000;  // 2026-01-25T12:00:00Z

google::protobuf::Timestamp Proto(int64_t seconds, int32_t nanos) {
  google::protobuf::Timestamp time;
  time.set_seconds(seconds);
  time.set_nanos(nanos);
  return time;
}

TEST(ConvertTest, TimesGoBothWays) {
  for (const Timestamp& time :
       {Timestamp{0, 0}, Timestamp{-1, 999'999'999},
        Timestamp{kYear0Seconds, 0},
        Timestamp{kYear10000Seconds - 1, 999'999'999}}) {
    const absl::StatusOr<Timestamp> back = FromProto(ToProto(time), "t");
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, time);
  }
}

TEST(ConvertTest, TimesOutOfRangeAreNamed) {
  for (const google::protobuf::Timestamp& time :
       {Proto(kYear0Seconds - 1, 0), Proto(kYear10000Seconds, 0),
        Proto(std::numeric_limits<int64_t>::max(), 0),
        Proto(std::numeric_limits<int64_t>::min(), 0), Proto(0, -1),
        Proto(0, 1'000'000'000)}) {
    const absl::StatusOr<Timestamp> got = FromProto(time, "request.start_time");
    EXPECT_TRUE(absl::IsInvalidArgument(got.status()));
    EXPECT_NE(got.status().message().find("request.start_time"),
              absl::string_view::npos)
        << got.status();
  }
}

TEST(ConvertTest, MillisMustBeWholeAndMayBeNegative) {
  EXPECT_EQ(MillisFromProto(Proto(-1, 999'000'000), "t").value(), -1);
  EXPECT_EQ(MillisFromProto(ToProtoMillis(-1), "t").value(), -1);
  EXPECT_EQ(ToProtoMillis(-1).seconds(), -1);
  EXPECT_EQ(ToProtoMillis(-1).nanos(), 999'000'000);
  EXPECT_TRUE(absl::IsInvalidArgument(
      MillisFromProto(Proto(0, 999'999), "t").status()));
}

TEST(ConvertTest, WindowsGoBothWays) {
  const WindowName name{"weather", "00433", kNoon};
  EXPECT_EQ(WindowText(name), "weather/00433/2026-01-25T12:00:00Z");
  EXPECT_EQ(ParseWindowText(WindowText(name)).value(), name);
  EXPECT_EQ(FromProto(ToProto(name)).value(), name);
}

TEST(ConvertTest, KeysMayHoldSlashes) {
  const WindowName name{"p", "a/b//c", kNoon};
  EXPECT_EQ(ParseWindowText(WindowText(name)).value(), name);
}

struct BadWindow {
  const char* text;
  const char* named;
};

TEST(ConvertTest, BadWindowTextsSayWhatIsAccepted) {
  for (const BadWindow& bad : {
           BadWindow{"", "PIPELINE/KEY/START"},
           BadWindow{"weather", "PIPELINE/KEY/START"},
           BadWindow{"weather/00433", "PIPELINE/KEY/START"},
           BadWindow{"Weather/00433/2026-01-25T12:00:00Z", "pipeline"},
           BadWindow{"/00433/2026-01-25T12:00:00Z", "pipeline"},
           BadWindow{"weather//2026-01-25T12:00:00Z", "key"},
           BadWindow{"weather/a\tb/2026-01-25T12:00:00Z", "key"},
           BadWindow{"weather/00433/noon", "noon"},
           BadWindow{"weather/00433/2026-01-25T12:00:00.0001Z", "start"},
       }) {
    const absl::StatusOr<WindowName> got = ParseWindowText(bad.text);
    EXPECT_TRUE(absl::IsInvalidArgument(got.status())) << bad.text;
    EXPECT_NE(got.status().message().find(bad.named), absl::string_view::npos)
        << got.status();
  }
}

TEST(ConvertTest, MissingPartsOfAWindowIdAreNamed) {
  v1::WindowId id;
  const auto message = [&] {
    return std::string(FromProto(id).status().message());
  };
  EXPECT_NE(message().find("window.pipeline"), std::string::npos);
  id.set_pipeline("weather");
  EXPECT_NE(message().find("window.key"), std::string::npos);
  id.set_key(std::string(129, 'x'));
  EXPECT_NE(message().find("window.key has 129 bytes"), std::string::npos);
  id.set_key("00433");
  EXPECT_NE(message().find("window.start"), std::string::npos);
  *id.mutable_start() = ToProtoMillis(kNoon);
  EXPECT_TRUE(FromProto(id).ok());
}

}  // namespace
}  // namespace windproof
