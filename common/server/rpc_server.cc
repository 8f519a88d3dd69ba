#include "common/server/rpc_server.h"

#include <arpa/inet.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/server/address.h"
#include "common/server/logging.h"

namespace windproof {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kLiveness[] = "liveness";
// Handlers block a thread each; beyond this calls are refused
// (RESOURCE_EXHAUSTED) instead of eating the memory.
constexpr int kMaxThreads = 256;
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kMinClientPingMs = 5'000;
// What is left at the end of Shutdown() is health watches and reflection.
constexpr milliseconds kCancelAfter{100};
// What has just been started is often ready a moment later.
constexpr milliseconds kNotReadyInterval{200};

// For servers that stand in for each other.
constexpr char kRetryUnavailable[] = R"({
  "methodConfig": [{
    "name": [{}],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.1s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
})";

absl::StatusOr<std::string> LookUpIpv4(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0 || found == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("host ", host, " is not known: ", gai_strerror(error)));
  }
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET,
            &reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr,
            text, sizeof(text));
  freeaddrinfo(found);
  return std::string(text);
}

// "/windproof.v1.AnchorService/GetCheckpoint" of every module's methods.
std::vector<std::string> MethodsOf(const std::vector<ServiceModule*>& modules) {
  std::vector<std::string> methods;
  for (ServiceModule* module : modules) {
    const google::protobuf::ServiceDescriptor* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
            std::string(module->full_name()));
    if (service == nullptr) continue;  // no descriptor: counted as "other"
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(absl::StrCat("/", service->full_name(), "/",
                                     service->method(i)->name()));
    }
  }
  return methods;
}

void Configure(grpc::ServerBuilder* builder) {
  grpc::ResourceQuota quota("windproof");
  quota.SetMaxThreads(kMaxThreads);
  builder->SetResourceQuota(quota);
  builder->SetMaxReceiveMessageSize(RpcServer::kMaxMessageBytes);
  builder->SetMaxSendMessageSize(RpcServer::kMaxMessageBytes);
  // Otherwise two servers share a port in silence, each with half of the calls.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                              kKeepaliveTimeoutMs);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinClientPingMs);
}

grpc::ChannelArguments ClientArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(RpcServer::kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(RpcServer::kMaxMessageBytes);
  return arguments;
}

}  // namespace

RpcServer::RpcServer(const Options& options)
    : options_(options),
      stats_(std::make_unique<RpcStats>(MethodsOf(options.modules))) {}

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(
    const Options& options) {
  // Both act on every server that is built after them.
  static const bool plugins_ready = [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  static_cast<void>(plugins_ready);

  std::unique_ptr<RpcServer> server(new RpcServer(options));
  grpc::ServerBuilder builder;
  Configure(&builder);
  int port = 0;
  Address address;
  if (!options.listen.empty()) {
    absl::StatusOr<Address> parsed = ParseAddress(options.listen);
    if (!parsed.ok()) return parsed.status();
    address = *std::move(parsed);
    builder.AddListeningPort(address.Text(), grpc::InsecureServerCredentials(),
                             &port);
  }
  for (ServiceModule* module : options.modules) {
    builder.RegisterService(module->service());
  }
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(server->stats_->NewInterceptorFactory());
  builder.experimental().SetInterceptorCreators(std::move(interceptors));

  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || (!options.listen.empty() && port == 0)) {
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", options.listen,
        ": another process has the port, or the host is not this machine"));
  }
  address.port = port;
  server->address_ = options.listen.empty() ? "" : address.Text();
  server->server_->GetHealthCheckService()->SetServingStatus(kLiveness, true);
  server->CheckReadiness();
  server->watcher_ =
      std::thread([raw = server.get()] { raw->WatchReadiness(); });
  return server;
}

RpcServer::~RpcServer() { Shutdown(steady_clock::now()); }

std::shared_ptr<grpc::Channel> RpcServer::Channel() {
  return server_->InProcessChannel(ClientArguments());
}

std::shared_ptr<grpc::Channel> RpcServer::ChannelTo(
    const std::string& address) {
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   ClientArguments());
}

