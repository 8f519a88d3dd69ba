#include "services/window_hash/testing/module_run.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/pipeline/spec.h"
#include "common/proto/convert.h"
#include "services/window_hash/testing/worker_run.h"

namespace windproof {
namespace {

std::unique_ptr<grpc::Server> Serve(grpc::Service* service) {
  grpc::ServerBuilder builder;
  builder.RegisterService(service);
  return builder.BuildAndStart();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModuleRun>> ModuleRun::Open(
    WindowHashModule::Options options, bool anchor_away) {
  auto running = std::unique_ptr<ModuleRun>(new ModuleRun);
  running->anchor_.away = anchor_away;
  if (!options.read_only) {
    running->anchor_server_ = Serve(&running->anchor_);
    options.anchor = running->anchor_server_->InProcessChannel({});
    options.signer_name = TestSigner().name;
    options.signer_key = TestSigner().key;
  }
  absl::StatusOr<std::unique_ptr<WindowHashModule>> module =
      WindowHashModule::Open(std::move(options));
  if (!module.ok()) return module.status();
  running->module_ = *std::move(module);
  const absl::Status started = running->module_->Start();
  if (!started.ok()) return started;
  running->server_ = Serve(running->module_->service());
  running->stub_ =
      v1::WindowHashService::NewStub(running->server_->InProcessChannel({}));
  return running;
}

ModuleRun::~ModuleRun() {
  if (module_ == nullptr || server_ == nullptr) return;
  module_->StopIntake();
  server_->Shutdown();
  module_->Shutdown(std::chrono::steady_clock::now() +
                    std::chrono::seconds(30));
}

v1::GetProgressResponse ModuleRun::Progress() {
  v1::GetProgressRequest request;
  v1::GetProgressResponse response;
  grpc::ClientContext context;
  EXPECT_TRUE(stub_->GetProgress(&context, request, &response).ok());
  return response;
}

v1::GetProgressResponse ModuleRun::WaitUntilDone(int partitions) {
  while (true) {
    v1::GetProgressResponse progress = Progress();
    int done = 0;
    bool waiting = false;
    for (const v1::PipelineProgress& pipeline : progress.pipelines()) {
      waiting = waiting || pipeline.outbox() > 0;
      for (const v1::PartitionProgress& partition : pipeline.partitions()) {
        done += partition.position() == partition.log_end() ||
                !partition.error().empty();
      }
    }
    if (done == partitions && !waiting) return progress;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

grpc::Status ModuleRun::Get(const std::string& key, int64_t start_ms,
                            v1::Window* window) {
  v1::GetWindowRequest request;
  *request.mutable_window() = MakeWindowId("weather", key, start_ms);
  grpc::ClientContext context;
  return stub_->GetWindow(&context, request, window);
}

grpc::Status ModuleRun::List(const v1::ListWindowsRequest& request,
                             v1::ListWindowsResponse* response) {
  grpc::ClientContext context;
  return stub_->ListWindows(&context, request, response);
}

std::vector<v1::Window> ModuleRun::ListAll(v1::ListWindowsRequest request) {
  std::vector<v1::Window> windows;
  do {
    v1::ListWindowsResponse response;
    const grpc::Status status = List(request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    if (!status.ok()) break;
    for (const v1::Window& window : response.windows()) {
      windows.push_back(window);
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return windows;
}

ModuleTest::ModuleTest() : dir_(NewTestDir("module")) {
  options_.store_path = dir_ + "/window_hash";
  options_.pipelines = {*BuiltInSpec("weather")};
  log_ = OpenLog("log");
  options_.log = log_.get();
}

std::unique_ptr<EmbeddedLog> ModuleTest::OpenLog(const std::string& name) {
  auto log = EmbeddedLog::Open({.path = dir_ + "/" + name});
  EXPECT_TRUE(log.ok()) << log.status();
  return *std::move(log);
}

void ModuleTest::Append(RecordLog& log, const std::string& topic,
                        const std::vector<OwnedRecord>& records) {
  std::vector<NewRecord> batch;
  for (const OwnedRecord& record : records) {
    NewRecord& entry = batch.emplace_back();
    entry.topic = topic;
    entry.key = record.key;
    entry.value = record.value;
    entry.log_time_ms = record.log_time_ms;
    for (const auto& [name, value] : record.headers) {
      entry.headers.emplace_back(name, value.value_or(""));
    }
  }
  const auto appended = log.Append(batch);
  ASSERT_TRUE(appended.ok()) << appended.status();
}

void ModuleTest::AppendStations(int windows) {
  for (const std::string key : {"00427", "00433"}) {
    Append(*log_, "weather." + key, WeatherLog({key}, windows));
  }
}

std::unique_ptr<ModuleRun> ModuleTest::Open() {
  auto running = ModuleRun::Open(options_);
  EXPECT_TRUE(running.ok()) << running.status();
  return running.ok() ? *std::move(running) : nullptr;
}

}  // namespace windproof
