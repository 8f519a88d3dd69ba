#include "common/server/grpc_status.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

TEST(GrpcStatusTest, CodesAndMessagesGoBothWays) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "what");
    const grpc::Status sent = ToGrpcStatus(status);
    EXPECT_EQ(sent.error_code(), code);
    EXPECT_EQ(FromGrpcStatus(sent), status);
  }
}

TEST(GrpcStatusTest, UnknownCodesBecomeUnknown) {
  const absl::Status status(static_cast<absl::StatusCode>(77), "what");
  EXPECT_EQ(ToGrpcStatus(status).error_code(), grpc::StatusCode::UNKNOWN);
  const grpc::Status sent(static_cast<grpc::StatusCode>(77), "what");
  EXPECT_EQ(FromGrpcStatus(sent).code(), absl::StatusCode::kUnknown);
}

TEST(GrpcStatusTest, LongMessagesAreCutAtACharacter) {
  std::string text(kMaxStatusMessageBytes - 1, 'x');
  const std::string kept = text;
  text += "°°°";
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(text)).error_message(),
            kept + " [cut]");
}

TEST(GrpcStatusTest, WhatIsNoUtf8IsMasked) {
  EXPECT_EQ(ToGrpcStatus(absl::InternalError("a\xff\xc3(\xed\xa0\x80°"))
                .error_message(),
            "a**(***°");
}

}  // namespace
}  // namespace windproof
