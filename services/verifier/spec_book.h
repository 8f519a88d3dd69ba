// The rules that the verifier knows, by their hash.
//
// Its own configuration comes first; rules that window-hash shows are taken
// where their bytes have the hash that an anchored checkpoint names: then it
// does not matter who showed them. Thread-safe.
#ifndef WINDPROOF_SERVICES_VERIFIER_SPEC_BOOK_H_
#define WINDPROOF_SERVICES_VERIFIER_SPEC_BOOK_H_

#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"
#include "common/pipeline/spec.h"
#include "common/sync/mutex.h"

namespace windproof {

class SpecBook {
 public:
  // `specs` must be valid.
  explicit SpecBook(const std::vector<PipelineSpec>& specs);

  // nullptr where no such rules are known. Lives as long as the book.
  const PipelineSpec* Find(const Digest& hash);

  // A configured pipeline; nullptr where there is none of that name.
  const PipelineSpec* FindConfigured(absl::string_view name) const;

  // Takes `canonical` where its SHA-256 is `hash` and it is a canonical spec.
  // Returns as Find().
  const PipelineSpec* Learn(const Digest& hash, absl::string_view canonical);

 private:
  Mutex mutex_;
  std::map<Digest, std::unique_ptr<const PipelineSpec>> specs_
      ABSL_GUARDED_BY(mutex_);
  std::vector<const PipelineSpec*> configured_;  // into specs_; constant
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_SPEC_BOOK_H_