absl::Status RpcServer::Ready() const {
  const MutexLock lock(mutex_);
  return ready_;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> RpcServer::ChannelToAny(
    const std::vector<std::string>& addresses) {
  if (addresses.empty()) {
    return absl::InvalidArgumentError(
        "there is no address; one HOST:PORT or more are accepted");
  }
  std::vector<std::string> targets;
  for (const std::string& text : addresses) {
    const absl::StatusOr<Address> address = ParseAddress(text);
    if (!address.ok()) return address.status();
    if (addresses.size() == 1) return ChannelTo(address->Text());
    const absl::StatusOr<std::string> host = LookUpIpv4(address->host);
    if (!host.ok()) return host.status();
    targets.push_back(absl::StrCat(*host, ":", address->port));
  }
  grpc::ChannelArguments arguments = ClientArguments();
  arguments.SetLoadBalancingPolicyName("round_robin");
  arguments.SetServiceConfigJSON(kRetryUnavailable);
  return grpc::CreateCustomChannel(
      absl::StrCat("ipv4:", absl::StrJoin(targets, ",")),
      grpc::InsecureChannelCredentials(), arguments);
}

void RpcServer::Show(const std::string& name, bool serving) {
  const auto [shown, is_new] = shown_.try_emplace(name, serving);
  if (!is_new && shown->second == serving) return;
  shown->second = serving;
  server_->GetHealthCheckService()->SetServingStatus(name, serving);
}

void RpcServer::CheckReadiness() {
  std::vector<std::pair<std::string, absl::Status>> answers;
  absl::Status all;
  for (ServiceModule* module : options_.modules) {
    const std::string name(module->full_name());
    absl::Status ready = module->Ready();
    if (!ready.ok() && all.ok()) {
      all =
          absl::Status(ready.code(), absl::StrCat(name, ": ", ready.message()));
    }
    answers.emplace_back(name, std::move(ready));
  }

  std::map<std::string, bool> parts;
  for (ServiceModule* module : options_.modules) {
    for (const auto& [name, status] : module->Parts()) {
      parts[name] = status.ok();
    }
  }

  const MutexLock lock(mutex_);
  if (stop_) return;  // StopServing() has the last word
  for (const auto& [name, ready] : answers) Show(name, ready.ok());
  for (const std::string& name : parts_) parts.try_emplace(name, false);
  for (const auto& [name, serving] : parts) {
    Show(name, serving);
    parts_.insert(name);
  }
  Show("", all.ok());
  if (!all.ok() && all != ready_) {
    LogWarning("not ready", {{"reason", std::string(all.message())}});
  } else if (all.ok() && !ready_.ok()) {
    LogInfo("ready again");
  }
  ready_ = std::move(all);
}

void RpcServer::WatchReadiness() {
  while (true) {
    {
      const MutexLock lock(mutex_);
      const milliseconds interval =
          ready_.ok() ? options_.ready_interval
                      : std::min(options_.ready_interval, kNotReadyInterval);
      const steady_clock::time_point next = steady_clock::now() + interval;
      while (!stop_ && stopped_.WaitUntil(mutex_, next)) {
      }
      if (stop_) return;
    }
    CheckReadiness();
  }
}

void RpcServer::StopServing() {
  {
    const MutexLock lock(mutex_);
    if (stop_) return;
    stop_ = true;
    ready_ = absl::UnavailableError("the server is shutting down");
    for (ServiceModule* module : options_.modules) {
      Show(std::string(module->full_name()), false);
    }
    for (const std::string& name : parts_) Show(name, false);
    Show("", false);
  }
  stopped_.NotifyAll();
}

void RpcServer::Shutdown(steady_clock::time_point deadline) {
  if (server_ == nullptr) return;  // never started
  StopServing();
  {
    const MutexLock lock(mutex_);
    if (is_shut_down_) return;
    is_shut_down_ = true;
  }
  if (watcher_.joinable()) watcher_.join();
  stats_->WaitIdle(deadline);
  server_->Shutdown(std::chrono::system_clock::now() + kCancelAfter);
  server_->Wait();
}

}  // namespace windproof
