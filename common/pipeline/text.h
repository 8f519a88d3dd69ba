// Text in the rules of a pipeline and in what is said about its records.
//
// Pure. Safe from any thread.
#ifndef WINDPROOF_COMMON_PIPELINE_TEXT_H_
#define WINDPROOF_COMMON_PIPELINE_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace windproof {

// Whether `bytes` are valid UTF-8 (RFC 3629: no overlong forms, no surrogates,
// nothing above U+10FFFF). No bytes at all are.
bool IsValidUtf8(absl::string_view bytes);

// `bytes` as an error message shows them: in quotes, shortened, and escaped
// where they could harm a terminal.
std::string ShownText(absl::string_view bytes);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_PIPELINE_TEXT_H_
