#include "services/ingest/json_lines.h"

#include <stdio.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace windproof {
namespace {

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

void JsonLinesReader::Close::operator()(std::FILE* file) const {
  if (file != stdin) std::fclose(file);
}

absl::StatusOr<std::unique_ptr<JsonLinesReader>> JsonLinesReader::Open(
    const std::string& path) {
  std::unique_ptr<std::FILE, Close> file;
  if (path == "-") {
    file.reset(stdin);
  } else {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " is a folder; files of JSON Lines are accepted"));
    }
    file.reset(std::fopen(path.c_str(), "rb"));
    if (file == nullptr) {
      const int code = errno;
      const std::string message = absl::StrCat(
          path, " cannot be read: ", std::generic_category().message(code));
      return code == ENOENT ? absl::NotFoundError(message)
                            : absl::UnavailableError(message);
    }
  }
  return std::unique_ptr<JsonLinesReader>(
      new JsonLinesReader(path, std::move(file)));
}

JsonLinesReader::JsonLinesReader(std::string path,
                                 std::unique_ptr<std::FILE, Close> file)
    : path_(std::move(path)), file_(std::move(file)) {}

bool JsonLinesReader::ReadLine() {
  line_.clear();
  int c = getc_unlocked(file_.get());
  if (c == EOF) return false;
  for (; c != EOF && c != '\n'; c = getc_unlocked(file_.get())) {
    if (line_.size() <= kLineBytesMax) line_.push_back(static_cast<char>(c));
  }
  return true;
}

absl::StatusOr<std::optional<JsonLine>> JsonLinesReader::Next() {
  while (ReadLine()) {
    ++number_;
    if (line_.size() > kLineBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ":", number_, ": the line has more than ",
                       kLineBytesMax, " bytes, which are accepted"));
    }
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    if (number_ == 1 && absl::StartsWith(line_, kByteOrderMark)) {
      line_.erase(0, kByteOrderMark.size());
    }
    if (line_.find_first_not_of(" \t") == std::string::npos) continue;
    return JsonLine{number_, line_};
  }
  if (std::ferror(file_.get()) != 0) {
    return absl::UnavailableError(
        absl::StrCat(path_, ":", number_, ": the file cannot be read on"));
  }
  return std::nullopt;
}

}  // namespace windproof
