// A server's life, each in a process of its own.

#include "common/server/run_server.h"

#include <signal.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"

namespace windproof {
namespace {

// Sends the process SIGTERM while it starts, and again while it shuts down if
// told to.
class SignallingModule : public ServiceModule {
 public:
  explicit SignallingModule(bool twice) : twice_(twice) {}

  grpc::Service* service() override { return &service_; }
  absl::string_view full_name() const override {
    return "windproof.v1.IngestService";
  }
  absl::Status Start() override {
    raise(SIGTERM);
    return absl::OkStatus();
  }
  absl::Status Ready() override { return absl::OkStatus(); }
  std::vector<Metric> Metrics() override { return {}; }
  void StopIntake() override {}
  void Shutdown(std::chrono::steady_clock::time_point) override {
    if (twice_) raise(SIGTERM);
  }

 private:
  const bool twice_;
  v1::IngestService::Service service_;
};

// Cannot go on from its start.
class LostModule final : public SignallingModule {
 public:
  LostModule() : SignallingModule(false) {}

  absl::Status Start() override { return absl::OkStatus(); }
  absl::Status Fatal() override {
    return absl::FailedPreconditionError("another has its name");
  }
  void Shutdown(std::chrono::steady_clock::time_point) override {
    LogInfo("shut down");
  }
};

ServerFlags FlagsFor(const std::string& listen) {
  ServerFlags flags;
  flags.listen = listen;
  return flags;
}

int Serve(const std::string& listen, bool twice) {
  PrepareProcess();
  KeepShutdownSignals();
  SignallingModule module(twice);
  return RunServer(FlagsFor(listen), {&module});
}

class RunServerTest : public testing::Test {
 protected:
  RunServerTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(RunServerTest, ASignalDuringTheStartEndsItInOrder) {
  EXPECT_EXIT(std::exit(Serve("127.0.0.1:0", /*twice=*/false)),
              testing::ExitedWithCode(0), "serving.*\n.*ended");
}

TEST_F(RunServerTest, ASecondSignalEndsItAtOnce) {
  EXPECT_EXIT(std::exit(Serve("127.0.0.1:0", /*twice=*/true)),
              testing::KilledBySignal(SIGTERM), "shutting down");
}

TEST_F(RunServerTest, AModuleThatCannotGoOnEndsItInOrder) {
  const auto serve = [] {
    PrepareProcess();
    KeepShutdownSignals();
    LostModule module;
    bool told = false;
    const int code = RunServer(
        FlagsFor("127.0.0.1:0"), {&module},
        [&told](std::chrono::steady_clock::time_point) { told = true; });
    return told ? code : -1;
  };
  EXPECT_EXIT(std::exit(serve()), testing::ExitedWithCode(1),
              "cannot go on.*another has its name.*\n.*shut down.*\n.*ended");
}

TEST_F(RunServerTest, AnAddressThatIsNoneIsWrongUse) {
  EXPECT_EXIT(std::exit(Serve("here", /*twice=*/false)),
              testing::ExitedWithCode(2), "is not HOST:PORT");
}

TEST_F(RunServerTest, AddressesAreCheckedBeforeAnythingIsOpened) {
  ServerFlags flags = FlagsFor("127.0.0.1:0");
  EXPECT_TRUE(flags.Check().ok());
  flags.http_listen = "here";
  EXPECT_EQ(flags.Check().message().substr(0, 14), "--http-listen:");
  flags.listen = "";
  EXPECT_EQ(flags.Check().message().substr(0, 9), "--listen:");
}

TEST_F(RunServerTest, ExitCodesTellWrongUseFromDamageAndAbsence) {
  EXPECT_EQ(ReportStartFailure(absl::InvalidArgumentError("x")), kExitUsage);
  EXPECT_EQ(ReportStartFailure(absl::FailedPreconditionError("x")), kExitUsage);
  EXPECT_EQ(ReportStartFailure(absl::NotFoundError("x")), kExitUsage);
  EXPECT_EQ(ReportStartFailure(absl::DataLossError("x")), kExitFound);
  EXPECT_EQ(ReportStartFailure(absl::UnavailableError("x")), kExitUnavailable);
}

}  // namespace
}  // namespace windproof
