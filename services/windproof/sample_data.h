// The synthetic sample of deploy/sample, compiled in: `windproof demo` needs
// nothing but the program.
#ifndef WINDPROOF_SERVICES_WINDPROOF_SAMPLE_DATA_H_
#define WINDPROOF_SERVICES_WINDPROOF_SAMPLE_DATA_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace windproof {

struct SampleFile {
  absl::string_view folder;  // a delivery: "1-first"
  absl::string_view name;
  absl::string_view content;
};

// In order of delivery. Thread-safe.
absl::Span<const SampleFile> SampleFiles();

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_SAMPLE_DATA_H_
