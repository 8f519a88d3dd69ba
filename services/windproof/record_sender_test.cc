#include "services/windproof/record_sender.h"

#include <grpcpp/grpcpp.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::Pair;

// Takes records, but for what the test tells it.
class FakeIngest final : public v1::IngestService::Service {
 public:
  grpc::Status PublishRecords(grpc::ServerContext*,
                              const v1::PublishRecordsRequest* request,
                              v1::PublishRecordsResponse* response) override {
    MutexLock lock(mutex_);
    ++calls_;
    if (!failures_.empty()) {
      const grpc::Status failure = failures_.front();
      failures_.pop_front();
      return failure;
    }
    for (int i = 0; i < request->records_size(); ++i) {
      if (request->records(i).value() == "bad") {
        return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                            absl::StrCat("records[", i, "]: value is bad"));
      }
    }
    for (const v1::Record& record : request->records()) {
      v1::PublishedRecord* published = response->add_records();
      published->set_topic(record.topic());
      published->set_offset(
          static_cast<int64_t>(taken_[record.topic()].size()));
      taken_[record.topic()].push_back(record.value());
    }
    return grpc::Status::OK;
  }

  void FailNext(grpc::StatusCode code, int times) {
    MutexLock lock(mutex_);
    for (int i = 0; i < times; ++i) failures_.emplace_back(code, "told to");
  }
  int calls() {
    MutexLock lock(mutex_);
    return calls_;
  }
  std::vector<std::string> taken(const std::string& topic) {
    MutexLock lock(mutex_);
    return taken_[topic];
  }

 private:
  Mutex mutex_;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<grpc::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<std::string>> taken_
      ABSL_GUARDED_BY(mutex_);
};

class RecordSenderTest : public testing::Test {
 protected:
  RecordSenderTest()
      : server_(
            grpc::ServerBuilder().RegisterService(&ingest_).BuildAndStart()) {}

  std::unique_ptr<v1::IngestService::Stub> Stub() {
    return v1::IngestService::NewStub(server_->InProcessChannel({}));
  }

  static PublishBatch Batch(int32_t source, int64_t first,
                            const std::vector<std::string>& values) {
    PublishBatch batch;
    for (const std::string& value : values) {
      batch.Add(absl::StrCat("t", source), "", value, {source, first++});
    }
    return batch;
  }

  FakeIngest ingest_;
  const std::unique_ptr<grpc::Server> server_;
};

TEST_F(RecordSenderTest, KeepsTheOrderOfALane) {
  RecordSender sender(Stub(), {.lanes = 2});
  EXPECT_TRUE(sender.Send(0, Batch(0, 1, {"a", "b"})));
  EXPECT_TRUE(sender.Send(1, Batch(1, 1, {"x"})));
  EXPECT_TRUE(sender.Send(0, Batch(0, 3, {"c"})));
  ASSERT_TRUE(sender.Finish().ok());
  EXPECT_THAT(ingest_.taken("t0"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ingest_.taken("t1"), ElementsAre("x"));
  EXPECT_EQ(sender.written(), 4);
  EXPECT_THAT(sender.settled(), ElementsAre(Pair(0, 3), Pair(1, 1)));
  EXPECT_THAT(sender.log_ends(),
              ElementsAre(Pair(Pair("t0", 0), 3), Pair(Pair("t1", 0), 1)));
}

TEST_F(RecordSenderTest, LeavesOutWhatIsRefused) {
  std::vector<std::string> refused;
  RecordSender sender(
      Stub(),
      {.refused = [&](const RecordOrigin& origin, const std::string& reason) {
        refused.push_back(absl::StrCat(origin.number, ": ", reason));
      }});
  EXPECT_TRUE(sender.Send(0, Batch(0, 1, {"bad", "a", "bad", "b", "bad"})));
  ASSERT_TRUE(sender.Finish().ok());
  EXPECT_THAT(refused, ElementsAre("1: value is bad", "3: value is bad",
                                   "5: value is bad"));
  EXPECT_THAT(ingest_.taken("t0"), ElementsAre("a", "b"));
  EXPECT_EQ(sender.written(), 2);
}

TEST_F(RecordSenderTest, TriesAgainWhatMayPass) {
  int told = 0;
  RecordSender sender(Stub(),
                      {.patience = std::chrono::minutes(10),
                       .first_pause = milliseconds(1),
                       .trying_again = [&](const grpc::Status&) { ++told; }});
  ingest_.FailNext(grpc::StatusCode::UNAVAILABLE, 3);
  ingest_.FailNext(grpc::StatusCode::RESOURCE_EXHAUSTED, 2);
  EXPECT_TRUE(sender.Send(0, Batch(0, 1, {"a"})));
  ASSERT_TRUE(sender.Finish().ok());
  EXPECT_THAT(ingest_.taken("t0"), ElementsAre("a"));
  EXPECT_EQ(ingest_.calls(), 6);
  EXPECT_EQ(told, 1);
}

TEST_F(RecordSenderTest, GivesUpInTheEndAndSaysHowFarItCame) {
  RecordSender sender(Stub(), {.patience = milliseconds(0)});
  EXPECT_TRUE(sender.Send(0, Batch(0, 1, {"a", "b"})));
  while (sender.written() < 2) {
    EXPECT_TRUE(sender.Send(0, PublishBatch()));  // waits for room
  }
  ingest_.FailNext(grpc::StatusCode::UNAVAILABLE, 1);
  while (sender.Send(0, Batch(0, 3, {"c"}))) {
  }
  EXPECT_EQ(sender.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(sender.written(), 2);
  EXPECT_THAT(sender.settled(), ElementsAre(Pair(0, 2)));
}

TEST_F(RecordSenderTest, WhatIsWrongForAllIsNotTriedAgain) {
  RecordSender sender(Stub(), {.patience = std::chrono::minutes(10)});
  ingest_.FailNext(grpc::StatusCode::FAILED_PRECONDITION, 1);
  sender.Send(0, Batch(0, 1, {"a"}));
  EXPECT_EQ(sender.Finish().error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ingest_.calls(), 1);
}

TEST(PublishBatchTest, MergesWhatFits) {
  PublishBatch one;
  PublishBatch two;
  for (int i = 0; i < PublishBatch::kRecords / 2; ++i) {
    one.Add("t", "k", "v", {0, i});
    two.Add("t", "k", "v", {1, i});
  }
  PublishBatch three = two;
  EXPECT_TRUE(one.Merge(&two));
  EXPECT_TRUE(one.full());
  EXPECT_EQ(one.origin(PublishBatch::kRecords - 1).source, 1);
  EXPECT_FALSE(one.Merge(&three));
  EXPECT_EQ(one.size(), PublishBatch::kRecords);
}

}  // namespace
}  // namespace windproof
