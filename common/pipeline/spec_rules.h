// The rules of pipeline specs, for the parts of spec.h.
//
// Pure. Safe from any thread.
#ifndef WINDPROOF_COMMON_PIPELINE_SPEC_RULES_H_
#define WINDPROOF_COMMON_PIPELINE_SPEC_RULES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"

namespace windproof {

// InvalidArgument: "`member` is `found`; `accepted`".
absl::Status WrongInSpec(absl::string_view member, absl::string_view found,
                         absl::string_view accepted);

// Checks all that the canonical form holds, but for the order of `aggregated`.
absl::Status CheckSpecRules(const PipelineSpec& spec);

// Into RFC 8785 member order.
void SortAggregated(PipelineSpec* spec);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_SPEC_RULES_H_
