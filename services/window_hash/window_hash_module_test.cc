// The module over what its stores and its log have become: damaged, stopped,
// restarted, replaced.
#include "services/window_hash/window_hash_module.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/crypto/sha256.h"
#include "common/pipeline/spec.h"
#include "common/proto/convert.h"
#include "services/window_hash/payload_store.h"
#include "services/window_hash/store_keys.h"
#include "services/window_hash/testing/faulty_log.h"
#include "services/window_hash/testing/module_run.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

using WindowHashModuleTest = ModuleTest;

TEST_F(WindowHashModuleTest, ALogThatIsAwayAtTheStartIsWaitedFor) {
  AppendStations(2);
  FaultyLog log(*log_);
  log.SetAway(true);
  options_.log = &log;
  const auto running = Open();
  ASSERT_NE(running, nullptr);
  EXPECT_TRUE(absl::IsUnavailable(running->module().Ready()));
  EXPECT_EQ(running->Progress().pipelines(0).partitions_size(), 0);
  log.SetAway(false);
  running->WaitUntilDone(2);
  while (!running->module().Ready().ok()) std::this_thread::yield();
}

TEST_F(WindowHashModuleTest, ALogThatIsAwayIsNotAskedForItsEnds) {
  AppendStations(2);
  FaultyLog log(*log_);
  options_.log = &log;
  const auto running = Open();
  ASSERT_NE(running, nullptr);
  running->WaitUntilDone(2);
  log.SetAway(true);
  const int64_t questions = log.questions();
  const v1::GetProgressResponse progress = running->Progress();
  running->module().Metrics();
  EXPECT_EQ(log.questions(), questions);
  ASSERT_EQ(progress.pipelines(0).partitions_size(), 2);
  EXPECT_EQ(progress.pipelines(0).partitions(0).log_end(), 13);
}

TEST_F(WindowHashModuleTest, GarbageInTheStoreIsDataLossAndNoCrash) {
  AppendStations(3);
  Open()->WaitUntilDone(2);
  const auto key = [](int64_t start_ms) {
    return EncodeWindowKey({.pipeline = "weather",
                            .key = "00433",
                            .start_ms = start_ms,
                            .revision = 0,
                            .source = {"weather.00433", 0}});
  };
  {
    auto store = PayloadStore::Open({.path = options_.store_path});
    ASSERT_TRUE(store.ok()) << store.status();
    Database& database = (*store)->database();
    const auto put = [&](Family family, const std::string& name,
                         const std::string& value) {
      ASSERT_TRUE(database.db()
                      .Put(rocksdb::WriteOptions(), database.family(family),
                           name, value)
                      .ok());
    };
    put(Family::kCheckpoints, key(kStartMs), "\xff\xff");
    put(Family::kPayloads, key(kStartMs + kHourMs), "\xff\xff");
    // Keys that are none.
    put(Family::kCheckpoints, KeyPrefix("weather", "00433"), "x");
    put(Family::kCheckpoints, KeyPrefix("weather", "00433") + "zzz", "x");
    put(Family::kDropped, KeyPrefix("weather", "00433") + "zzz", "x");
    put(Family::kDropped,
        EncodeKeyedNumber({"weather", {"weather.00433", 0}}, "00433",
                          std::numeric_limits<int64_t>::max()),
        "\xff\xff");
  }
  for (const bool read_only : {true, false}) {
    options_.read_only = read_only;
    const auto running = Open();
    v1::Window window;
    EXPECT_EQ(running->Get("00433", kStartMs, &window).error_code(),
              grpc::StatusCode::DATA_LOSS);
    EXPECT_TRUE(running->Get("00433", kStartMs + kHourMs, &window).ok());
    v1::GetWindowPayloadRequest request;
    *request.mutable_window() = window.id();
    grpc::ClientContext context;
    const auto reader = running->stub().GetWindowPayload(&context, request);
    v1::GetWindowPayloadResponse chunk;
    while (reader->Read(&chunk)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DATA_LOSS);

    v1::ListWindowsRequest list;
    list.set_pipeline("weather");
    list.set_key("00433");
    list.set_include_payload(true);
    const std::vector<v1::Window> windows = running->ListAll(list);
    ASSERT_EQ(windows.size(), 3u);
    EXPECT_FALSE(windows[0].has_checkpoint());
    EXPECT_TRUE(windows[1].has_checkpoint());
    EXPECT_FALSE(windows[1].has_payload());
    EXPECT_TRUE(windows[2].has_payload());

    v1::ListDroppedRecordsRequest drops;
    drops.set_pipeline("weather");
    drops.set_key("00433");
    drops.set_offset_begin(1);
    drops.set_offset_end(std::numeric_limits<int64_t>::max());
    v1::ListDroppedRecordsResponse dropped;
    grpc::ClientContext drop_context;
    EXPECT_TRUE(running->stub()
                    .ListDroppedRecords(&drop_context, drops, &dropped)
                    .ok());
  }
}

