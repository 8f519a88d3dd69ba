#include "services/ingest/validator_pool.h"

#include <utility>

namespace windproof {
namespace {

// More are made when more calls run at once, and let go afterwards.
constexpr size_t kIdleMax = 8;

}  // namespace

ValidatorPool::ValidatorPool(std::vector<PipelineSpec> specs,
                             const IngestLimits& limits)
    : specs_(std::move(specs)), limits_(limits) {}

absl::StatusOr<std::unique_ptr<ValidatorPool>> ValidatorPool::Create(
    std::vector<PipelineSpec> specs, const IngestLimits& limits) {
  std::unique_ptr<ValidatorPool> pool(
      new ValidatorPool(std::move(specs), limits));
  // The first one shows whether the specs make any.
  auto first = RecordValidator::Create(pool->specs_, limits);
  if (!first.ok()) return first.status();
  MutexLock lock(pool->mutex_);
  pool->idle_.push_back(*std::move(first));
  return pool;
}

std::unique_ptr<RecordValidator> ValidatorPool::Take() {
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<RecordValidator> validator = std::move(idle_.back());
      idle_.pop_back();
      return validator;
    }
  }
  // Cannot fail: the same specs have made one before.
  return *RecordValidator::Create(specs_, limits_);
}

std::optional<Refusal> ValidatorPool::Check(
    absl::Span<const NewRecord> records) {
  std::unique_ptr<RecordValidator> validator = Take();
  std::optional<Refusal> refusal = validator->Check(records);
  MutexLock lock(mutex_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(validator));
  return refusal;
}

}  // namespace windproof
