#include "services/verifier/spec_book.h"

#include <utility>

#include "absl/status/statusor.h"

namespace windproof {

SpecBook::SpecBook(const std::vector<PipelineSpec>& specs) {
  MutexLock lock(mutex_);
  for (const PipelineSpec& spec : specs) {
    auto copy = std::make_unique<const PipelineSpec>(spec);
    configured_.push_back(copy.get());
    specs_[SpecHash(spec)] = std::move(copy);
  }
}

const PipelineSpec* SpecBook::Find(const Digest& hash) {
  MutexLock lock(mutex_);
  const auto found = specs_.find(hash);
  return found == specs_.end() ? nullptr : found->second.get();
}

const PipelineSpec* SpecBook::FindConfigured(absl::string_view name) const {
  for (const PipelineSpec* spec : configured_) {
    if (spec->name == name) return spec;
  }
  return nullptr;
}

const PipelineSpec* SpecBook::Learn(const Digest& hash,
                                    absl::string_view canonical) {
  if (const PipelineSpec* known = Find(hash)) return known;
  if (Sha256Of(canonical) != hash) return nullptr;
  absl::StatusOr<PipelineSpec> spec = ParseCanonicalSpec(canonical);
  if (!spec.ok()) return nullptr;
  MutexLock lock(mutex_);
  std::unique_ptr<const PipelineSpec>& slot = specs_[hash];
  if (slot == nullptr) {
    slot = std::make_unique<const PipelineSpec>(*std::move(spec));
  }
  return slot.get();
}

}  // namespace windproof
