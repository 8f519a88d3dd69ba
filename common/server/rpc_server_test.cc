#include "common/server/rpc_server.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "common/server/run_server.h"
#include "gtest/gtest.h"
#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"

namespace windproof {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using std::chrono::steady_clock;

// AdvanceWatermark waits until the test lets it go; everything else is not
// implemented.
class WaitingService : public v1::IngestService::Service {
 public:
  grpc::Status AdvanceWatermark(grpc::ServerContext*,
                                const v1::AdvanceWatermarkRequest*,
                                v1::AdvanceWatermarkResponse*) override {
    entered.set_value();
    go_on.get_future().wait();
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "done");
  }

  std::promise<void> entered;
  std::promise<void> go_on;
};

class FakeModule : public ServiceModule {
 public:
  explicit FakeModule(std::vector<std::string>* events) : events_(events) {}

  grpc::Service* service() override { return &waiting; }
  absl::string_view full_name() const override {
    return "windproof.v1.IngestService";
  }
  absl::Status Start() override {
    events_->push_back("start");
    return start;
  }
  absl::Status Ready() override {
    const MutexLock lock(mutex_);
    return ready_;
  }
  std::vector<Metric> Metrics() override { return {}; }
  void StopIntake() override { events_->push_back("stop intake"); }
  void Shutdown(steady_clock::time_point) override {
    events_->push_back("shutdown");
  }

  void SetReady(absl::Status ready) {
    const MutexLock lock(mutex_);
    ready_ = std::move(ready);
  }

  WaitingService waiting;
  absl::Status start;

 private:
  std::vector<std::string>* const events_;
  Mutex mutex_;
  absl::Status ready_ ABSL_GUARDED_BY(mutex_);
};

class RpcServerTest : public testing::Test {
 protected:
  std::unique_ptr<RpcServer> StartServer(const std::string& listen) {
    auto server =
        RpcServer::Start({.listen = listen,
                          .modules = {&module_},
                          .ready_interval = std::chrono::milliseconds(1)});
    EXPECT_TRUE(server.ok()) << server.status();
    return *std::move(server);
  }

  std::vector<std::string> events_;
  FakeModule module_{&events_};
};

TEST_F(RpcServerTest, AnswersAtItsPortAndWithinTheProcess) {
  const auto server = StartServer("127.0.0.1:0");
  EXPECT_FALSE(absl::EndsWith(server->address(), ":0")) << server->address();
  for (const auto& channel :
       {server->Channel(), RpcServer::ChannelTo(server->address())}) {
    grpc::ClientContext context;
    v1::PublishRecordsResponse response;
    EXPECT_EQ(v1::IngestService::NewStub(channel)
                  ->PublishRecords(&context, {}, &response)
                  .error_code(),
              grpc::StatusCode::UNIMPLEMENTED);
  }
}

TEST_F(RpcServerTest, WithoutAnAddressItIsThereOnlyWithin) {
  const auto server = StartServer("");
  EXPECT_EQ(server->address(), "");
  grpc::ClientContext context;
  v1::PublishRecordsResponse response;
  EXPECT_EQ(v1::IngestService::NewStub(server->Channel())
                ->PublishRecords(&context, {}, &response)
                .error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(RpcServerTest, APortIsNotShared) {
  const auto server = StartServer("127.0.0.1:0");
  const absl::Status second =
      RpcServer::Start({.listen = server->address(), .modules = {&module_}})
          .status();
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
  EXPECT_TRUE(absl::StrContains(second.message(), server->address()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      RpcServer::Start({.listen = "7400", .modules = {}}).status()));
}

TEST_F(RpcServerTest, HealthFollowsReadinessUntilTheShutdown) {
  const auto server = StartServer("127.0.0.1:0");
  const auto health = Health::NewStub(RpcServer::ChannelTo(server->address()));
  grpc::ClientContext context;
  HealthCheckRequest request;
  request.set_service("windproof.v1.IngestService");
  const auto watch = health->Watch(&context, request);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  module_.SetReady(absl::UnavailableError("the log is away"));
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  module_.SetReady(absl::OkStatus());
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  server->StopServing();
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_TRUE(absl::IsUnavailable(server->Ready()));
}

TEST_F(RpcServerTest, AShutdownLetsACallEndThatIsOn) {
  const auto server = StartServer("127.0.0.1:0");
  const auto stub =
      v1::IngestService::NewStub(RpcServer::ChannelTo(server->address()));
  grpc::Status status;
  std::thread caller([&] {
    grpc::ClientContext context;
    v1::AdvanceWatermarkResponse response;
    status = stub->AdvanceWatermark(&context, {}, &response);
  });
  module_.waiting.entered.get_future().wait();
  EXPECT_EQ(server->stats().Get().active, 1);
  std::thread stopper([&] {
    StopServer(*server, {&module_},
               steady_clock::now() + std::chrono::minutes(10));
  });
  module_.waiting.go_on.set_value();
  caller.join();
  stopper.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(events_, (std::vector<std::string>{"stop intake", "shutdown"}));
}

TEST_F(RpcServerTest, CallsAreCountedByMethodAndCode) {
  const auto server = StartServer("127.0.0.1:0");
  const auto channel = RpcServer::ChannelTo(server->address());
  grpc::ClientContext context;
  v1::PublishRecordsResponse response;
  v1::IngestService::NewStub(channel)->PublishRecords(&context, {}, &response);
  grpc::ClientContext health_context;
  HealthCheckResponse health;
  Health::NewStub(channel)->Check(&health_context, {}, &health);
  server->Shutdown(steady_clock::now());  // then every call is counted

  const RpcStats::Snapshot stats = server->stats().Get();
  EXPECT_EQ(stats.active, 0);
  const std::string method = "/windproof.v1.IngestService/PublishRecords";
  const auto counted =
      stats.calls.find({method, grpc::StatusCode::UNIMPLEMENTED});
  ASSERT_NE(counted, stats.calls.end());
  EXPECT_EQ(counted->second, 1);
  EXPECT_EQ(stats.calls.count({"other", grpc::StatusCode::OK}), 1u);
}

TEST_F(RpcServerTest, ModulesThatStartedAreStoppedWhenOneCannot) {
  std::vector<std::string> other_events;
  FakeModule broken(&other_events);
  broken.start = absl::DataLossError("bytes are damaged");
  const absl::Status started = StartModules({&module_, &broken});
  EXPECT_TRUE(absl::IsDataLoss(started));
  EXPECT_EQ(started.message(), "windproof.v1.IngestService: bytes are damaged");
  EXPECT_EQ(events_,
            (std::vector<std::string>{"start", "stop intake", "shutdown"}));
  EXPECT_EQ(other_events, std::vector<std::string>{"start"});
}

}  // namespace
}  // namespace windproof
