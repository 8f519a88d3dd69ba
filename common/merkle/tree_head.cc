#include "common/merkle/tree_head.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace windproof {

std::string FormatTreeHead(const TreeHead& head) {
  std::string text = absl::StrCat(head.origin, "\n", head.size, "\n",
                                  absl::Base64Escape(BytesOf(head.root)), "\n");
  for (const std::string& extension : head.extensions) {
    absl::StrAppend(&text, extension, "\n");
  }
  return text;
}

absl::StatusOr<TreeHead> ParseTreeHead(absl::string_view text) {
  if (text.empty() || text.back() != '\n') {
    return absl::InvalidArgumentError("tree head does not end with a newline");
  }
  const std::vector<absl::string_view> lines =
      absl::StrSplit(text.substr(0, text.size() - 1), '\n');
  if (lines.size() < 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("tree head has ", lines.size(),
                     " lines; origin, size and root are accepted"));
  }
  TreeHead head;
  head.origin = std::string(lines[0]);
  if (head.origin.empty()) {
    return absl::InvalidArgumentError("tree head's origin is empty");
  }
  // Written back, so that "+1", " 1" and "01" are no spellings of 1.
  if (!absl::SimpleAtoi(lines[1], &head.size) ||
      absl::StrCat(head.size) != lines[1]) {
    return absl::InvalidArgumentError(
        absl::StrCat("tree head's size is \"", absl::CHexEscape(lines[1]),
                     "\"; a decimal number without leading zeros is accepted"));
  }
  std::string root;
  if (!absl::Base64Unescape(lines[2], &root) ||
      absl::Base64Escape(root) != lines[2] || root.size() != 32) {
    return absl::InvalidArgumentError(
        absl::StrCat("tree head's root is \"", absl::CHexEscape(lines[2]),
                     "\"; base64 of 32 bytes is accepted"));
  }
  head.root = *DigestFromBytes(root);
  for (size_t i = 3; i < lines.size(); ++i) {
    if (lines[i].empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("tree head's line ", i, " is empty"));
    }
    head.extensions.emplace_back(lines[i]);
  }
  return head;
}

}  // namespace windproof
