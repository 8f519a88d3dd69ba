// VerifierService over gRPC: decodes, calls the Verifier, encodes.
#ifndef WINDPROOF_SERVICES_VERIFIER_VERIFIER_SERVICE_H_
#define WINDPROOF_SERVICES_VERIFIER_VERIFIER_SERVICE_H_

#include <atomic>
#include <memory>

#include "proto/windproof/v1/verifier.grpc.pb.h"
#include "services/verifier/peers.h"
#include "services/verifier/verifier.h"

namespace windproof {

// What the service has done so far, for metrics. Thread-safe.
struct VerifierCounters {
  std::atomic<int64_t> verified{0};
  std::atomic<int64_t> empty{0};
  std::atomic<int64_t> failed{0};
  std::atomic<int64_t> incomplete{0};
  std::atomic<int64_t> unsupported{0};
  std::atomic<int64_t> records{0};
};

// Thread-safe.
class VerifierServiceImpl final : public v1::VerifierService::Service {
 public:
  // All must outlive the service.
  VerifierServiceImpl(Verifier& verifier,
                      v1::AnchorService::StubInterface& anchor,
                      v1::WindowHashService::StubInterface& window_hash,
                      const MonotonicClock& now, VerifierCounters& counters);

  grpc::Status VerifyWindow(grpc::ServerContext* context,
                            const v1::VerifyWindowRequest* request,
                            v1::VerifyWindowResponse* response) override;
  grpc::Status VerifyRange(
      grpc::ServerContext* context, const v1::VerifyRangeRequest* request,
      grpc::ServerWriter<v1::VerifyRangeResponse>* writer) override;

  // Ends the streams that run, and takes no new one.
  void StopIntake() { stopping_ = true; }

 private:
  Peers PeersOf(grpc::ServerContext* context);
  void Count(const WindowReport& report);

  Verifier& verifier_;
  v1::AnchorService::StubInterface& anchor_;
  v1::WindowHashService::StubInterface& window_hash_;
  const MonotonicClock& now_;
  VerifierCounters& counters_;
  std::atomic<bool> stopping_{false};
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_VERIFIER_SERVICE_H_
