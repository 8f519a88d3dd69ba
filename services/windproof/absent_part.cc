#include "services/windproof/absent_part.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/windproof/v1/anchor.grpc.pb.h"
#include "proto/windproof/v1/window_hash.grpc.pb.h"

namespace windproof {
namespace {

class AbsentAnchorService final : public v1::AnchorService::Service {
 public:
  static constexpr absl::string_view kFullName = "windproof.v1.AnchorService";

  explicit AbsentAnchorService(const grpc::Status& why) : why_(why) {}

  grpc::Status SubmitCheckpoints(grpc::ServerContext*,
                                 const v1::SubmitCheckpointsRequest*,
                                 v1::SubmitCheckpointsResponse*) override {
    return why_;
  }
  grpc::Status GetCheckpoint(grpc::ServerContext*,
                             const v1::GetCheckpointRequest*,
                             v1::GetCheckpointResponse*) override {
    return why_;
  }
  grpc::Status ListCheckpoints(grpc::ServerContext*,
                               const v1::ListCheckpointsRequest*,
                               v1::ListCheckpointsResponse*) override {
    return why_;
  }
  grpc::Status WatchCheckpoints(grpc::ServerContext*,
                                const v1::WatchCheckpointsRequest*,
                                grpc::ServerWriter<v1::LedgerItem>*) override {
    return why_;
  }
  grpc::Status GetConsistencyProof(grpc::ServerContext*,
                                   const v1::GetConsistencyProofRequest*,
                                   v1::GetConsistencyProofResponse*) override {
    return why_;
  }
  grpc::Status GetLedgerStatus(grpc::ServerContext*,
                               const v1::GetLedgerStatusRequest*,
                               v1::LedgerStatus*) override {
    return why_;
  }

 private:
  const grpc::Status why_;
};

class AbsentWindowHashService final : public v1::WindowHashService::Service {
 public:
  static constexpr absl::string_view kFullName =
      "windproof.v1.WindowHashService";

  explicit AbsentWindowHashService(const grpc::Status& why) : why_(why) {}

  grpc::Status GetWindow(grpc::ServerContext*, const v1::GetWindowRequest*,
                         v1::Window*) override {
    return why_;
  }
  grpc::Status ListWindows(grpc::ServerContext*, const v1::ListWindowsRequest*,
                           v1::ListWindowsResponse*) override {
    return why_;
  }
  grpc::Status GetWindowPayload(
      grpc::ServerContext*, const v1::GetWindowPayloadRequest*,
      grpc::ServerWriter<v1::GetWindowPayloadResponse>*) override {
    return why_;
  }
  grpc::Status ListDroppedRecords(grpc::ServerContext*,
                                  const v1::ListDroppedRecordsRequest*,
                                  v1::ListDroppedRecordsResponse*) override {
    return why_;
  }
  grpc::Status GetProgress(grpc::ServerContext*, const v1::GetProgressRequest*,
                           v1::GetProgressResponse*) override {
    return why_;
  }

 private:
  const grpc::Status why_;
};

template <typename Service>
class AbsentPart final : public ServiceModule {
 public:
  explicit AbsentPart(absl::string_view why)
      : service_(
            grpc::Status(grpc::StatusCode::UNAVAILABLE, std::string(why))) {}

  grpc::Service* service() override { return &service_; }
  absl::string_view full_name() const override { return Service::kFullName; }
  absl::Status Start() override { return absl::OkStatus(); }
  // It answers, with nothing: whoever asks is told why.
  absl::Status Ready() override { return absl::OkStatus(); }
  std::vector<Metric> Metrics() override { return {}; }
  void StopIntake() override {}
  void Shutdown(std::chrono::steady_clock::time_point) override {}

 private:
  Service service_;
};

}  // namespace

std::unique_ptr<ServiceModule> MakeAbsentAnchor(absl::string_view why) {
  return std::make_unique<AbsentPart<AbsentAnchorService>>(why);
}

std::unique_ptr<ServiceModule> MakeAbsentWindowHash(absl::string_view why) {
  return std::make_unique<AbsentPart<AbsentWindowHashService>>(why);
}

bool HasStore(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(absl::StrCat(path, "/CURRENT"), ignored);
}

std::string WhyAbsent(const std::string& path, const absl::Status& error) {
  std::error_code ignored;  // what cannot be looked at is as good as not there
  if (!std::filesystem::exists(path, ignored)) {
    return absl::StrCat("there is no folder ", path);
  }
  if (!std::filesystem::is_directory(path, ignored)) {
    return absl::StrCat(path, " is no folder");
  }
  if (!HasStore(path)) {
    return absl::StrCat("folder ", path,
                        " holds no store: its file CURRENT is missing");
  }
  return absl::StrCat(
      "the store in ", path,
      absl::IsDataLoss(error) ? " is damaged: " : " cannot be read: ",
      error.message());
}

}  // namespace windproof