TEST_F(WindowHashModuleTest, WhatIsDamagedInTheOutboxStopsItsPartition) {
  AppendStations(3);
  {
    const auto running = ModuleRun::Open(options_, /*anchor_away=*/true);
    ASSERT_TRUE(running.ok()) << running.status();
    while ((*running)->Progress().pipelines(0).outbox() < 6) {
      std::this_thread::yield();
    }
    while ((*running)->Progress().pipelines(0).outbox_error().empty()) {
      std::this_thread::yield();
    }
  }
  {
    auto store = PayloadStore::Open({.path = options_.store_path});
    ASSERT_TRUE(store.ok()) << store.status();
    const WindowKey window{.pipeline = "weather",
                           .key = "00433",
                           .start_ms = kStartMs + kHourMs,
                           .revision = 0,
                           .source = {"weather.00433", 0}};
    auto payload = (*store)->ReadPayload(window);
    ASSERT_TRUE(payload.ok());
    payload->mutable_records()->RemoveLast();
    ASSERT_TRUE((*store)->OverwritePayload(window, *payload).ok());
  }
  const auto running = Open();
  v1::GetProgressResponse progress = running->Progress();
  while (progress.pipelines(0).partitions(1).error().empty() ||
         progress.pipelines(0).outbox() > 2) {
    std::this_thread::yield();
    progress = running->Progress();
  }
  EXPECT_NE(progress.pipelines(0).partitions(1).error().find("records 5"),
            std::string::npos)
      << progress.pipelines(0).partitions(1).error();
  EXPECT_EQ(progress.pipelines(0).partitions(0).error(), "");
  EXPECT_EQ(progress.pipelines(0).outbox(), 2);  // of 00433: it and the next
  v1::Window window;
  ASSERT_TRUE(running->Get("00433", kStartMs, &window).ok());
  EXPECT_EQ(window.receipt().state(), v1::Receipt::ANCHORED);
  ASSERT_TRUE(running->Get("00433", kStartMs + kHourMs, &window).ok());
  EXPECT_EQ(window.receipt().state(), v1::Receipt::PENDING);
}

TEST_F(WindowHashModuleTest, OtherRulesUnderTheSameNameAreRefused) {
  Open().reset();
  const std::string before = HexOf(SpecHash(options_.pipelines[0]));
  options_.pipelines[0].grace_ms += 1;
  for (const bool read_only : {false, true}) {
    options_.read_only = read_only;
    const auto refused = ModuleRun::Open(options_);
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
    const std::string message(refused.status().message());
    EXPECT_NE(message.find(before), std::string::npos) << message;
    EXPECT_NE(message.find(HexOf(SpecHash(options_.pipelines[0]))),
              std::string::npos)
        << message;
  }
}

TEST_F(WindowHashModuleTest, AReadOnlyStoreMustBeThere) {
  options_.read_only = true;
  EXPECT_TRUE(absl::IsNotFound(ModuleRun::Open(options_).status()));
}

TEST_F(WindowHashModuleTest, AStoppedStoreKnowsItsPipelines) {
  AppendStations(2);
  Open()->WaitUntilDone(2);
  const auto files = [&] {
    std::map<std::string, std::pair<uintmax_t, int64_t>> found;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.store_path)) {
      found[entry.path().filename().string()] = {
          entry.file_size(),
          entry.last_write_time().time_since_epoch().count()};
    }
    return found;
  };
  const auto before = files();
  options_.read_only = true;
  options_.pipelines.clear();
  options_.log = nullptr;
  auto running = Open();
  const v1::GetProgressResponse progress = running->Progress();
  ASSERT_EQ(progress.pipelines_size(), 1);
  EXPECT_EQ(progress.pipelines(0).name(), "weather");
  EXPECT_EQ(progress.pipelines(0).checkpoints(), 4);
  v1::ListWindowsRequest request;
  request.set_pipeline("weather");
  EXPECT_EQ(running->ListAll(request).size(), 4u);
  running.reset();
  EXPECT_EQ(files(), before);
}

