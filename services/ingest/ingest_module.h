// Ingest as a module of a server: IngestService over a record log, and the live
// source beside it.
#ifndef WINDPROOF_SERVICES_INGEST_INGEST_MODULE_H_
#define WINDPROOF_SERVICES_INGEST_INGEST_MODULE_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "common/server/service_module.h"
#include "services/ingest/ingest_service.h"
#include "services/ingest/live/dwd_live.h"
#include "services/ingest/live/dwd_live_options.h"
#include "services/ingest/live/live_sink.h"
#include "services/ingest/record_validator.h"
#include "services/ingest/validator_pool.h"

namespace windproof {

// Has no threads of its own but one for each StreamRecords that runs, and one
// for each station of the live source. A server must accept messages of
// kMaxRequestBytes.
class IngestModule final : public ServiceModule {
 public:
  // The largest PublishRecordsRequest: 16 MiB of records and their framing.
  static constexpr int kMaxRequestBytes = 20 << 20;

  struct Options {
    std::vector<PipelineSpec> pipelines;  // valid ones, at least one
    RecordLog* log = nullptr;             // must outlive the module
    NowMs now_ms;                         // the system's clock if empty
    IngestLimits limits;
    std::optional<DwdLiveOptions> live;  // the live source, if any
  };

  // InvalidArgument: no pipelines, or a topic pattern that is none; as
  // DwdLive::Open() else.
  static absl::StatusOr<std::unique_ptr<IngestModule>> Open(Options options);

  grpc::Service* service() override { return &service_; }
  absl::string_view full_name() const override {
    return "windproof.v1.IngestService";
  }
  absl::Status Start() override;
  absl::Status Ready() override;
  std::vector<Metric> Metrics() override;
  void StopIntake() override;
  void Shutdown(std::chrono::steady_clock::time_point deadline) override;

 private:
  IngestModule(std::unique_ptr<ValidatorPool> validators, RecordLog& log,
               NowMs now_ms);

  const std::unique_ptr<ValidatorPool> validators_;
  RecordLog& log_;
  IngestService service_;
  LiveLogSink live_sink_;
  std::unique_ptr<DwdLive> live_;  // last: it uses the sink; may be null
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_INGEST_MODULE_H_
