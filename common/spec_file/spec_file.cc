#include "common/spec_file/spec_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/spec_file/spec_proto.h"

namespace windproof {
namespace {

constexpr uintmax_t kSizeMax = 1 << 20;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::error_code error;
  const auto file = std::filesystem::status(path, error);
  if (file.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat(
        "there is no pipeline and no file \"", path, "\"; accepted are ",
        absl::StrJoin(BuiltInSpecNames(), ", "), " or a spec file"));
  }
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("reading ", path));
  }
  if (!std::filesystem::is_regular_file(file)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no file"));
  }
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("reading ", path));
  }
  if (size > kSizeMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, " has ", size, " bytes; a spec has at most ", kSizeMax));
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::stringstream content;
  if (size > 0) content << stream.rdbuf();
  if (!stream || !content) {
    return absl::ErrnoToStatus(errno != 0 ? errno : EIO,
                               absl::StrCat("reading ", path));
  }
  return content.str();
}

}  // namespace

absl::StatusOr<PipelineSpec> LoadSpec(absl::string_view name_or_file) {
  const PipelineSpec* built_in = BuiltInSpec(name_or_file);
  if (built_in != nullptr) return *built_in;
  const std::string path(name_or_file);
  const absl::StatusOr<std::string> content = ReadFile(path);
  if (!content.ok()) return content.status();
  absl::StatusOr<PipelineSpec> spec = SpecFromProtoJson(*content);
  if (!spec.ok()) {
    return absl::Status(spec.status().code(),
                        absl::StrCat(path, ": ", spec.status().message()));
  }
  return spec;
}

absl::StatusOr<std::vector<PipelineSpec>> LoadSpecs(
    const std::vector<std::string>& names_or_files) {
  std::vector<PipelineSpec> specs;
  for (const std::string& name : names_or_files) {
    absl::StatusOr<PipelineSpec> spec = LoadSpec(name);
    if (!spec.ok()) return spec.status();
    for (const PipelineSpec& other : specs) {
      if (other.name == spec->name) {
        return absl::InvalidArgumentError(
            absl::StrCat("--pipeline ", name, " has the name ", spec->name,
                         ", as one before it; one of each name is accepted"));
      }
    }
    specs.push_back(*std::move(spec));
  }
  if (specs.empty()) {
    return absl::InvalidArgumentError(
        "there is no --pipeline; one or more are accepted");
  }
  return specs;
}

}  // namespace windproof
