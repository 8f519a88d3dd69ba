// Validators for calls that run at the same time: a RecordValidator belongs to
// one thread, and gRPC's threads come and go.
#ifndef WINDPROOF_SERVICES_INGEST_VALIDATOR_POOL_H_
#define WINDPROOF_SERVICES_INGEST_VALIDATOR_POOL_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/pipeline/spec.h"
#include "common/record_log/record_log.h"
#include "common/sync/mutex.h"
#include "services/ingest/record_validator.h"

namespace windproof {

// Thread-safe.
class ValidatorPool {
 public:
  // `specs` must be valid. InvalidArgument where a topic pattern is none.
  static absl::StatusOr<std::unique_ptr<ValidatorPool>> Create(
      std::vector<PipelineSpec> specs, const IngestLimits& limits);

  // As RecordValidator::Check.
  std::optional<Refusal> Check(absl::Span<const NewRecord> records)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  ValidatorPool(std::vector<PipelineSpec> specs, const IngestLimits& limits);

  std::unique_ptr<RecordValidator> Take() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::vector<PipelineSpec> specs_;
  const IngestLimits limits_;
  Mutex mutex_;
  std::vector<std::unique_ptr<RecordValidator>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_VALIDATOR_POOL_H_
