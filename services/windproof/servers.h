// The servers that a command talks to: one for all, or one a service.
//
// Single-owner.
#ifndef WINDPROOF_SERVICES_WINDPROOF_SERVERS_H_
#define WINDPROOF_SERVICES_WINDPROOF_SERVERS_H_

#include <grpcpp/channel.h>

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/server/command_line.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"
#include "proto/windproof/v1/verifier.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

class Servers {
 public:
  // Flags --server and one for each service that overrides it. `command` must
  // not outlive this object.
  void AddFlags(Command& command);

  // Everything within this process, instead of the flags.
  void Use(std::shared_ptr<grpc::Channel> channel);

  // The first call for an address waits for the server there, up to 5 seconds:
  // it may have been started just now. RPCs fail where there is none.
  std::unique_ptr<v1::IngestService::Stub> Ingest();
  std::unique_ptr<v1::WindowHashService::Stub> WindowHash();
  std::unique_ptr<v1::AnchorService::Stub> Anchor();
  std::unique_ptr<v1::VerifierService::Stub> Verifier();

  // Prints why a call failed, with the address of `service` and what to do
  // about it. Returns the exit code.
  int Explain(const grpc::Status& status, absl::string_view service) const;

 private:
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& service);
  std::string AddressOf(const std::string& service) const;

  std::string server_ = "127.0.0.1:7400";
  std::string ingest_;
  std::string window_hash_;
  std::string anchor_;
  std::string verifier_;
  std::shared_ptr<grpc::Channel> in_process_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_SERVERS_H_
