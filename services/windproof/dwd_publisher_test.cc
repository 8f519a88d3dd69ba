#include "services/windproof/dwd_publisher.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/pipeline/spec.h"
#include "common/sync/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kNoonS = 1'769'342'400;  // 2026-01-25T12:00:00Z
constexpr int64_t kHourS = 3600;

// Takes all records until it is told to fail.
class FakeIngest final : public v1::IngestService::Service {
 public:
  grpc::Status PublishRecords(grpc::ServerContext*,
                              const v1::PublishRecordsRequest* request,
                              v1::PublishRecordsResponse* response) override {
    MutexLock lock(mutex_);
    if (room_ < request->records_size()) {
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "full");
    }
    room_ -= request->records_size();
    for (const v1::Record& record : request->records()) {
      response->add_records()->set_topic(record.topic());
    }
    return grpc::Status::OK;
  }

  grpc::Status AdvanceWatermark(
      grpc::ServerContext*, const v1::AdvanceWatermarkRequest* request,
      v1::AdvanceWatermarkResponse* response) override {
    MutexLock lock(mutex_);
    watermarks_[request->topic()] = request->watermark().seconds();
    response->mutable_record()->set_topic(request->topic());
    response->mutable_record()->set_offset(99);
    return grpc::Status::OK;
  }

  void SetRoom(int64_t room) {
    MutexLock lock(mutex_);
    room_ = room;
  }
  std::map<std::string, int64_t> watermarks() {
    MutexLock lock(mutex_);
    return watermarks_;
  }

 private:
  Mutex mutex_;
  int64_t room_ ABSL_GUARDED_BY(mutex_) = 1'000'000;
  std::map<std::string, int64_t> watermarks_ ABSL_GUARDED_BY(mutex_);
};

// Two pipelines that read the stations: hourly windows and windows of a day.
class FakeWindowHash final : public v1::WindowHashService::Service {
 public:
  grpc::Status GetProgress(grpc::ServerContext*,
                           const v1::GetProgressRequest* request,
                           v1::GetProgressResponse* response) override {
    for (const char* name : {"weather", "weather-hourly"}) {
      if (!request->pipeline().empty() && request->pipeline() != name) continue;
      v1::PipelineProgress* pipeline = response->add_pipelines();
      pipeline->set_name(name);
      pipeline->set_canonical_spec(CanonicalSpec(*BuiltInSpec(name)));
      for (const char* topic : {"weather.00427", "weather.00433"}) {
        pipeline->add_partitions()->set_topic(topic);
      }
    }
    return grpc::Status::OK;
  }
};

DwdStation Station(int32_t number, int hours) {
  DwdStation station(number);
  for (int i = 0; i < hours; ++i) {
    DwdRow row;
    row.station = number;
    row.time_s = kNoonS + i * kHourS;
    row.values[0] = "1.5";
    station.Add(row);
  }
  station.Sort();
  return station;
}

class DwdPublisherTest : public testing::Test {
 protected:
  DwdPublisherTest()
      : server_(grpc::ServerBuilder()
                    .RegisterService(&ingest_)
                    .RegisterService(&window_hash_)
                    .BuildAndStart()) {
    servers_.Use(server_->InProcessChannel({}));
  }

  DwdPublisher Publisher() {
    return DwdPublisher(
        servers_, [this](const std::string& line) { told_.push_back(line); },
        std::chrono::milliseconds(0));
  }

  FakeIngest ingest_;
  FakeWindowHash window_hash_;
  const std::unique_ptr<grpc::Server> server_;
  Servers servers_;
  std::vector<std::string> told_;
};

TEST_F(DwdPublisherTest, CompletesEachStationWhereItsLastWindowCloses) {
  std::vector<DwdStation> stations;
  stations.push_back(Station(427, 3));
  stations.push_back(Station(433, 30));
  DwdPublisher publisher = Publisher();
  ASSERT_TRUE(publisher.Publish(stations).ok());
  EXPECT_EQ(publisher.written(), 33);
  EXPECT_EQ(publisher.next(), "");

  // Hourly windows with 20 minutes of grace: 14:00 closes at 15:20.
  ASSERT_TRUE(publisher.Complete("weather").ok());
  EXPECT_EQ(ingest_.watermarks()["weather.00427"], kNoonS + 3 * kHourS + 1200);
  EXPECT_EQ(publisher.completed(), 2);

  // Of all pipelines the day's window closes last, two hours after midnight.
  ASSERT_TRUE(publisher.Complete("").ok());
  EXPECT_EQ(ingest_.watermarks()["weather.00427"],
            kNoonS + 12 * kHourS + 2 * kHourS);
  EXPECT_EQ(ingest_.watermarks()["weather.00433"],
            kNoonS + 36 * kHourS + 2 * kHourS);
  const LogEnds& ends = publisher.log_ends();
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends.begin()->second, 100);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(DwdPublisherTest, AFailureNamesTheNextRows) {
  std::vector<DwdStation> stations;
  stations.push_back(Station(427, 3));
  stations.push_back(Station(433, 5));
  ingest_.SetRoom(3);
  DwdPublisher publisher = Publisher();
  const CallOutcome outcome = publisher.Publish(stations);
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.service, "ingest");
  EXPECT_THAT(publisher.next(), HasSubstr("station 00433 at 2026-01-25T12:00"));
}

}  // namespace
}  // namespace windproof
