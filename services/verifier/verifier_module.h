// The verifier as a part of a server.
#ifndef WINDPROOF_SERVICES_VERIFIER_VERIFIER_MODULE_H_
#define WINDPROOF_SERVICES_VERIFIER_VERIFIER_MODULE_H_

#include <grpcpp/channel.h>

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "common/server/service_module.h"
#include "common/server/trust_file.h"
#include "services/verifier/verifier.h"
#include "services/verifier/verifier_service.h"

namespace windproof {

// Thread-safe.
class VerifierModule final : public ServiceModule {
 public:
  struct Options {
    // Whom the verifier believes; its own configuration. Required.
    std::optional<TrustConfig> trust;
    // Rules it knows by itself; topics are not needed. Others are taken from
    // window-hash where their hash is the anchored one.
    std::vector<PipelineSpec> specs;
    // Whom it asks. Both required.
    std::shared_ptr<grpc::ChannelInterface> anchor;
    std::shared_ptr<grpc::ChannelInterface> window_hash;
    // For REPLAY, which is SKIPPED without it; and it names the record that was
    // altered where hashes cannot. May be null; must outlive the module.
    RecordLog* log = nullptr;
    // For durations; the steady clock if not given.
    MonotonicClock now;
  };

  // InvalidArgument names the option: trust, a spec, anchor, window_hash.
  static absl::StatusOr<std::unique_ptr<VerifierModule>> Open(Options options);

  grpc::Service* service() override { return &service_; }
  absl::string_view full_name() const override {
    return "windproof.v1.VerifierService";
  }
  absl::Status Start() override { return absl::OkStatus(); }
  // It needs nothing but its peers, and says of each check when they are away.
  absl::Status Ready() override { return absl::OkStatus(); }
  std::vector<Metric> Metrics() override;
  void StopIntake() override { service_.StopIntake(); }
  void Shutdown(std::chrono::steady_clock::time_point) override {}

 private:
  explicit VerifierModule(Options options);

  const MonotonicClock now_;
  const std::unique_ptr<v1::AnchorService::StubInterface> anchor_;
  const std::unique_ptr<v1::WindowHashService::StubInterface> window_hash_;
  Verifier verifier_;
  VerifierCounters counters_;
  VerifierServiceImpl service_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_VERIFIER_MODULE_H_
