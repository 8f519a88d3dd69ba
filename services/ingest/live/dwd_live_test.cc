// The live source whole: threads, libcurl, RocksDB, against a real server on
// loopback. What it decides is tested in live_poller_test.

#include "services/ingest/live/dwd_live.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/sync/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ingest/live/live_product.h"
#include "services/ingest/live/testing/dwd_files.h"
#include "services/ingest/live/testing/dwd_server.h"

namespace windproof {
namespace {

using ::testing::HasSubstr;

class CountingSink final : public LiveSink {
 public:
  absl::StatusOr<std::vector<LiveRefusal>> Append(
      std::vector<NewRecord> records) override {
    MutexLock lock(mutex_);
    for (NewRecord& record : records) {
      records_[record.topic].push_back(*std::move(record.value));
    }
    changed_.NotifyAll();
    return std::vector<LiveRefusal>();
  }

  // False after a minute without that many.
  bool WaitFor(const std::string& topic, size_t count) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::minutes(1);
    MutexLock lock(mutex_);
    while (records_[topic].size() < count) {
      if (!changed_.WaitUntil(mutex_, deadline)) return false;
    }
    return records_[topic].size() == count;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, std::vector<std::string>> records_
      ABSL_GUARDED_BY(mutex_);
};

class DwdLiveTest : public ::testing::Test {
 protected:
  DwdLiveTest() {
    options_.base_url = server_.base_url();
    options_.stations = {"00433"};
    options_.poll_ms = 10;
    options_.state_watermarks = false;
    options_.backoff = {.first_ms = 10, .max_ms = 40};
    options_.http.timeout_ms = 60'000;
    options_.store_path = absl::StrCat(
        ::testing::TempDir(), "/dwd_live_",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
  }

  std::unique_ptr<DwdLive> Start() {
    auto live = DwdLive::Open(options_, {*BuiltInSpec("weather")}, sink_);
    EXPECT_TRUE(live.ok()) << live.status();
    if (!live.ok()) return nullptr;
    (*live)->Start();
    return *std::move(live);
  }

  std::string Refusal() {
    const auto live = DwdLive::Open(options_, {*BuiltInSpec("weather")}, sink_);
    EXPECT_TRUE(absl::IsInvalidArgument(live.status())) << live.status();
    return std::string(live.status().message());
  }

  std::string Url(const std::string& station, LiveFileKind kind) {
    for (const LiveFile& file :
         LiveFilesOf(server_.base_url(), DwdCadence::kTenMinutes, station)) {
      if (file.kind == kind) return file.url;
    }
    return "";
  }

  void Serve(const std::string& station, const std::string& zip,
             const std::string& etag) {
    server_.SetUrl(Url(station, LiveFileKind::kNow),
                   {.body = zip, .etag = etag});
  }

  static double Value(const std::vector<Metric>& metrics,
                      const std::string& name, const std::string& label = "",
                      const std::string& value = "") {
    double sum = 0;
    bool found = false;
    for (const Metric& metric : metrics) {
      if (metric.name != name) continue;
      for (const auto& [one, is] : metric.labels) {
        if (!label.empty() && (one != label || is != value)) continue;
        sum += metric.value;
        found = true;
        break;
      }
    }
    EXPECT_TRUE(found) << name << " " << label << "=" << value;
    return sum;
  }

  DwdServer server_;
  CountingSink sink_;
  DwdLiveOptions options_;
};

TEST_F(DwdLiveTest, FollowsStationsThroughFaults) {
  options_.stations = {"00427", "00433"};
  Serve("00427", TenMinuteZip("427", TestRows(0, 30)), "\"1\"");
  Serve("00433", TenMinuteZip("433", TestRows(0, 30)), "\"1\"");
  const std::unique_ptr<DwdLive> live = Start();
  ASSERT_NE(live, nullptr);
  EXPECT_TRUE(sink_.WaitFor("weather.00427", 3));
  EXPECT_TRUE(sink_.WaitFor("weather.00433", 3));

  const std::string url = Url("00433", LiveFileKind::kNow);
  const std::string zip = TenMinuteZip("433", TestRows(0, 60));
  const std::vector<DwdAnswer> faults = {
      {.status = 503, .body = "busy"},
      {.body = zip.substr(0, zip.size() / 2), .etag = "\"cut\""},
      {.body = zip, .etag = "\"broken\"", .breaks_off = true},
  };
  for (const DwdAnswer& fault : faults) {
    server_.SetUrl(url, fault);
    server_.Mark();
    ASSERT_TRUE(server_.WaitForRequests(url, 2));
  }
  server_.Stop();
  Serve("00433", zip, "\"2\"");
  server_.Restart();
  EXPECT_TRUE(sink_.WaitFor("weather.00433", 6));
  EXPECT_TRUE(sink_.WaitFor("weather.00427", 3));

  // Twice more, so that what came before is counted.
  server_.Mark();
  ASSERT_TRUE(server_.WaitForRequests(url, 2));
  const std::vector<Metric> metrics = live->Metrics();
  EXPECT_EQ(
      Value(metrics, "windproof_dwd_live_rows_sent_total", "station", "00433"),
      6);
  EXPECT_EQ(
      Value(metrics, "windproof_dwd_live_last_row_seconds", "station", "00433"),
      kTestDay + 50 * 60);
  for (const char* const kind : {"http", "content", "connect", "not_found"}) {
    EXPECT_GE(Value(metrics, "windproof_dwd_live_errors_total", "kind", kind),
              1)
        << kind;
  }
  EXPECT_GE(
      Value(metrics, "windproof_dwd_live_answers_total", "result", "unchanged"),
      1);
  EXPECT_GT(Value(metrics, "windproof_dwd_live_silent_seconds"), 0);
  EXPECT_GT(Value(metrics, "windproof_dwd_live_last_success_seconds"), 0);
}

TEST_F(DwdLiveTest, GoesOnWhereItWasAfterARestart) {
  Serve("00433", TenMinuteZip("433", TestRows(0, 30)), "\"1\"");
  {
    const std::unique_ptr<DwdLive> live = Start();
    ASSERT_NE(live, nullptr);
    ASSERT_TRUE(sink_.WaitFor("weather.00433", 3));
    const std::string url = Url("00433", LiveFileKind::kNow);
    server_.Mark();
    ASSERT_TRUE(server_.WaitForRequests(url, 1));
  }
  Serve("00433", TenMinuteZip("433", TestRows(0, 60)), "\"2\"");
  const std::unique_ptr<DwdLive> live = Start();
  ASSERT_NE(live, nullptr);
  EXPECT_TRUE(sink_.WaitFor("weather.00433", 6));
}

TEST_F(DwdLiveTest, StopEndsATransferThatIsOn) {
  options_.http.timeout_ms = 3'600'000;
  const std::string url = Url("00433", LiveFileKind::kRecent);
  server_.SetUrl(url, {.body = std::string(1'000, 'x'), .stalls = true});
  const std::unique_ptr<DwdLive> live = Start();
  ASSERT_NE(live, nullptr);
  ASSERT_TRUE(server_.WaitForRequests(url, 1));
  live->Stop();
  live->Join();  // else it would take an hour
}

TEST_F(DwdLiveTest, StopEndsAWait) {
  options_.poll_ms = 86'400'000;
  const std::unique_ptr<DwdLive> live = Start();
  ASSERT_NE(live, nullptr);
  ASSERT_TRUE(server_.WaitForRequests(Url("00433", LiveFileKind::kNow), 1));
  live->Stop();
  live->Join();
}

TEST_F(DwdLiveTest, WhatCannotWorkIsRefused) {
  options_.stations = {"00433", "00427"};
  PipelineSpec other = *BuiltInSpec("weather");
  other.topics = {"weather.00433"};
  const auto live = DwdLive::Open(options_, {other}, sink_);
  ASSERT_TRUE(absl::IsInvalidArgument(live.status()));
  EXPECT_THAT(std::string(live.status().message()),
              HasSubstr("00427: its topic is weather.00427, which no pipeline "
                        "reads"));

  options_.stations.clear();
  for (int i = 0; i < 201; ++i) {
    options_.stations.push_back(absl::StrCat(10'000 + i));
  }
  EXPECT_THAT(Refusal(), HasSubstr("201 stations"));
}

TEST_F(DwdLiveTest, HourlyFollowsThePipeline) {
  server_.SetUrl(
      LiveFilesOf(server_.base_url(), DwdCadence::kHourly, "00433")[0].url,
      {.body = HourlyZip("433", {{0, "1.0"}, {60, "2.0"}}), .etag = "\"1\""});
  auto live = DwdLive::Open(options_, {*BuiltInSpec("weather-hourly")}, sink_);
  ASSERT_TRUE(live.ok()) << live.status();
  (*live)->Start();
  EXPECT_TRUE(sink_.WaitFor("weather.00433", 2));
}

}  // namespace
}  // namespace windproof
