#include "services/windproof/stack.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/proto/convert.h"
#include "gtest/gtest.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"
#include "proto/windproof/v1/verifier.grpc.pb.h"

namespace windproof {
namespace {

using std::chrono::steady_clock;

constexpr int64_t kNoonMs = 1'769'342'400'000;  // 2026-01-25T12:00:00Z

std::string FreshFolder(absl::string_view name) {
  return absl::StrCat(testing::TempDir(), "/stack_test-", name);
}

steady_clock::time_point InAMinute() {
  return steady_clock::now() + std::chrono::minutes(1);
}

// Two readings of 12:00 and the one of 13:20 that closes their window.
grpc::Status PublishOneWindow(Stack& stack) {
  v1::PublishRecordsRequest request;
  for (const char* time : {"12:00", "12:30", "13:20"}) {
    v1::Record& record = *request.add_records();
    record.set_topic("weather.00433");
    record.set_key("00433");
    record.set_value(absl::StrCat(
        R"({"station_id":"00433","temperature":1.5,"timestamp":"2026-01-25T)",
        time, R"(:00Z"})"));
  }
  v1::PublishRecordsResponse response;
  grpc::ClientContext context;
  return v1::IngestService::NewStub(stack.Channel())
      ->PublishRecords(&context, request, &response);
}

bool WaitForOneCheckpoint(Stack& stack) {
  grpc::ClientContext context;
  const auto stub = v1::AnchorService::NewStub(stack.Channel());
  const auto watch =
      stub->WatchCheckpoints(&context, v1::WatchCheckpointsRequest());
  v1::LedgerItem item;
  const bool came = watch->Read(&item);
  context.TryCancel();
  watch->Finish();
  return came;
}

v1::VerifyWindowResponse Verify(Stack& stack) {
  v1::VerifyWindowRequest request;
  *request.mutable_window() = MakeWindowId("weather", "00433", kNoonMs);
  v1::VerifyWindowResponse response;
  grpc::ClientContext context;
  const grpc::Status status = v1::VerifierService::NewStub(stack.Channel())
                                  ->VerifyWindow(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

TEST(StackTest, RecordsBecomeVerifiedWindowsOnlineAndInTheStoppedStore) {
  const std::string data_dir = FreshFolder("online");
  {
    const auto stack = Stack::Open({.data_dir = data_dir});
    ASSERT_TRUE(stack.ok()) << stack.status();
    ASSERT_TRUE((*stack)->Start().ok());
    const grpc::Status published = PublishOneWindow(**stack);
    ASSERT_TRUE(published.ok()) << published.error_message();
    ASSERT_TRUE(WaitForOneCheckpoint(**stack));
    EXPECT_EQ(Verify(**stack).verdict(), v1::VerifyWindowResponse::VERIFIED);

    // Not while somebody writes.
    EXPECT_TRUE(absl::IsFailedPrecondition(
        Stack::Open({.data_dir = data_dir, .read_only = true}).status()));
    (*stack)->Shutdown(InAMinute());
  }
  const auto stopped = Stack::Open({.data_dir = data_dir, .read_only = true});
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ((*stopped)->modules().size(), 3u);
  ASSERT_EQ((*stopped)->pipelines().size(), 1u);
  EXPECT_EQ((*stopped)->pipelines()[0].name, "weather");
  ASSERT_TRUE((*stopped)->Start().ok());
  const v1::VerifyWindowResponse verified = Verify(**stopped);
  EXPECT_EQ(verified.verdict(), v1::VerifyWindowResponse::VERIFIED)
      << verified.DebugString();
}

TEST(StackTest, ItMayEndWithoutHavingStarted) {
  const std::string data_dir = FreshFolder("unstarted");
  for (int i = 0; i < 2; ++i) {
    const auto stack = Stack::Open({.data_dir = data_dir});
    ASSERT_TRUE(stack.ok()) << stack.status();
    EXPECT_EQ((*stack)->modules().size(), 4u);
  }
}

TEST(StackTest, WhatCannotBeOpenedIsNamed) {
  const absl::Status no_store =
      Stack::Open({.data_dir = FreshFolder("none"), .read_only = true})
          .status();
  EXPECT_TRUE(absl::IsNotFound(no_store)) << no_store;
  const absl::Status no_pipeline =
      Stack::Open({.data_dir = FreshFolder("p"), .pipelines = {"wether"}})
          .status();
  EXPECT_TRUE(absl::StrContains(no_pipeline.message(), "wether"))
      << no_pipeline;
  const absl::Status twice = Stack::Open({.data_dir = FreshFolder("p"),
                                          .pipelines = {"weather", "weather"}})
                                 .status();
  EXPECT_TRUE(absl::IsInvalidArgument(twice)) << twice;
  EXPECT_TRUE(absl::IsInvalidArgument(
      Stack::Open({.data_dir = FreshFolder("p"), .pipelines = {}}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      Stack::Open({.data_dir = FreshFolder("a"), .anchor_address = "7403"})
          .status()));
  const absl::Status no_trust = Stack::Open({.data_dir = FreshFolder("a"),
                                             .anchor_address = "127.0.0.1:1"})
                                    .status();
  EXPECT_TRUE(absl::IsFailedPrecondition(no_trust)) << no_trust;
  EXPECT_TRUE(absl::StrContains(no_trust.message(), "producer.vkey"));
}

}  // namespace
}  // namespace windproof
