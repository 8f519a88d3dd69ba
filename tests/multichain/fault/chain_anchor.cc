#include "tests/multichain/fault/chain_anchor.h"

#include <grpcpp/grpcpp.h>
#include <httplib.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "proto/grpc/health/v1/health.grpc.pb.h"
#include "tests/fault/fault_run.h"

namespace windproof {
namespace {

// The anchor answers these at once, whatever its node does.
constexpr std::chrono::seconds kCallTimeout{10};

}  // namespace

std::string ChainConfigFile(const ChainNode& node, const std::string& more) {
  const std::string path = FreshPath("multichain.properties");
  WriteContent(
      path, absl::StrCat("node.urls=", node.url(), "\nchain=wxchain\ngenesis=",
                         node.genesis(), "\nstream=", kStream,
                         "\ncreate-stream=true\naddress=", node.address(),
                         "\nuser=multichainrpc\npassword=password\n", more));
  return path;
}

ChainAnchor::ChainAnchor(const ChainNode& node, const std::string& more)
    : config_(ChainConfigFile(node, more)), dir_(FreshPath("anchor")) {
  Start();
}

void ChainAnchor::Begin() {
  if (process_ != nullptr) absl::StrAppend(&old_logs_, process_->err());
  process_ = std::make_unique<Process>(
      Binary("services/anchor/anchor"),
      std::vector<std::string>{"--data-dir", dir_, "--listen", address_,
                               "--http-listen", "127.0.0.1:0", "--ledger",
                               "multichain", "--multichain-config", config_});
}

void ChainAnchor::Start() {
  Begin();
  ASSERT_TRUE(process_->WaitReady()) << Logs();
  address_ = process_->grpc();
}

void ChainAnchor::Kill() {
  process_->Signal(SIGKILL);
  EXPECT_EQ(process_->Wait(), 128 + SIGKILL) << Logs();
}

void ChainAnchor::Stop() { EXPECT_EQ(process_->Stop(), 0) << Logs(); }

void ChainAnchor::DeleteData() { std::filesystem::remove_all(dir_); }

v1::LedgerStatus ChainAnchor::Status() {
  const auto stub = v1::AnchorService::NewStub(
      grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  v1::LedgerStatus status;
  const grpc::Status got = stub->GetLedgerStatus(&context, {}, &status);
  EXPECT_TRUE(got.ok()) << got.error_message() << Logs();
  return status;
}

std::string ChainAnchor::Metrics() {
  httplib::Client client("http://" + process_->http());
  client.set_read_timeout(kCallTimeout.count());
  const httplib::Result result = client.Get("/metrics");
  EXPECT_TRUE(result) << Logs();
  return result ? result->body : "";
}

double ChainAnchor::Metric(absl::string_view name) {
  const std::string page = Metrics();
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    double value = 0;
    if (absl::ConsumePrefix(&line, name) && absl::ConsumePrefix(&line, " ") &&
        absl::SimpleAtod(line, &value)) {
      return value;
    }
  }
  return -1;
}

std::string ChainAnchor::Health() {
  const auto stub = grpc::health::v1::Health::NewStub(
      grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, {}, &response);
  if (!status.ok()) return status.error_message();
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(
      response.status());
}

Outcome ChainAnchor::StatusCommand(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(),
                   {"anchor", "status", "--server", address_});
  return RunProcess(Binary("services/windproof/windproof"), arguments);
}

bool ChainAnchor::WaitSettled() {
  return Eventually([this] {
    const v1::LedgerStatus status = Status();
    return status.problem().empty() && status.pending() == 0 &&
           status.chain().unconfirmed() == 0;
  });
}

std::string ChainAnchor::Logs() const {
  return absl::StrCat(old_logs_, process_ == nullptr ? "" : process_->err());
}

}  // namespace windproof