TEST_F(WindowHashModuleTest, PipelinesOfTheSameTopicShareNothing) {
  PipelineSpec daily = *BuiltInSpec("weather-hourly");
  options_.pipelines.push_back(daily);
  AppendStations(48);
  auto running = Open();
  running->WaitUntilDone(4);
  for (const auto& [pipeline, windows] :
       std::map<std::string, size_t>{{"weather", 96}, {"weather-hourly", 4}}) {
    v1::ListWindowsRequest request;
    request.set_pipeline(pipeline);
    EXPECT_EQ(running->ListAll(request).size(), windows) << pipeline;
  }
  // One that comes later reads from the beginning, the others go on.
  running.reset();
  daily.name = "later";
  options_.pipelines.push_back(daily);
  running = Open();
  const v1::GetProgressResponse progress = running->WaitUntilDone(6);
  EXPECT_EQ(progress.pipelines(0).checkpoints(), 96);
  EXPECT_EQ(progress.pipelines(2).checkpoints(), 4);
}

TEST_F(WindowHashModuleTest, FindsTopicsThatComeLater) {
  const auto running = Open();
  EXPECT_EQ(running->Progress().pipelines(0).partitions_size(), 0);
  AppendStations(2);
  const v1::GetProgressResponse progress = running->WaitUntilDone(2);
  EXPECT_EQ(progress.pipelines(0).checkpoints(), 4);
}

TEST_F(WindowHashModuleTest, GoesOnAfterARestart) {
  const std::vector<OwnedRecord> records = WeatherLog({"00433"}, 4);
  for (size_t begin = 0; begin < records.size(); begin += 5) {
    const size_t end = std::min(records.size(), begin + 5);
    Append(*log_, "weather.00433",
           {records.begin() + begin, records.begin() + end});
    Open()->WaitUntilDone(1);
  }
  Append(*log_, "weather.00427", records);  // the same, under another topic
  const auto running = Open();
  running->WaitUntilDone(2);
  EXPECT_EQ(running->Progress().pipelines(0).checkpoints(), 8);
}

TEST_F(WindowHashModuleTest, ATruncatedOrNewLogStopsItsPartition) {
  AppendStations(3);
  Open()->WaitUntilDone(2);
  // 00433 is there, but shorter; 00427 is not there at all.
  std::vector<OwnedRecord> records = WeatherLog({"00433"}, 3);
  records.resize(10);
  log_ = OpenLog("other-log");
  options_.log = log_.get();
  Append(*log_, "weather.00433", records);
  std::vector<std::string> warnings;  // all from Start()
  options_.warn = [&](absl::string_view line) { warnings.emplace_back(line); };
  {
    const auto running = Open();
    ASSERT_EQ(warnings.size(), 2u);
    EXPECT_NE(warnings[1].find("weather.00433/0"), std::string::npos)
        << warnings[1];
    const v1::GetProgressResponse progress = running->WaitUntilDone(2);
    const auto& partitions = progress.pipelines(0).partitions();
    EXPECT_NE(partitions[0].error().find("no such partition"),
              std::string::npos)
        << partitions[0].error();
    EXPECT_NE(partitions[1].error().find("ends at offset 10"),
              std::string::npos)
        << partitions[1].error();
    EXPECT_NE(partitions[1].error().find("up to offset 19"), std::string::npos)
        << partitions[1].error();
    // What was written before can still be asked for.
    v1::ListWindowsRequest request;
    request.set_pipeline("weather");
    EXPECT_EQ(running->ListAll(request).size(), 6u);
  }
  options_.warn = nullptr;
  // As long as before, but with another record at the last offset.
  records = WeatherLog({"00433"}, 4);
  Append(*log_, "weather.00433", {records.begin() + 10, records.begin() + 20});
  const auto running = Open();
  const v1::GetProgressResponse progress = running->WaitUntilDone(2);
  const std::string error = progress.pipelines(0).partitions(1).error();
  EXPECT_NE(error.find("another record at offset 18"), std::string::npos)
      << error;
}

TEST_F(WindowHashModuleTest, ATopicThatIsNoLongerAskedForSaysSo) {
  AppendStations(2);
  Open()->WaitUntilDone(2);
  options_.pipelines[0].topics = {"weather.00433"};
  const auto running = Open();
  const v1::GetProgressResponse progress = running->WaitUntilDone(2);
  const auto& partitions = progress.pipelines(0).partitions();
  EXPECT_NE(partitions[0].error().find("no topic of the pipeline"),
            std::string::npos);
  EXPECT_EQ(partitions[1].error(), "");
}

}  // namespace
}  // namespace windproof
