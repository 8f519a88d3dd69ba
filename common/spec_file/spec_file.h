// Where the spec of a pipeline comes from: a built-in one or a file.
//
// Reads files; safe from any thread.
#ifndef WINDPROOF_COMMON_SPEC_FILE_SPEC_FILE_H_
#define WINDPROOF_COMMON_SPEC_FILE_SPEC_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/pipeline/spec.h"

namespace windproof {

// The built-in spec of that name, else the spec in the proto-JSON file of that
// name (write `./weather` for a file that is called like a built-in one).
//
// NotFound where there is neither; InvalidArgument, which begins with the file,
// where its content is no valid spec; otherwise why it could not be read.
absl::StatusOr<PipelineSpec> LoadSpec(absl::string_view name_or_file);

// Those of a program's --pipeline flags. InvalidArgument also where there is
// none, or two have one name.
absl::StatusOr<std::vector<PipelineSpec>> LoadSpecs(
    const std::vector<std::string>& names_or_files);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SPEC_FILE_SPEC_FILE_H_
