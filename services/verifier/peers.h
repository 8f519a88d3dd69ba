// The services that the verifier asks and does not believe.
#ifndef WINDPROOF_SERVICES_VERIFIER_PEERS_H_
#define WINDPROOF_SERVICES_VERIFIER_PEERS_H_

#include <grpcpp/client_context.h>

#include <functional>
#include <memory>

#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {

// For one request of a client: what it asks ends when that request ends.
struct Peers {
  v1::AnchorService::StubInterface& anchor;
  v1::WindowHashService::StubInterface& window_hash;
  // A context for one call, with the deadline and cancellation of the request.
  std::function<std::unique_ptr<grpc::ClientContext>()> new_context;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_PEERS_H_
