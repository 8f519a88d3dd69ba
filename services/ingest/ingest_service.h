// IngestService: decode, check, append, encode.
//
// Source: proto/windproof/v1/ingest.proto. Thread-safe.
#ifndef WINDPROOF_SERVICES_INGEST_INGEST_SERVICE_H_
#define WINDPROOF_SERVICES_INGEST_INGEST_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"
#include "proto/windproof/v1/ingest.grpc.pb.h"
#include "services/ingest/record_validator.h"
#include "services/ingest/validator_pool.h"

namespace windproof {

// Milliseconds since the epoch.
using NowMs = std::function<int64_t()>;

// Counts since the start. Each may be read at any time.
struct IngestCounts {
  std::atomic<int64_t> batches = 0;
  std::atomic<int64_t> records = 0;
  std::atomic<int64_t> bytes = 0;
  std::array<std::atomic<int64_t>, Refusal::kReasons> refused = {};
  std::atomic<int64_t> log_failures = 0;
};

class IngestService final : public v1::IngestService::Service {
 public:
  // All must outlive the service. `now_ms` is called from any thread; it gives
  // the log time, one a batch.
  IngestService(ValidatorPool& validators, RecordLog& log, NowMs now_ms);

  grpc::Status PublishRecords(grpc::ServerContext* context,
                              const v1::PublishRecordsRequest* request,
                              v1::PublishRecordsResponse* response) override;
  grpc::Status StreamRecords(
      grpc::ServerContext* context,
      grpc::ServerReader<v1::PublishRecordsRequest>* reader,
      v1::StreamRecordsResponse* response) override;
  grpc::Status AdvanceWatermark(
      grpc::ServerContext* context, const v1::AdvanceWatermarkRequest* request,
      v1::AdvanceWatermarkResponse* response) override;

  // Ends the streams (what they were promised is kept) and refuses new calls
  // with Unavailable.
  void StopIntake() ABSL_LOCKS_EXCLUDED(mutex_);

  const IngestCounts& counts() const { return counts_; }

 private:
  class StreamScope;

  absl::Status Check(absl::Span<const NewRecord> records);
  absl::StatusOr<std::vector<AppendedRecord>> CheckAndAppend(
      absl::Span<const NewRecord> records);
  bool stopped() ABSL_LOCKS_EXCLUDED(mutex_);

  ValidatorPool& validators_;
  RecordLog& log_;
  const NowMs now_ms_;
  IngestCounts counts_;
  Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ServerContext*> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_INGEST_SERVICE_H_
