#include "services/windproof/servers.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr int kMessageBytesMax = 64 << 20;

// A server that was started a moment ago is waited for.
constexpr std::chrono::seconds kConnectMax{5};
constexpr std::chrono::seconds kConnectQuietly{1};
constexpr int kReconnectMs = 100;

void WaitForConnection(grpc::Channel& channel, const std::string& address) {
  const auto start = std::chrono::system_clock::now();
  if (channel.WaitForConnected(start + kConnectQuietly)) return;
  std::fprintf(stderr, "windproof: waiting for %s\n", address.c_str());
  channel.WaitForConnected(start + kConnectMax);
}

}  // namespace

void Servers::AddFlags(Command& command) {
  command.Flag("server", &server_, "ADDR", "The server, HOST:PORT");
  command.Flag("ingest", &ingest_, "ADDR", "The ingest service, if elsewhere");
  command.Flag("window-hash", &window_hash_, "ADDR",
               "The window-hash service, if elsewhere");
  command.Flag("anchor", &anchor_, "ADDR", "The anchor service, if elsewhere");
  command.Flag("verifier", &verifier_, "ADDR",
               "The verifier service, if elsewhere");
}

void Servers::Use(std::shared_ptr<grpc::Channel> channel) {
  in_process_ = std::move(channel);
}

std::unique_ptr<v1::IngestService::Stub> Servers::Ingest() {
  return v1::IngestService::NewStub(ChannelTo("ingest"));
}

std::unique_ptr<v1::WindowHashService::Stub> Servers::WindowHash() {
  return v1::WindowHashService::NewStub(ChannelTo("window-hash"));
}

std::unique_ptr<v1::AnchorService::Stub> Servers::Anchor() {
  return v1::AnchorService::NewStub(ChannelTo("anchor"));
}

std::unique_ptr<v1::VerifierService::Stub> Servers::Verifier() {
  return v1::VerifierService::NewStub(ChannelTo("verifier"));
}

int Servers::Explain(const grpc::Status& status,
                     absl::string_view service) const {
  const std::string where = in_process_ != nullptr
                                ? std::string("this process")
                                : AddressOf(std::string(service));
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE &&
      in_process_ == nullptr) {
    std::fprintf(stderr,
                 "windproof: %s at %s is not reachable: %s\n"
                 "Start a server with: windproof serve --data-dir DIR\n",
                 std::string(service).c_str(), where.c_str(),
                 status.error_message().c_str());
    return kExitUnavailable;
  }
  std::fprintf(stderr, "windproof: %s at %s: %s\n",
               std::string(service).c_str(), where.c_str(),
               status.error_message().c_str());
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::FAILED_PRECONDITION:
      return kExitUsage;
    default:
      return kExitUnavailable;
  }
}

std::shared_ptr<grpc::Channel> Servers::ChannelTo(const std::string& service) {
  if (in_process_ != nullptr) return in_process_;
  const std::string address = AddressOf(service);
  std::shared_ptr<grpc::Channel>& channel = channels_[address];
  if (channel == nullptr) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMs);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kReconnectMs);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMs);
    channel = grpc::CreateCustomChannel(
        address, grpc::InsecureChannelCredentials(), arguments);
    WaitForConnection(*channel, address);
  }
  return channel;
}

std::string Servers::AddressOf(const std::string& service) const {
  const std::string& own = service == "ingest"        ? ingest_
                           : service == "window-hash" ? window_hash_
                           : service == "anchor"      ? anchor_
                                                      : verifier_;
  return own.empty() ? server_ : own;
}

}  // namespace windproof
