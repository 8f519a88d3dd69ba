// Tree heads in C2SP tlog-checkpoint form: origin, size and root as the text of
// a signed note.
//
// Source: c2sp.org/tlog-checkpoint. Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_MERKLE_TREE_HEAD_H_
#define WINDPROOF_COMMON_MERKLE_TREE_HEAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace windproof {

struct TreeHead {
  std::string origin;  // identity of the log, one line, not empty
  uint64_t size = 0;   // leaves
  Digest root{};
  // Extension lines, each without its newline; usually none.
  std::vector<std::string> extensions;
};

// `origin\nsize\nbase64(root)\n` and the extension lines.
std::string FormatTreeHead(const TreeHead& head);

// The text of a note. InvalidArgument says what is wrong.
absl::StatusOr<TreeHead> ParseTreeHead(absl::string_view text);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_MERKLE_TREE_HEAD_H_
