// windproof.v1.WindowHashService of a process that shares the partitions with
// others: any of them answers for any window.
//
// What this process has is answered from its own store; for the rest the other
// replicas are asked. "There is none" is said only when every partition was
// asked of somebody who has it: else UNAVAILABLE.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_REPLICA_SERVICE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_REPLICA_SERVICE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/pipeline/spec.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/window_hash/replica_set.h"
#include "services/window_hash/window_hash_service.h"

namespace windproof {

// Thread-safe.
class ReplicaService final : public v1::WindowHashService::Service {
 public:
  // Both must outlive the service.
  ReplicaService(WindowHashServiceImpl& local, ReplicaSet& replicas)
      : local_(local), replicas_(replicas) {}

  grpc::Status GetWindow(grpc::ServerContext* context,
                         const v1::GetWindowRequest* request,
                         v1::Window* response) override;
  grpc::Status ListWindows(grpc::ServerContext* context,
                           const v1::ListWindowsRequest* request,
                           v1::ListWindowsResponse* response) override;
  grpc::Status GetWindowPayload(
      grpc::ServerContext* context, const v1::GetWindowPayloadRequest* request,
      grpc::ServerWriter<v1::GetWindowPayloadResponse>* writer) override;
  grpc::Status ListDroppedRecords(
      grpc::ServerContext* context,
      const v1::ListDroppedRecordsRequest* request,
      v1::ListDroppedRecordsResponse* response) override;
  grpc::Status GetProgress(grpc::ServerContext* context,
                           const v1::GetProgressRequest* request,
                           v1::GetProgressResponse* response) override;

 private:
  // Answers another replica from the own store, with the epoch.
  grpc::Status Forwarded(grpc::ServerContext* context,
                         const std::string& pipeline,
                         absl::FunctionRef<grpc::Status()> answer);

  // Asks the own store and the others in turn until one answers otherwise than
  // `is_nothing`; what all say that have nothing is answered only when together
  // they have every partition.
  grpc::Status AskAll(grpc::ServerContext* context, const std::string& pipeline,
                      absl::FunctionRef<grpc::Status()> own,
                      absl::FunctionRef<grpc::Status(
                          v1::WindowHashService::Stub&, grpc::ClientContext*)>
                          other,
                      absl::FunctionRef<bool(const grpc::Status&)> is_nothing);

  WindowHashServiceImpl& local_;
  ReplicaSet& replicas_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_REPLICA_SERVICE_H_
