// The word that somebody may have meant: for misspelt commands, flags and keys.
//
// Pure; safe from any thread.
#ifndef WINDPROOF_COMMON_SERVER_NEAREST_H_
#define WINDPROOF_COMMON_SERVER_NEAREST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace windproof {

// Insertions, deletions, replacements and swaps of neighbours that turn `a`
// into `b` (optimal string alignment), on bytes.
int EditDistance(absl::string_view a, absl::string_view b);

// The candidate nearest to `word` (the first of several), if it is near enough
// to be meant: at most half of the longer word is edited, or one begins with
// the other (three letters at least). Empty otherwise.
std::string Nearest(absl::string_view word,
                    const std::vector<std::string>& candidates);

// "; did you mean NEAREST?" or nothing: the end of an error message.
std::string DidYouMean(absl::string_view word,
                       const std::vector<std::string>& candidates);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_NEAREST_H_
