// windproof.v1.WindowHashService: answers questions about closed windows from
// the store, and about progress from the partitions.
//
// What is stored is never trusted: bytes that cannot be read are DATA_LOSS.
#ifndef WINDPROOF_SERVICES_WINDOW_HASH_WINDOW_HASH_SERVICE_H_
#define WINDPROOF_SERVICES_WINDOW_HASH_WINDOW_HASH_SERVICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"
#include "services/window_hash/partitions_view.h"
#include "services/window_hash/payload_store.h"

namespace windproof {

// Thread-safe.
class WindowHashServiceImpl final : public v1::WindowHashService::Service {
 public:
  // All must outlive the service.
  WindowHashServiceImpl(const std::vector<PipelineSpec>& specs,
                        PayloadStore& store, PartitionsView& partitions)
      : specs_(specs), store_(store), partitions_(partitions) {}

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
  // InvalidArgument names `field` and the pipelines that there are.
  absl::StatusOr<const PipelineSpec*> FindSpec(absl::string_view name,
                                               absl::string_view field) const;

  // Whether the window is of a partition that is ours.
  bool Has(const WindowKey& window) const;

  // The stored revision that a request means. NotFound, FailedPrecondition.
  absl::StatusOr<WindowKey> FindWindow(const v1::WindowId& id,
                                       std::optional<int64_t> revision);

  absl::Status List(const v1::ListWindowsRequest& request,
                    v1::ListWindowsResponse* response);
  absl::Status ListDropped(const v1::ListDroppedRecordsRequest& request,
                           v1::ListDroppedRecordsResponse* response);
  absl::Status Progress(const PipelineSpec& spec,
                        v1::PipelineProgress* response);

  const std::vector<PipelineSpec>& specs_;
  PayloadStore& store_;
  PartitionsView& partitions_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDOW_HASH_WINDOW_HASH_SERVICE_H_
