// AnchorService over gRPC: decode, call, encode.
//
// The contract is in proto/windproof/v1/anchor.proto. All methods but
// WatchCheckpoints are served by gRPC's threads; a watch holds no thread (see
// checkpoint_watch.h).
#ifndef WINDPROOF_SERVICES_ANCHOR_ANCHOR_SERVICE_H_
#define WINDPROOF_SERVICES_ANCHOR_ANCHOR_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <string>
#include <utility>

#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "services/anchor/anchorer.h"
#include "services/anchor/checkpoint_watch.h"
#include "services/anchor/ledger.h"

namespace windproof {

// Thread-safe.
class AnchorServiceImpl final
    : public v1::AnchorService::WithCallbackMethod_WatchCheckpoints<
          v1::AnchorService::Service> {
 public:
  // All must outlive the service.
  AnchorServiceImpl(Anchorer& anchorer, Ledger& ledger, CheckpointWatch& watch,
                    int64_t confirmations_required);

  // All submissions are refused with PERMISSION_DENIED and `why`. Before the
  // first call.
  void RefuseSubmissions(std::string why) { refused_ = std::move(why); }

  grpc::Status SubmitCheckpoints(
      grpc::ServerContext* context, const v1::SubmitCheckpointsRequest* request,
      v1::SubmitCheckpointsResponse* response) override;
  grpc::Status GetCheckpoint(grpc::ServerContext* context,
                             const v1::GetCheckpointRequest* request,
                             v1::GetCheckpointResponse* response) override;
  grpc::Status ListCheckpoints(grpc::ServerContext* context,
                               const v1::ListCheckpointsRequest* request,
                               v1::ListCheckpointsResponse* response) override;
  grpc::ServerWriteReactor<v1::LedgerItem>* WatchCheckpoints(
      grpc::CallbackServerContext* context,
      const v1::WatchCheckpointsRequest* request) override;
  grpc::Status GetConsistencyProof(
      grpc::ServerContext* context,
      const v1::GetConsistencyProofRequest* request,
      v1::GetConsistencyProofResponse* response) override;
  grpc::Status GetLedgerStatus(grpc::ServerContext* context,
                               const v1::GetLedgerStatusRequest* request,
                               v1::LedgerStatus* response) override;

 private:
  Anchorer& anchorer_;
  Ledger& ledger_;
  CheckpointWatch& watch_;
  const int64_t confirmations_required_;
  std::string refused_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_ANCHOR_ANCHOR_SERVICE_H_
